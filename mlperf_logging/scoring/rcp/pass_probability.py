"""The chance to pass the test of convergence with some of the runs still to come, by simulation.

The test takes a submission to spread as the reference does, and so does the simulation. What is not known is the
submission's own mean: after k runs it is normal around theirs, with the deviation over the root of k. A coming run
is drawn from around a mean that is drawn from there; it fails to converge as often as the runs that are done. Of a
run that goes on, a forecast says what it may come to (see `forecast`); what is drawn from it counts like a run that is done.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import NamedTuple

from mlperf_logging.scoring.means import olympic_mean, population_deviation
from mlperf_logging.scoring.rcp.references import Reference
from mlperf_logging.scoring.requirements import Requirement

DRAWS = 10_000


class PassProbability(NamedTuple):
    """What a simulation says of a submission that is not complete.

    Attributes:
        done: runs that are done.
        required: runs that a result needs.
        probability: share of the simulated submissions that pass.
        standard_error: of that share, from the number of draws.
        mean_low: the submission's mean that 5 % of the simulated ones stay below, in the table's unit.
        mean_high: the one that 95 % stay below; infinite where so many have too many failed runs.
        draws: simulated submissions.
        seed: of the random numbers.
    """

    done: int
    required: int
    probability: float
    standard_error: float
    mean_low: float
    mean_high: float
    draws: int
    seed: int


def simulate_pass_probability(
    converged_at: Sequence[float],
    reference: Reference,
    acceptable: float,
    requirement: Requirement,
    *,
    running: Sequence[Sequence[float]] = (),
    seed: int = 0,
    draws: int = DRAWS,
) -> PassProbability:
    """The chance that a submission passes when its remaining runs are done; the same seed gives the same answer.

    Args:
        converged_at: where each run that is done converged; infinity for one that did not.
        reference: the reference of the batch size.
        acceptable: the smallest mean that passes.
        requirement: how often the benchmark is run.
        running: for each run that goes on, amounts that it may come to, each as likely as the others.
        seed: of the random numbers.
        draws: submissions that are simulated.

    Raises:
        ValueError: no run has converged or goes on, or there are no draws.
    """
    known = [each for each in converged_at if math.isfinite(each)]
    if not known and not running:
        raise ValueError("no run has converged yet, so there is nothing to go by")
    if draws < 1:
        raise ValueError(f"a simulation needs at least one draw, not {draws}")
    rng = random.Random(seed)  # noqa: S311 - statistics, no secret
    deviation = reference.deviation or (population_deviation(known) if known else 0.0)
    done = len(converged_at) + len(running)
    error = deviation / math.sqrt(len(known) + len(running))
    failing = 1 - len(known) / len(converged_at) if converged_at else 0.0
    coming = max(requirement.required - done, 0)
    going, center = converged_at, _average(known)
    means = []
    passed = 0
    for _ in range(draws):
        if running:
            going = [*converged_at, *map(rng.choice, running)]
            center = _average([each for each in going if math.isfinite(each)])
        mean_of_runs = rng.gauss(center, error)
        drawn = [
            math.inf if rng.random() < failing else max(0.0, rng.gauss(mean_of_runs, deviation))
            for _ in range(coming)
        ]
        runs = [*going, *drawn]
        mean = olympic_mean(runs, requirement.olympic_dropped)
        failed = sum(map(math.isinf, runs))
        if mean is None or failed > requirement.max_failures:
            mean = math.inf
        else:
            passed += mean >= acceptable
        means.append(mean)
    means.sort()
    share = passed / draws
    return PassProbability(
        done=len(converged_at),
        required=requirement.required,
        probability=share,
        standard_error=math.sqrt(share * (1 - share) / draws),
        mean_low=means[int(0.05 * (draws - 1))],
        mean_high=means[int(0.95 * (draws - 1))],
        draws=draws,
        seed=seed,
    )


def _average(amounts: Sequence[float]) -> float:
    return sum(amounts) / len(amounts) if amounts else math.nan
