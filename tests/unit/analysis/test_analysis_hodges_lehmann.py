"""The Hodges-Lehmann shift with Moses' interval."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from mlperf_logging.analysis.hodges_lehmann import count_rank_sums, estimate_shift

# Permeability of the human placenta at 12 to 26 weeks and at term: Hollander and Wolfe, Nonparametric Statistical
# Methods, example 4.1. The book gives the shift 0.305 and the interval (-0.15, 0.76) at 96 %.
EARLY = [1.15, 0.88, 0.90, 0.74, 1.21]
AT_TERM = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]


def test_shift_of_the_textbook() -> None:
    """Shift, interval and its true level are those of the book."""
    shift = estimate_shift(EARLY, AT_TERM)

    assert shift.estimate == pytest.approx(0.305)
    assert shift.interval == pytest.approx((-0.15, 0.76))
    assert shift.confidence == pytest.approx(0.96, abs=0.001)


@pytest.mark.parametrize(("first", "second"), [(1, 1), (1, 4), (2, 3), (3, 3), (4, 5)])
def test_rank_sums_counted_one_by_one(first: int, second: int) -> None:
    """The counts are those of all ways to put two samples in a row."""
    wanted = [0] * (first * second + 1)
    for places in combinations(range(first + second), first):
        wanted[sum(places) - first * (first - 1) // 2] += 1

    assert count_rank_sums(first, second) == wanted


def test_many_rank_sums_stay_exact() -> None:
    """At fifty a side the counts still add up to the number of orders, to the last one."""
    assert sum(count_rank_sums(50, 50)) == math.comb(100, 50)


def test_interval_holds_what_the_test_does_not_reject() -> None:
    """Shifting one sample by what lies inside the interval is not rejected; by what lies outside, it is."""
    random = np.random.default_rng(3)
    first, second = random.normal(10, 1, 8), random.normal(11, 1, 9)
    shift = estimate_shift(first, second)

    def reject(by: float) -> bool:
        test = stats.mannwhitneyu(first + by, second, method="exact")
        return bool(test.pvalue < 1 - shift.confidence + 1e-12)

    low, high = shift.interval
    assert not reject(low + 1e-6)
    assert not reject(high - 1e-6)
    assert reject(low - 1e-6)
    assert reject(high + 1e-6)


def test_too_few_values_for_an_interval() -> None:
    """Two runs against two say how far apart they are, not how sure that is."""
    shift = estimate_shift([1, 2], [4, 6])

    assert shift.estimate == 3.5
    assert math.isnan(shift.interval.low)
    assert math.isnan(shift.confidence)


def test_large_samples_go_by_the_normal() -> None:
    """Beyond the exact counts the interval agrees with what fifty a side give, to a place in the sorted row."""
    random = np.random.default_rng(1)
    first, second = random.normal(0, 1, 60), random.normal(0.5, 1, 55)
    shift = estimate_shift(first, second)
    differences = np.sort(np.subtract.outer(second, first).ravel())
    mean, deviation = 60 * 55 / 2, math.sqrt(60 * 55 * 116 / 12)
    cut = math.floor(mean - 1.959964 * deviation)

    assert shift.interval == pytest.approx((differences[cut - 1], differences[-cut]))


def test_nothing_has_no_shift() -> None:
    """No runs on a side: no number at all."""
    assert math.isnan(estimate_shift([], [1.0]).estimate)
