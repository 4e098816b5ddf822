"""The chance that a submission passes the test of reference convergence while some of its runs go on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from mlperf_logging.scoring.forecast import Convergence
from mlperf_logging.scoring.live_runs import Expectation
from mlperf_logging.scoring.rcp.pass_probability import PassProbability, simulate_pass_probability

LIVE_DRAWS = 2_000
"""Submissions that are simulated for one answer; it is renewed whenever a run has told something new."""

_AMOUNTS = 64
"""So many amounts stand for the distribution of where a run will converge."""


class LiveSubmission(NamedTuple):
    """The runs of one benchmark in one folder, finished and going on.

    Attributes:
        folder: where the logs are.
        benchmark: the benchmark.
        ruleset: ``usage/round``.
        batch_size: samples in a step.
        required: runs that a result needs; None where the rules do not say.
        converged_at: where each finished run converged, in the reference's unit; infinite for one that did not.
        running: runs that go on and have a forecast.
        chance: the chance to pass, see `simulate_pass_probability`; None where there is nothing to go by.
        no_chance: why there is none; empty where there is.
    """

    folder: str
    benchmark: str
    ruleset: str
    batch_size: float
    required: int | None
    converged_at: tuple[float, ...]
    running: int
    chance: PassProbability | None
    no_chance: str = ""


def judge_live_submission(
    folder: str,
    benchmark: str,
    ruleset: str,
    batch_size: float,
    expectation: Expectation,
    converged_at: Sequence[float],
    forecasts: Sequence[Convergence],
    *,
    seed: int = 0,
    draws: int = LIVE_DRAWS,
) -> LiveSubmission:
    """The chance of a submission to pass.

    Args:
        folder: where its logs are.
        benchmark: its benchmark.
        ruleset: ``usage/round``.
        batch_size: samples in a step.
        expectation: what the reference says of its runs.
        converged_at: where finished runs converged, as the test counts it; infinite for one that did not.
        forecasts: of the runs that go on.
        seed: of the random numbers.
        draws: submissions that are simulated.
    """
    acceptance, requirement = expectation.acceptance, expectation.requirement
    required = requirement.required if requirement is not None else None
    found = LiveSubmission(
        folder, benchmark, ruleset, batch_size, required, tuple(converged_at), len(forecasts), None
    )
    reference = acceptance.match.reference if acceptance is not None else None
    if acceptance is None or acceptance.mean is None or reference is None or requirement is None:
        return found._replace(no_chance=expectation.reason)
    if not forecasts and not any(map(math.isfinite, converged_at)):
        return found._replace(no_chance="no run has converged or has a forecast")
    running = [
        [forecast.quantile((number + 0.5) / _AMOUNTS) for number in range(_AMOUNTS)] for forecast in forecasts
    ]
    chance = simulate_pass_probability(
        converged_at, reference, acceptance.mean, requirement, running=running, seed=seed, draws=draws
    )
    return found._replace(chance=chance)
