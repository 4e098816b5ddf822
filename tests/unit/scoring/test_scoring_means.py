"""Means that the rules define."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlperf_logging.scoring.means import (
    find_median_window,
    geometric_mean,
    median,
    olympic_mean,
    population_deviation,
    trim,
)

MINUTES = st.lists(st.floats(0.001, 1e6), min_size=3, max_size=60)


def test_olympic_mean_drops_the_fastest_and_the_slowest() -> None:
    """Five runs: the mean of the middle three."""
    assert olympic_mean([10, 1, 3, 2, 4]) == 3


def test_olympic_mean_may_drop_more_on_each_side() -> None:
    """Forty runs of which four are dropped on each side: the mean of thirty-two."""
    runs = list(range(1, 41))

    assert olympic_mean(runs, 4) == statistics.fmean(range(5, 37))


@pytest.mark.parametrize(("values", "dropped"), [([], 0), ([], 1), ([1], 1), ([1, 2], 1), ([1] * 8, 4)])
def test_nothing_left_is_no_mean(values: list[float], dropped: int) -> None:
    """Where everything is dropped there is no mean."""
    assert olympic_mean(values, dropped) is None


def test_run_without_a_time_counts_as_the_slowest() -> None:
    """One infinite run is dropped; two leave an infinite mean."""
    assert olympic_mean([1, 2, 3, 4, math.inf]) == 3
    assert olympic_mean([1, 2, 3, math.inf, math.inf]) == math.inf


def test_trim_says_which_values_it_kept() -> None:
    """Positions of the kept runs, so that energy can be averaged over the same ones."""
    trimmed = trim([5, 9, 1, 7])

    assert trimmed is not None
    assert (trimmed.mean, trimmed.kept) == (6, (0, 3))


@given(MINUTES, st.randoms())
def test_order_of_the_runs_is_irrelevant(minutes: list[float], random: object) -> None:
    """An olympic mean does not depend on which run was made first."""
    shuffled = list(minutes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert olympic_mean(shuffled) == olympic_mean(minutes)


@given(MINUTES, st.floats(0.01, 100))
def test_mean_scales_with_its_values(minutes: list[float], factor: float) -> None:
    """In another unit the mean is the same time."""
    scaled = olympic_mean([factor * each for each in minutes])

    assert scaled == pytest.approx(factor * (olympic_mean(minutes) or 0))


@given(MINUTES)
def test_mean_lies_within_the_values(minutes: list[float]) -> None:
    """An olympic mean is between the second fastest and the second slowest run."""
    ordered = sorted(minutes)
    mean = olympic_mean(minutes)

    assert mean is not None
    assert ordered[1] * (1 - 1e-12) <= mean <= ordered[-2] * (1 + 1e-12)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_median_is_that_of_the_standard_library(values: list[float]) -> None:
    """The middle value, or the mean of the two middle ones."""
    assert median(values) == pytest.approx(statistics.median(values))


def test_median_of_nothing_is_none() -> None:
    """No runs have no median."""
    assert median([]) is None


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30))
def test_deviation_divides_by_the_number_of_values(values: list[float]) -> None:
    """The deviation is that of the population, as the reference points' is."""
    assert population_deviation(values) == pytest.approx(statistics.pstdev(values), abs=1e-9)


@pytest.mark.parametrize(
    ("scores", "window"),
    [
        ([3.0, 1.0, 2.0], 2),
        ([4.0, 1.0, 2.0, 3.0], 3),
        ([2.0, math.inf, 1.0], 0),
        ([math.inf, 1.0, math.inf], 0),
        ([5.0, 5.0, 5.0], 0),
        ([7.0], 0),
    ],
)
def test_window_of_the_median_score(scores: list[float], window: int) -> None:
    """The median of all windows; of two in the middle the slower, of equal ones the first, invalid ones last."""
    assert find_median_window(scores) == window


@given(st.lists(st.one_of(st.floats(0.1, 100), st.just(math.inf)), min_size=1, max_size=20))
def test_half_of_the_windows_are_as_fast_as_the_chosen_one(scores: list[float]) -> None:
    """Neither the luckiest nor the unluckiest window is chosen."""
    chosen = scores[find_median_window(scores)]

    assert sum(score <= chosen for score in scores) * 2 >= len(scores)
    assert sum(score >= chosen for score in scores) * 2 >= len(scores)


def test_geometric_mean_by_hand() -> None:
    """The cube root of 2 · 4 · 8 is 4; with weights 3 and 1, 2 and 32 give 4."""
    assert geometric_mean([2, 4, 8]) == pytest.approx(4)
    assert geometric_mean([2, 32], [3, 1]) == pytest.approx(4)


@given(
    st.lists(st.tuples(st.floats(1e-3, 1e3), st.floats(0.01, 10)), min_size=1, max_size=12),
    st.floats(0.1, 10),
)
def test_geometric_mean_scales_and_ignores_the_scale_of_weights(
    pairs: list[tuple[float, float]], factor: float
) -> None:
    """Speedups multiply through, and only the ratio of weights matters."""
    values, weights = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    mean = geometric_mean(values, weights)

    assert geometric_mean([factor * each for each in values], weights) == pytest.approx(factor * mean)
    assert geometric_mean(values, [factor * each for each in weights]) == pytest.approx(mean)
    assert min(values) * (1 - 1e-9) <= mean <= max(values) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("values", "weights", "says"),
    [
        ([], None, "at least one value"),
        ([1, 2], [1], "a weight for each"),
        ([1, 0], None, "positive values"),
        ([1, math.nan], None, "positive values"),
        ([1, 2], [1, -1], "weights must not be negative"),
        ([1, 2], [0, 0], "weights must not be negative, and not all zero"),
    ],
)
def test_geometric_mean_refuses_what_has_none(
    values: list[float], weights: list[float] | None, says: str
) -> None:
    """No values, no positive values, and weights that do not fit are told."""
    with pytest.raises(ValueError, match=says):
        geometric_mean(values, weights)
