"""The chance of a submission whose runs go on."""

from __future__ import annotations

import math

import pytest

from mlperf_logging.scoring.forecast import Convergence
from mlperf_logging.scoring.live_runs import Expectation
from mlperf_logging.scoring.live_submissions import LiveSubmission, judge_live_submission
from mlperf_logging.scoring.rcp.pass_probability import simulate_pass_probability
from mlperf_logging.scoring.rcp.points import ReferencePoint, ReferenceTable
from mlperf_logging.scoring.rcp.test import find_acceptance
from mlperf_logging.scoring.requirements import Requirement

TEN = Requirement(10)
TABLE = ReferenceTable("knitting", "epochs", 0.0, (ReferencePoint(64, tuple(range(90, 111))),))
ACCEPTANCE = find_acceptance(TABLE, 64, TEN)
EXPECTED = Expectation(TABLE, ACCEPTANCE, TEN)


def at(amount: float, spread: float = 1e-6) -> Convergence:
    """A forecast that is all but certain, unless it is spread."""
    return Convergence(math.log(amount), spread, 0.0, 0.0, ())


def judge(
    converged_at: list[float], forecasts: list[Convergence], expectation: Expectation = EXPECTED
) -> LiveSubmission:
    """The chance with these runs."""
    return judge_live_submission(
        "results", "knitting", "training/9.9", 64, expectation, converged_at, forecasts, draws=4_000
    )


def probability(converged_at: list[float], forecasts: list[Convergence]) -> float:
    """The chance as a number."""
    chance = judge(converged_at, forecasts).chance
    assert chance is not None
    return chance.probability


def test_certain_forecasts_count_as_finished_runs() -> None:
    """A run whose end is all but certain gives the chance that a finished one gives."""
    done = [97.0, 98.0, 99.0]

    assert probability(done, [at(96), at(97)]) == pytest.approx(
        probability([*done, 96.0, 97.0], []), abs=0.03
    )


def test_running_runs_alone_give_a_chance() -> None:
    """Before any run has ended, the forecasts are what there is to go by: slow runs pass, fast ones do not."""
    assert probability([], [at(130), at(130)]) > 0.95
    assert probability([], [at(70), at(70)]) < 0.05


def test_wide_forecasts_make_the_outcome_less_certain() -> None:
    """The less is known of the runs that go on, the nearer to an even chance."""
    narrow, wide = probability([], [at(130)] * 3), probability([], [at(130, 0.5)] * 3)

    assert narrow > wide


def test_all_runs_finished_is_certain() -> None:
    """With all runs done, the test's answer is certain."""
    assert probability([100.0] * 10, []) == 1
    assert probability([80.0] * 10, []) == 0


def test_too_many_failed_runs_cannot_pass() -> None:
    """Two runs that did not converge are one too many."""
    assert probability([math.inf, math.inf, *[100.0] * 4], [at(100)]) == 0


def test_nothing_to_go_by() -> None:
    """Without a finished or forecast run there is no chance to tell; nor without points, and the reason is theirs."""
    nothing = judge([math.inf], [])
    without = judge([100.0], [], Expectation(reason="no points"))

    assert (nothing.chance, nothing.no_chance) == (None, "no run has converged or has a forecast")
    assert (without.chance, without.no_chance, without.required) == (None, "no points", None)


def test_simulation_without_running_runs_is_as_it_was() -> None:
    """That some runs may go on changes no figure of finished ones."""
    reference = ACCEPTANCE.match.reference
    assert reference is not None
    assert ACCEPTANCE.mean is not None
    found = simulate_pass_probability([98.0, 101.0, 95.0], reference, ACCEPTANCE.mean, TEN, draws=500)

    assert (found.done, found.required, found.draws) == (3, 10, 500)
    with pytest.raises(ValueError, match="no run has converged"):
        simulate_pass_probability([math.inf], reference, ACCEPTANCE.mean, TEN)
