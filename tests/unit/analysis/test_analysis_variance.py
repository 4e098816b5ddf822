"""Run-to-run variance: expected tables computed the long way."""

from __future__ import annotations

import statistics

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mlperf_logging.analysis.variance import VARIANCE_COLUMNS, VarianceParameters, describe_variance
from mlperf_logging.errors import UsageError

LEFT = [100.0, 104.0, 96.0, 111.0, 100.0]
RIGHT = [50.0]
FEW = VarianceParameters(resamples=499)


@pytest.fixture
def runs() -> pd.DataFrame:
    """Five runs of one system and one of another, mixed, with a run without a time."""
    systems = ["left", "right", *["left"] * 4, "left"]
    times = [LEFT[0], RIGHT[0], *LEFT[1:], None]
    return pd.DataFrame({"benchmark": "knitting", "submitter": "us", "system": systems, "run_minutes": times})


def test_table_the_long_way(runs: pd.DataFrame) -> None:
    """Every figure of a group is what the statistics module, scipy and counting give."""
    table = describe_variance(runs, parameters=FEW)
    row = table.iloc[0]
    mean, deviation = statistics.mean(LEFT), statistics.stdev(LEFT)
    half = stats.t.ppf(0.975, 4) * deviation / 5**0.5

    assert list(table.columns) == ["benchmark", "submitter", "system", *VARIANCE_COLUMNS]
    assert row[["benchmark", "submitter", "system"]].tolist() == ["knitting", "us", "left"]
    wanted = {
        "runs": 5,
        "mean": mean,
        "median": 100.0,
        "standard_deviation": deviation,
        "coefficient_of_variation": deviation / mean,
        "minimum": 96.0,
        "maximum": 111.0,
        "mean_t_low": mean - half,
        "mean_t_high": mean + half,
        "outliers": 1,
        "share_within_5_percent": 4 / 5,
        "share_within_10_percent": 4 / 5,
    }
    assert row[list(wanted)].astype(float).to_dict() == pytest.approx(wanted)
    assert row["mean_bootstrap_low"] < mean < row["mean_bootstrap_high"]
    assert row["median_bootstrap_low"] <= 100.0 <= row["median_bootstrap_high"]


def test_one_run_says_nothing_of_the_spread(runs: pd.DataFrame) -> None:
    """A single run has a mean and nothing that needs a second one."""
    row = describe_variance(runs, parameters=FEW).iloc[1]

    assert row["mean"] == row["median"] == 50.0
    unknown = [
        name for name in VARIANCE_COLUMNS if name not in ("runs", "mean", "median", "minimum", "maximum")
    ]
    assert row[[name for name in unknown if name != "outliers"]].isna().all()


def test_center_may_be_the_mean(runs: pd.DataFrame) -> None:
    """Around the mean of 102.2, 97.09 to 107.31 are within 5 %: 100, 104 and 100."""
    row = describe_variance(runs, parameters=VarianceParameters(resamples=9, center="mean")).iloc[0]

    assert row["share_within_5_percent"] == 3 / 5
    assert row["share_within_10_percent"] == 5 / 5


def test_value_at_the_limit_counts() -> None:
    """105 of a median of 100 is within 5 %, whatever the last binary digit of 0.05 · 100 is."""
    runs = pd.DataFrame({"time": [100.0, 105.0, 95.0, 100.0, 105.0 + 1e-6]})

    assert describe_variance(runs, "time", by=[], parameters=FEW)["share_within_5_percent"].item() == 4 / 5


def test_groups_do_not_depend_on_each_other(runs: pd.DataFrame) -> None:
    """A group's figures, the drawn ones too, are the same whatever other groups the table holds."""
    alone = describe_variance(runs[runs["system"] == "left"], parameters=FEW)

    pd.testing.assert_frame_equal(alone, describe_variance(runs, parameters=FEW).iloc[:1])


def test_seed_may_be_a_generator() -> None:
    """Two generators in the same state agree; one that was drawn from gives other intervals."""
    runs = pd.DataFrame({"time": np.random.default_rng(1).normal(100, 5, 12)})
    generator = np.random.default_rng(7)

    def describe(seed: np.random.Generator) -> pd.DataFrame:
        parameters = VarianceParameters(resamples=199, seed=seed)
        return describe_variance(runs, "time", by=[], parameters=parameters)

    first, second, again = describe(generator), describe(generator), describe(np.random.default_rng(7))

    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(second)


def test_missing_column_is_named(runs: pd.DataFrame) -> None:
    """The message says which column is missing and which there are."""
    with pytest.raises(UsageError, match="no column 'epochs'; it has benchmark"):
        describe_variance(runs, "epochs")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"confidence": 2}, "not between 0 and 1"),
        ({"resamples": 0}, "resamples"),
        ({"outliers": "eye"}, "known: tukey"),
        ({"center": "mode"}, "'median' or 'mean'"),
        ({"precision": 0}, "not positive"),
    ],
)
def test_parameters_that_make_no_sense(wrong: dict[str, object], said: str) -> None:
    """Each wrong parameter is one sentence."""
    with pytest.raises(UsageError, match=said):
        VarianceParameters(**wrong)


@pytest.mark.parametrize("seed", [-1, "seven", True])
def test_seed_that_is_none(runs: pd.DataFrame, seed: object) -> None:
    """A seed is a number of 0 or more, or a generator."""
    with pytest.raises(UsageError, match="seed"):
        describe_variance(runs, parameters=VarianceParameters(resamples=9, seed=seed))
