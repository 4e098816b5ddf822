"""Two systems side by side."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mlperf_logging.analysis.comparison import COMPARISON_COLUMNS, compare_systems
from mlperf_logging.analysis.parameters import BootstrapParameters
from mlperf_logging.errors import UsageError

FEW = BootstrapParameters(resamples=499)
SLOW = [120.0, 122.0, 125.0, 119.0, 131.0]
FAST = [60.0, 63.0, 58.0, 66.0, 61.0, 59.5]


def make_runs(times: list[float], benchmark: str = "knitting") -> pd.DataFrame:
    """A table of runs with nothing but a time."""
    return pd.DataFrame({"benchmark": benchmark, "run_minutes": times})


def test_figures_are_those_of_scipy_and_of_counting() -> None:
    """U and p are scipy's, the shift is the median of all differences, the speedup the ratio of means."""
    table = compare_systems(make_runs(SLOW), make_runs(FAST), parameters=FEW)
    row = table.iloc[0]
    test = stats.mannwhitneyu(SLOW, FAST, method="exact")
    differences = [b - a for a in SLOW for b in FAST]
    ratios = [a / b for a in SLOW for b in FAST]

    assert list(table.columns) == ["benchmark", *COMPARISON_COLUMNS]
    assert (row["runs_a"], row["runs_b"]) == (5, 6)
    assert (row["mann_whitney_u"], row["p_value"]) == pytest.approx((test.statistic, test.pvalue))
    assert row["share_of_pairs_b_smaller"] == 1.0
    assert row["shift"] == pytest.approx(np.median(differences))
    assert row["speedup"] == pytest.approx(np.mean(SLOW) / np.mean(FAST))
    assert row["pair_ratio"] == pytest.approx(math.exp(np.median(np.log(ratios))))
    for name in ("shift", "speedup", "pair_ratio"):
        assert row[f"{name}_low"] < row[name] < row[f"{name}_high"]
    assert 0.95 <= row["interval_confidence"] < 1


def test_ties_take_the_normal() -> None:
    """Equal times on both sides have no exact p; scipy's asymptotic one stands in its place."""
    row = compare_systems(make_runs([1, 2, 2, 3]), make_runs([2, 3, 4, 4]), parameters=FEW).iloc[0]
    test = stats.mannwhitneyu([1, 2, 2, 3], [2, 3, 4, 4], method="asymptotic")

    assert row["p_value"] == pytest.approx(test.pvalue)


def test_what_may_be_negative_has_no_ratio() -> None:
    """A column with values of 0 or less is compared by differences only."""
    row = compare_systems(make_runs([0.0, 1, 2, 3]), make_runs([5.0, 6, 7, 8]), parameters=FEW).iloc[0]

    assert row["shift"] == 5
    assert math.isnan(row["speedup"])
    assert math.isnan(row["pair_ratio_low"])


def test_only_shared_benchmarks_are_compared() -> None:
    """A benchmark that one side lacks is left out; where none is shared, the message says what each has."""
    both = pd.concat([make_runs(SLOW), make_runs(SLOW, "weaving")])

    assert compare_systems(both, make_runs(FAST), parameters=FEW)["benchmark"].tolist() == ["knitting"]
    with pytest.raises(UsageError, match="A has knitting; B has weaving"):
        compare_systems(make_runs(SLOW), make_runs(FAST, "weaving"))


def test_equal_seeds_agree() -> None:
    """The bootstrapped interval comes out the same again."""
    first, second = (compare_systems(make_runs(SLOW), make_runs(FAST), parameters=FEW) for _ in range(2))

    pd.testing.assert_frame_equal(first, second)


def test_side_without_times_has_no_figures() -> None:
    """Runs without a time are counted as none."""
    row = compare_systems(make_runs([math.nan]), make_runs(FAST), parameters=FEW).iloc[0]

    assert (row["runs_a"], row["runs_b"]) == (0, 6)
    assert math.isnan(row["p_value"])
