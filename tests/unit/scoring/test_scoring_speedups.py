"""Speedups over a baseline."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlperf_logging import UsageError
from mlperf_logging.scoring.speedups import compare_speeds

MINUTES = {"old": {"a": 8.0, "b": 6.0}, "new": {"a": 2.0, "b": 6.0, "c": 1.0}, "other": {"a": 16.0}}


def test_speedup_is_the_baselines_time_over_the_other() -> None:
    """Four times as fast in one benchmark, as fast in another: twice as fast on the geometric mean."""
    table = compare_speeds(MINUTES)

    assert (table.baseline, table.columns) == ("old", ("old", "new", "other"))
    assert table.speedups["a"] == {"old": 1, "new": 4, "other": 0.5}
    assert table.means["new"] == (pytest.approx(2), 2)
    assert table.means["other"] == (0.5, 1)


def test_benchmark_without_a_baseline_has_no_speedup() -> None:
    """A result that the baseline lacks is listed, and is not part of the mean."""
    table = compare_speeds(MINUTES)

    assert table.minutes["c"] == {"new": 1}
    assert table.speedups["c"] == {}


def test_baseline_may_be_chosen() -> None:
    """Any column can be the one that the others are compared with, and it stands first."""
    table = compare_speeds(MINUTES, "other")

    assert table.columns == ("other", "old", "new")
    assert table.speedups["a"]["new"] == 8


@pytest.mark.parametrize(
    ("minutes", "baseline", "says"),
    [({"one": {"a": 1.0}}, None, "at least two"), (MINUTES, "nothing", "unknown baseline 'nothing'")],
)
def test_what_cannot_be_compared_is_said(
    minutes: dict[str, dict[str, float]], baseline: str | None, says: str
) -> None:
    """One column, or a baseline that is not there."""
    with pytest.raises(UsageError, match=says):
        compare_speeds(minutes, baseline)


@given(st.lists(st.tuples(st.floats(0.1, 100), st.floats(0.1, 100)), min_size=1, max_size=8))
def test_speedups_are_inverse_to_each_other(pairs: list[tuple[float, float]]) -> None:
    """Exchanging the two systems inverts the mean speedup."""
    minutes = {
        name: {str(index): pair[side] for index, pair in enumerate(pairs)}
        for side, name in enumerate(("left", "right"))
    }
    there, back = compare_speeds(minutes, "left"), compare_speeds(minutes, "right")

    assert there.means["right"][0] * back.means["left"][0] == pytest.approx(1)
