"""Means and bands of many curves, and limits that a few values far off do not set."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from mlperf_logging.analysis.curves import Limits, average_curves, find_limits


def test_mean_of_curves_by_hand() -> None:
    """Between its points a curve is straight; beyond its ends it does not count; equal places count as their mean."""
    rows = pd.DataFrame(
        {
            "path": ["a", "a", "b", "b", "b", "c"],
            "samples": [0.0, 2.0, 1.0, 2.0, 2.0, math.nan],
            "value": [0.0, 4.0, 6.0, 7.0, 9.0, 5.0],
        }
    )
    found = average_curves(rows, "samples", "value")

    assert found["samples"].tolist() == [0, 1, 2]
    assert found["mean"].tolist() == [0, 4, 6]
    assert found["runs"].tolist() == [1, 2, 2]
    assert found["low"].tolist() == pytest.approx([0, 2.4, 4.4])
    assert found["high"].tolist() == pytest.approx([0, 5.6, 7.6])


def test_long_curves_have_two_hundred_places() -> None:
    """Of curves with more points, the mean has evenly spaced places from the first to the last."""
    rows = pd.DataFrame({"path": "a", "samples": range(1_000), "value": range(1_000)})
    found = average_curves(rows, "samples", "value")

    assert (len(found), found["samples"].iloc[0], found["samples"].iloc[-1]) == (200, 0, 999)
    assert found["mean"].tolist() == pytest.approx(found["samples"].tolist())


@pytest.mark.parametrize(
    ("values", "wanted", "limits"),
    [
        ([*[0.9, 0.91] * 50, 0.0], [], Limits(0.9, 0.91, 1)),
        ([*[0.9, 0.91] * 50, 7.0], [], Limits(0.9, 0.91, 1)),
        ([*[0.9, 0.91] * 50, 0.0], [0.95], Limits(0.9, 0.95, 1)),
        ([*[0.9, 0.91] * 50, 0.0], [0.0], Limits(0.0, 0.91, 0)),
        ([*[0.9, 0.91] * 50, 0.89], [], Limits(0.89, 0.91, 0)),
        ([*[0.9, 0.91] * 50, 0.0, 0.0, 0.0], [], Limits(0.0, 0.91, 0)),
        ([*[0.9, 0.91] * 10, 0.0], [], Limits(0.0, 0.91, 0)),
        ([*[5.0] * 99, 0.0], [], Limits(0.0, 5.0, 0)),
        ([math.nan, math.inf, -1.7e308, 1.0, 2.0], [], Limits(1.0, 2.0, 2)),
        ([math.inf], [], Limits(0.0, 1.0, 1)),
        ([], [], Limits(0.0, 1.0, 0)),
    ],
)
def test_limits(values: list[float], wanted: list[float], limits: Limits) -> None:
    """A hundredth of the values may lie outside where they would flatten the others; few, or more, do not."""
    assert find_limits(values, wanted) == limits
