"""Confidence intervals, and how many runs a precision takes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from mlperf_logging.analysis.intervals import (
    MOST_RUNS,
    ConfidenceInterval,
    count_runs_needed,
    find_bootstrap_interval,
    find_t_interval,
)
from mlperf_logging.analysis.parameters import BootstrapParameters
from mlperf_logging.errors import UsageError

TIMES = [127.5, 122.4, 122.1, 130.9, 130.7]


def bootstrap(values: list[float], seed: int = 0, **options: object) -> ConfidenceInterval:
    """The interval of a mean, with few draws."""
    parameters = BootstrapParameters(**{"resamples": 999, **options})
    return find_bootstrap_interval([np.array(values)], np.mean, parameters, seed)


def test_t_interval_by_hand() -> None:
    """Of 1 to 5 at 95 %: mean 3, s = √2.5, t(4) = 2.776 from the table of any textbook."""
    half = 2.7764451 * math.sqrt(2.5) / math.sqrt(5)

    assert find_t_interval([1, 2, 3, 4, 5]) == pytest.approx((3 - half, 3 + half))


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99])
def test_t_interval_is_scipys(confidence: float) -> None:
    """The interval is that of scipy's one-sample t-test."""
    wanted = stats.ttest_1samp(TIMES, 0).confidence_interval(confidence)

    assert find_t_interval(TIMES, confidence) == pytest.approx((wanted.low, wanted.high))


@pytest.mark.parametrize("values", [[], [3.0]])
def test_one_run_has_no_interval(values: list[float]) -> None:
    """Fewer than two values say nothing about the spread."""
    assert all(map(math.isnan, find_t_interval(values)))
    assert all(map(math.isnan, bootstrap(values)))


@pytest.mark.parametrize("confidence", [0, 1, 1.5, -0.1, math.nan])
def test_confidence_between_0_and_1(confidence: float) -> None:
    """A level that is none is refused in one sentence."""
    with pytest.raises(UsageError, match="not between 0 and 1"):
        find_t_interval(TIMES, confidence)


def test_bootstrap_is_scipys_on_sorted_values() -> None:
    """With the same generator the interval is that of scipy's BCa bootstrap."""
    wanted = stats.bootstrap(
        [np.sort(TIMES)], np.mean, n_resamples=999, rng=np.random.default_rng(5)
    ).confidence_interval

    assert bootstrap(TIMES, 5) == pytest.approx((wanted.low, wanted.high))


def test_bootstrap_repeats_and_leaves_the_global_generator_alone() -> None:
    """Equal seeds give equal intervals, other seeds others, and numpy's global generator is not touched."""
    before = np.random.get_state()[1].copy()

    assert bootstrap(TIMES, 1) == bootstrap(TIMES, 1)
    assert bootstrap(TIMES, 1) != bootstrap(TIMES, 2)
    assert (np.random.get_state()[1] == before).all()


def test_bootstrap_of_equal_values_is_the_value() -> None:
    """Where all runs took the same time there is nothing to draw."""
    assert bootstrap([7.0, 7.0, 7.0]) == (7.0, 7.0)


def test_bootstrap_needs_draws() -> None:
    """No resamples are refused."""
    with pytest.raises(UsageError, match="resamples"):
        bootstrap(TIMES, resamples=0)


@pytest.mark.parametrize(
    ("variation", "precision", "confidence"),
    [(0.05, 0.05, 0.95), (0.1, 0.05, 0.95), (0.03, 0.01, 0.99), (0.2, 0.1, 0.9), (0.0, 0.05, 0.95)],
)
def test_runs_needed_the_long_way(variation: float, precision: float, confidence: float) -> None:
    """The answer is the first number of runs, tried one after the other, whose interval is narrow enough."""
    runs = 2
    while stats.t.ppf((1 + confidence) / 2, runs - 1) * variation / math.sqrt(runs) > precision:
        runs += 1

    assert count_runs_needed(variation, precision, confidence) == runs


def test_runs_needed_has_a_limit() -> None:
    """A precision that nobody reaches gives the limit, not a search without end."""
    assert count_runs_needed(10.0, 1e-6) == MOST_RUNS
    assert math.isnan(count_runs_needed(math.nan, 0.05))


def test_precision_is_positive() -> None:
    """A precision of nothing is refused."""
    with pytest.raises(UsageError, match="not positive"):
        count_runs_needed(0.1, 0.0)
