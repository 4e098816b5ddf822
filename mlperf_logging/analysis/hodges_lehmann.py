"""The Hodges-Lehmann estimate of a shift between two samples, with Moses' interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from mlperf_logging.analysis.intervals import UNKNOWN, ConfidenceInterval
from mlperf_logging.analysis.parameters import check_confidence

if TYPE_CHECKING:
    import numpy as np

LARGEST_EXACT = 50
"""Up to this many values on each side the null distribution is counted exactly; beyond, the normal serves."""


class Shift(NamedTuple):
    """By how much the second sample lies above the first.

    Attributes:
        estimate: median of all differences, second minus first.
        interval: what the rank test does not reject.
        confidence: the level that the interval has; with few values it is above the one asked for, or the
            interval does not exist and is NaN.
    """

    estimate: float
    interval: ConfidenceInterval
    confidence: float


def estimate_shift(
    first: Sequence[float] | np.ndarray, second: Sequence[float] | np.ndarray, confidence: float = 0.95
) -> Shift:
    """The Hodges-Lehmann shift: median of the differences of all pairs, second minus first.

    The interval is the one that belongs to the Mann-Whitney test (Moses; Hollander and Wolfe, Nonparametric
    Statistical Methods, 4.3): the differences sorted, as many cut at each end as the test allows. It needs no
    normal values, only two distributions of the same shape.
    """
    import numpy as np

    check_confidence(confidence)
    left, right = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if not len(left) or not len(right):
        return Shift(math.nan, UNKNOWN, math.nan)
    differences = np.sort(np.subtract.outer(right, left).ravel())
    estimate = float(np.median(differences))
    cut, level = _count_cut(len(left), len(right), confidence)
    if cut < 1:
        return Shift(estimate, UNKNOWN, math.nan)
    interval = ConfidenceInterval(float(differences[cut - 1]), float(differences[-cut]))
    return Shift(estimate, interval, level)


def count_rank_sums(first: int, second: int) -> list[int]:
    """How many of the orders of two samples, by their sizes, give each value of Mann and Whitney's U, from 0 on."""
    # They are the coefficients of the Gaussian binomial, a product of (1 − q^(second + i)) / (1 − q^i).
    counts = [1] + [0] * (first * second)
    for each in range(1, first + 1):
        for place in range(len(counts) - 1, second + each - 1, -1):
            counts[place] -= counts[place - second - each]
        for place in range(each, len(counts)):
            counts[place] += counts[place - each]
    return counts


def _count_cut(first: int, second: int, confidence: float) -> tuple[int, float]:
    """Which difference, counted from each end, bounds the interval (0 for none), and the interval's level."""
    from scipy import stats

    tail = (1 - confidence) / 2
    if max(first, second) <= LARGEST_EXACT:
        orders = math.comb(first + second, first)
        below = cut = 0
        for count in count_rank_sums(first, second):
            if (below + count) / orders > tail:
                break
            below, cut = below + count, cut + 1
        return cut, 1 - 2 * below / orders
    mean, deviation = first * second / 2, math.sqrt(first * second * (first + second + 1) / 12)
    cut = max(0, math.floor(mean + deviation * float(stats.norm.ppf(tail))))
    return cut, confidence
