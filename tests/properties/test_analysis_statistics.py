"""Statistics of runs: what must hold whatever the runs took, and how often intervals hold what they should."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlperf_logging.analysis.comparison import compare_systems
from mlperf_logging.analysis.hodges_lehmann import count_rank_sums, estimate_shift
from mlperf_logging.analysis.intervals import count_runs_needed, find_bootstrap_interval, find_t_interval
from mlperf_logging.analysis.outliers import METHODS, mark_outliers
from mlperf_logging.analysis.parameters import BootstrapParameters
from mlperf_logging.analysis.variance import VarianceParameters, describe_variance

times = st.lists(st.floats(0.5, 5_000).map(lambda x: round(x, 3)), min_size=2, max_size=12)
scales = st.sampled_from([2.0**-10, 0.25, 64.0, 1024.0])
"""Powers of two: they change no last digit, on which the bootstrap's ties would hang."""
FEW = VarianceParameters(resamples=49)
UNSCALED = {
    "runs",
    "outliers",
    "coefficient_of_variation",
    "share_within_5_percent",
    "share_within_10_percent",
    "runs_needed",
}


def describe(values: list[float]) -> pd.Series:
    """The row of one group."""
    return (
        describe_variance(pd.DataFrame({"time": values}), "time", by=[], parameters=FEW).iloc[0].astype(float)
    )


def compare(first: list[float], second: list[float]) -> pd.Series:
    """The row of one comparison."""
    tables = [pd.DataFrame({"time": values}) for values in (first, second)]
    few = BootstrapParameters(resamples=49)
    return compare_systems(*tables, "time", by=[], parameters=few).iloc[0].astype(float)


@settings(max_examples=40)
@given(values=times, random=st.randoms(use_true_random=False))
def test_order_of_runs_is_irrelevant(values: list[float], random: object) -> None:
    """Runs in another order give the same row, the drawn intervals too."""
    mixed = list(values)
    random.shuffle(mixed)  # type: ignore[attr-defined]

    pd.testing.assert_series_equal(describe(values), describe(mixed), rtol=1e-12)


@settings(max_examples=40)
@given(values=times, scale=scales)
def test_variance_scales_with_time(values: list[float], scale: float) -> None:
    """In a unit half as large, times are twice as large; shares, counts and the variation stay."""
    first, second = describe(values), describe([value * scale for value in values])
    unscaled = [name for name in first.index if name in UNSCALED - {"runs_needed", "outliers"}]
    scaled = [name for name in first.index if name not in UNSCALED]

    pd.testing.assert_series_equal(first[unscaled], second[unscaled], rtol=1e-6, atol=1e-12)
    pd.testing.assert_series_equal(first[scaled] * scale, second[scaled], rtol=1e-6, atol=1e-9)


@settings(max_examples=40)
@given(first=times, second=times, scale=scales)
def test_comparison_scales_and_turns_round(first: list[float], second: list[float], scale: float) -> None:
    """Ratios do not know the unit; changing sides turns shift and ratio round and leaves p as it is."""
    row = compare(first, second)
    scaled = compare([x * scale for x in first], [x * scale for x in second])
    turned = compare(second, first)

    assert scaled["speedup"] == pytest.approx(row["speedup"])
    assert scaled["shift"] == pytest.approx(row["shift"] * scale, abs=1e-9)
    assert turned["shift"] == pytest.approx(-row["shift"])
    assert turned["speedup"] == pytest.approx(1 / row["speedup"])
    assert turned["pair_ratio"] == pytest.approx(1 / row["pair_ratio"])
    assert turned["p_value"] == pytest.approx(row["p_value"])
    if not math.isnan(row["shift_low"]):
        assert row["shift_low"] <= row["shift"] + 1e-9
        assert row["shift"] <= row["shift_high"] + 1e-9
        assert turned["shift_low"] == pytest.approx(-row["shift_high"])


@given(values=times, method=st.sampled_from(sorted(METHODS)), random=st.randoms(use_true_random=False))
def test_outliers_go_with_their_runs(values: list[float], method: str, random: object) -> None:
    """In another order the same values are marked; fewer than half of them ever are."""
    mixed = list(values)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    marked = [sorted(np.asarray(each)[mark_outliers(each, method)]) for each in (values, mixed)]

    assert marked[0] == marked[1]
    assert len(marked[0]) <= len(values) / 2


@given(variation=st.floats(0, 2), precision=st.floats(0.01, 0.5))
def test_runs_needed_are_enough_and_one_fewer_is_not(variation: float, precision: float) -> None:
    """The number of runs that is given suffices, and it is the smallest that does."""
    from scipy import stats

    runs = int(count_runs_needed(variation, precision))

    def half_width(count: int) -> float:
        return float(stats.t.ppf(0.975, count - 1)) * variation / math.sqrt(count)

    assert half_width(runs) <= precision
    assert runs == 2 or half_width(runs - 1) > precision


@given(first=st.integers(1, 12), second=st.integers(1, 12))
def test_rank_sums_are_a_distribution(first: int, second: int) -> None:
    """Counts are positive, symmetric, and as many as there are orders."""
    counts = count_rank_sums(first, second)

    assert min(counts) > 0
    assert counts == counts[::-1]
    assert counts == count_rank_sums(second, first)
    assert sum(counts) == math.comb(first + second, first)


def error_of(share: float, draws: int) -> float:
    """Four standard errors of a simulated share: by chance alone, one in ten thousand is further off."""
    return 4 * math.sqrt(share * (1 - share) / draws)


@pytest.mark.parametrize("runs", [2, 5, 10])
def test_t_interval_covers_the_mean_of_normal_runs(runs: int) -> None:
    """Of 4,000 seeded sets of normal runs, 95 % of the intervals hold the mean, within the simulation's error."""
    draws = 4_000
    sets = np.random.default_rng(runs).normal(100, 7, (draws, runs))
    held = sum(low <= 100 <= high for low, high in map(find_t_interval, sets)) / draws

    assert held == pytest.approx(0.95, abs=error_of(0.95, draws))


def test_shift_interval_covers_at_its_true_level() -> None:
    """Of 3,000 seeded pairs of exponential runs, the interval of the shift covers as often as it says."""
    draws = 3_000
    random = np.random.default_rng(11)
    first, second = random.exponential(5, (draws, 5)), random.exponential(5, (draws, 6)) + 3
    shifts = [estimate_shift(a, b) for a, b in zip(first, second, strict=True)]
    level = shifts[0].confidence
    held = sum(shift.interval.low <= 3 <= shift.interval.high for shift in shifts) / draws

    assert level >= 0.95
    assert held == pytest.approx(level, abs=error_of(level, draws))


def test_bootstrap_covers_with_many_runs_and_is_narrow_with_few() -> None:
    """With 40 runs the bootstrap covers about as it says; with 5 it does not, which its description admits."""
    draws, generator = 400, np.random.default_rng(5)

    def cover(runs: int) -> float:
        sets = generator.normal(100, 7, (draws, runs))
        intervals = [
            find_bootstrap_interval([each], np.mean, BootstrapParameters(resamples=399), seed)
            for seed, each in enumerate(sets)
        ]
        return sum(low <= 100 <= high for low, high in intervals) / draws

    assert cover(40) == pytest.approx(0.94, abs=error_of(0.94, draws))
    assert cover(5) == pytest.approx(0.85, abs=error_of(0.85, draws))
