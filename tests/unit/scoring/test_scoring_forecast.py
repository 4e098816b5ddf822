"""When a run will converge: what a forecast is made of."""

from __future__ import annotations

import math

import pytest

from mlperf_logging.scoring.forecast import (
    CURVE,
    CURVE_SPREAD,
    LEAST_SPREAD_OF_RUNS,
    OWN_SPREAD,
    REFERENCE,
    REFERENCE_WEIGHT,
    RUNS,
    SUBMISSION_SPREAD,
    GapPoint,
    extend_curves,
    find_step,
    forecast_convergence,
)
from mlperf_logging.scoring.rcp.references import Reference

POINT = Reference(64, 100.0, 5.0, 18)


def gaps(*values: float) -> list[GapPoint]:
    """Evaluations after 1, 2, 3 … of training."""
    return [GapPoint(float(number), value) for number, value in enumerate(values, 1)]


def test_nothing_known_gives_no_forecast() -> None:
    """Without points, finished runs and a curve there is nothing to say."""
    assert forecast_convergence(None) is None


def test_reference_alone_is_its_mean_and_spread() -> None:
    """The reference's runs and what submissions differ by beyond them make the spread."""
    found = forecast_convergence(POINT)

    assert found is not None
    assert found.median == pytest.approx(100)
    assert found.spread == pytest.approx(math.hypot(0.05, SUBMISSION_SPREAD))
    assert found.basis == (REFERENCE,)


def test_finished_runs_outweigh_the_reference() -> None:
    """The reference counts as a quarter of a run; runs that did not converge count for nothing."""
    found = forecast_convergence(POINT, finished=[110.0, 110.0, math.inf])

    assert found is not None
    assert found.center == pytest.approx(
        (REFERENCE_WEIGHT * math.log(100) + 2 * math.log(110)) / (REFERENCE_WEIGHT + 2)
    )
    assert found.spread == pytest.approx(OWN_SPREAD * math.hypot(0.05, SUBMISSION_SPREAD))
    assert (found.basis, found.run_count) == ((REFERENCE, RUNS), 2)


def test_finished_runs_are_enough() -> None:
    """Where the round has no points, finished runs of the same submission tell."""
    found = forecast_convergence(None, finished=[50.0, 200.0])

    assert found is not None
    assert found.median == pytest.approx(100)
    assert (found.spread, found.basis) == (LEAST_SPREAD_OF_RUNS, (RUNS,))


def test_curve_counts_only_where_nothing_else_does() -> None:
    """A curve that is close to its target is extended, unless reference points are known."""
    curve = [GapPoint(amount, math.log(12 / amount)) for amount in (6.0, 7.0, 8.0, 9.0, 10.0)]
    alone = forecast_convergence(None, curves=[curve])
    with_points = forecast_convergence(POINT, curves=[curve])

    assert alone is not None
    assert with_points is not None
    assert math.exp(alone.center) == pytest.approx(12)
    assert (alone.spread, alone.basis) == (CURVE_SPREAD, (CURVE,))
    assert with_points.basis == (REFERENCE,)


def test_ends_are_moved_outward_to_evaluations() -> None:
    """A run converges at an evaluation: low and high are ones, and the interval is not narrower than before."""
    found = forecast_convergence(POINT, after=60, step=7)
    smooth = forecast_convergence(POINT, after=60)

    assert found is not None
    assert smooth is not None
    assert (found.low - 60) % 7 == pytest.approx(0)
    assert (found.high - 60) % 7 == pytest.approx(0)
    assert found.low <= smooth.low
    assert found.high >= smooth.high


def test_run_far_behind_the_reference_is_expected_at_its_next_evaluation_at_the_earliest() -> None:
    """Long after the reference has converged, the forecast stays ahead of the run."""
    found = forecast_convergence(POINT, after=500, step=10)

    assert found is not None
    assert 510 <= found.low <= found.median <= found.high < math.inf


@pytest.mark.parametrize(
    ("curves", "why"),
    [
        ([gaps(3, 2)], "two evaluations"),
        ([gaps(3, 3, 3, 3)], "no progress"),
        ([gaps(1, 2, 3, 4)], "getting worse"),
        ([gaps(9, 8.9, 8.8, 8.7)], "too far away"),
        ([gaps(9, 5, 2, 1), gaps(9, 9, 9, 9)], "one of two metrics stands still"),
        ([], "no curve"),
    ],
)
def test_curve_that_tells_nothing(curves: list[list[GapPoint]], why: str) -> None:
    """A curve that does not lead to its target within twice the training so far is not extended."""
    assert extend_curves(curves) is None, why


def test_slowest_metric_counts() -> None:
    """Of several metrics, the one that needs longest says when all are reached; one that was reached is."""
    fast, slow = gaps(2, 1, -1), [GapPoint(amount, math.log(4 / amount)) for amount in (1.0, 2.0, 3.0)]

    assert extend_curves([fast]) == 3
    assert extend_curves([fast, slow]) == pytest.approx(4)


@pytest.mark.parametrize(("amounts", "step"), [([], 0), ([4], 0), ([4, 8, 12, 13], 4), ([5, 5], 0)])
def test_step_is_the_usual_one(amounts: list[float], step: float) -> None:
    """The usual distance between evaluations; none where there are fewer than two."""
    assert find_step(amounts) == step
