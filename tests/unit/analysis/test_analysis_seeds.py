"""What the seed does."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mlperf_logging.analysis.seeds import SEED_COLUMNS, describe_seed_effect


def make_runs(times: list[float], progress: list[float], seeds: list[str]) -> pd.DataFrame:
    """A table of runs with what the seed effect needs."""
    return pd.DataFrame({"run_minutes": times, "progress_to_quality": progress, "seed": seeds})


def test_time_that_follows_progress_comes_from_learning() -> None:
    """Where each sample takes the same time, all spread is the learning's."""
    progress = [30.0, 32.0, 35.0, 31.0]
    row = describe_seed_effect(make_runs([2 * x for x in progress], progress, list("abcd")), by=[]).iloc[0]

    assert row["share_from_learning"] == pytest.approx(1)
    assert row["share_from_speed"] == pytest.approx(0)
    assert (row["runs"], row["seeds"], row["repeated_seeds"]) == (4, 4, 0)
    assert math.isnan(row["p_value"])


def test_time_at_equal_progress_comes_from_speed() -> None:
    """Where all need the same number of samples, all spread is the machine's."""
    row = describe_seed_effect(make_runs([60.0, 62, 66], [30.0] * 3, list("abc")), by=[]).iloc[0]

    assert row["share_from_learning"] == pytest.approx(0)
    assert row["share_from_speed"] == pytest.approx(1)


def test_shares_the_long_way() -> None:
    """The share is the covariance of log progress with log time over the variance of log time."""
    times, progress = [61.0, 70.0, 66.0, 64.0], [30.0, 33.0, 33.0, 30.0]
    row = describe_seed_effect(make_runs(times, progress, list("abcd")), by=[]).iloc[0]
    log_time, log_progress = np.log(times), np.log(progress)
    deviation = log_time - log_time.mean()
    wanted = (deviation * (log_progress - log_progress.mean())).sum() / (deviation**2).sum()

    assert row["share_from_learning"] == pytest.approx(wanted)
    assert row["share_from_learning"] + row["share_from_speed"] == pytest.approx(1)


def test_repeated_seeds_are_an_analysis_of_variance() -> None:
    """The p-value is that of scipy's one-way test; the components are those that textbooks compute from its mean squares."""
    groups = [[60.0, 61.0, 60.5], [66.0, 65.0], [70.0, 71.5, 70.5, 71.0]]
    times = [time for values in groups for time in values]
    seeds = [str(index) for index, values in enumerate(groups) for _ in values]
    row = describe_seed_effect(make_runs(times, [1.0] * len(times), seeds), by=[]).iloc[0]
    within = sum(np.var(values) * len(values) for values in groups) / (9 - 3)
    between = sum(len(values) * (np.mean(values) - np.mean(times)) ** 2 for values in groups) / 2
    size = (9 - (9 + 4 + 16) / 9) / 2
    component = (between - within) / size

    assert list(row.index) == list(SEED_COLUMNS)
    assert (row["seeds"], row["repeated_seeds"]) == (3, 3)
    assert row["p_value"] == pytest.approx(stats.f_oneway(*groups).pvalue)
    assert row["between_seeds_variance"] == pytest.approx(component)
    assert row["within_seeds_variance"] == pytest.approx(within)
    assert row["share_between_seeds"] == pytest.approx(component / (component + within))


def test_component_is_never_negative() -> None:
    """Seeds that differ less than runs of one seed have a component of 0."""
    row = describe_seed_effect(make_runs([1.0, 3, 1, 3], [1.0] * 4, list("aabb")), by=[]).iloc[0]

    assert row["between_seeds_variance"] == row["share_between_seeds"] == 0
