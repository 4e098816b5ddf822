"""Confidence intervals of a mean or a median, and how many runs a requested precision takes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mlperf_logging.analysis.parameters import BootstrapParameters, check_confidence
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

MOST_RUNS = 1_000_000
"""Answers of `count_runs_needed` beyond this number are given as this number: nobody makes as many runs."""


class ConfidenceInterval(NamedTuple):
    """A confidence interval; both ends are NaN if it is unknown.

    Attributes:
        low: lower end, in the unit of the values.
        high: upper end.
    """

    low: float
    high: float


UNKNOWN = ConfidenceInterval(math.nan, math.nan)


def find_t_interval(values: Sequence[float] | np.ndarray, confidence: float = 0.95) -> ConfidenceInterval:
    """Student's interval of the mean: mean ± t(n − 1) · s / √n; NaN for fewer than two values.

    It is right for values that are about normal.
    """
    import numpy as np
    from scipy import stats

    check_confidence(confidence)
    numbers = np.asarray(values, dtype=float)
    if len(numbers) < 2:
        return UNKNOWN
    half = stats.t.ppf((1 + confidence) / 2, len(numbers) - 1) * stats.sem(numbers)
    mean = numbers.mean()
    return ConfidenceInterval(float(mean - half), float(mean + half))


def find_bootstrap_interval(
    samples: Sequence[np.ndarray],
    statistic: Callable[..., Any],
    parameters: BootstrapParameters,
    seed: int,
    method: str = "BCa",
) -> ConfidenceInterval:
    """The bootstrap interval of a statistic, by default bias-corrected and accelerated (Efron 1987).

    With few runs it is too narrow, since so few values say little of the tails: at 5 normal values a nominal
    95 % covers some 85 %. Student's interval does not have that fault where the values are about normal.

    Args:
        samples: one array of values for each argument of the statistic.
        statistic: takes the arrays and ``axis``, gives numbers.
        parameters: confidence and number of resamples.
        seed: from `read_seed`. Each interval starts anew from it, so that no group's figures depend on others.
        method: "BCa", "percentile" or "basic", as scipy names them.

    Returns:
        The interval; NaN where a sample has fewer than two values, the value itself where all are equal.
    """
    import numpy as np
    from scipy import stats

    # Sorted, so that the order in which runs were given changes nothing in what is drawn.
    arrays = [np.sort(np.asarray(values, dtype=float)) for values in samples]
    if any(len(values) < 2 for values in arrays):
        return UNKNOWN
    if all(values[0] == values[-1] for values in arrays):
        value = float(statistic(*arrays, axis=-1))
        return ConfidenceInterval(value, value)
    with warnings.catch_warnings():  # what the resamples cannot show is NaN, and needs no second word
        warnings.simplefilter("ignore")
        found = stats.bootstrap(
            arrays,
            statistic,
            n_resamples=parameters.resamples,
            confidence_level=parameters.confidence,
            method=method,
            vectorized=True,
            rng=np.random.default_rng(seed),
            batch=max(1, 2_000_000 // max(len(values) for values in arrays)),
        ).confidence_interval
    return ConfidenceInterval(float(found.low), float(found.high))


def count_runs_needed(coefficient_of_variation: float, precision: float, confidence: float = 0.95) -> float:
    """The smallest number of runs whose Student interval is within the wanted share of the mean.

    The smallest n ≥ 2 with t(n − 1) · cv / √n ≤ precision, the textbook sample size for a mean: at most `MOST_RUNS`, NaN
    where the variation is not known. The precision is half the interval's width as a share of the mean.
    """
    from scipy import stats

    check_confidence(confidence)
    if not precision > 0:
        raise UsageError(f"the precision {precision} is not positive; give 0.05 for ± 5 %")
    if math.isnan(coefficient_of_variation):
        return math.nan

    def suffices(runs: int) -> bool:
        quantile = float(stats.t.ppf((1 + confidence) / 2, runs - 1))
        return quantile * abs(coefficient_of_variation) / math.sqrt(runs) <= precision

    low, high = 2, 2  # t(n − 1) / √n falls with n, so the answer can be closed in on
    while not suffices(high):
        if high >= MOST_RUNS:
            return float(MOST_RUNS)
        low, high = high + 1, min(high * 2, MOST_RUNS)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle + 1, high)
    return float(low)
