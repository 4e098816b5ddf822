"""The test of convergence on a result folder: what is tested against what, or why nothing can be."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from mlperf_logging.events import Division
from mlperf_logging.runs.folders import ResultFolder
from mlperf_logging.scoring.agreement import explain_unread, find_agreement
from mlperf_logging.scoring.folders import describe_too_few
from mlperf_logging.scoring.rcp.pass_probability import DRAWS, PassProbability, simulate_pass_probability
from mlperf_logging.scoring.rcp.points import ReferenceTable
from mlperf_logging.scoring.rcp.references import CHECK
from mlperf_logging.scoring.rcp.test import (
    ConvergenceCheck,
    check_convergence,
    find_acceptance,
    read_converged,
)
from mlperf_logging.scoring.requirements import Requirement
from mlperf_logging.scoring.runs import CONVERGENCE_KEYS, ScoredRun

FindTable = Callable[[str, str], ReferenceTable | None]
"""Ruleset and benchmark to the reference points, or None if there are none."""


class SubmissionCheck(NamedTuple):
    """The test of convergence on one result folder.

    Attributes:
        folder: where the logs are.
        benchmark: the benchmark, or None where the runs do not agree.
        division: "closed" or "open", or None.
        ruleset: ``usage/round``, or None.
        ruleset_reason: why that round.
        runs: every run, in the order of the logs.
        requirement: how often the benchmark is to be run, or None.
        passed: whether the convergence is acceptable; None where it is not tested.
        reason: one sentence: why, why not, or why it is not tested.
        check: the figures, or None.
        pass_probability: the probability to pass with the runs that are still to come; None if there are none.
    """

    folder: ResultFolder
    benchmark: str | None
    division: str | None
    ruleset: str | None
    ruleset_reason: str
    runs: tuple[ScoredRun, ...]
    requirement: Requirement | None
    passed: bool | None
    reason: str
    check: ConvergenceCheck | None = None
    pass_probability: PassProbability | None = None


def check_submission(
    folder: ResultFolder,
    runs: Sequence[ScoredRun],
    find_table: FindTable,
    *,
    method: str = CHECK,
    pruned: bool = True,
    seed: int = 0,
    draws: int = DRAWS,
) -> SubmissionCheck:
    """Test the convergence of a result folder, see `check_convergence`.

    `find_table` gives the reference points; with 0 draws no chance to pass is simulated where runs are still to come.
    """
    shared = find_agreement(runs)
    benchmark, division, ruleset, _ = shared.identity
    requirement, batch_size = shared.requirement, shared.batch_size
    outcome = SubmissionCheck(folder, *shared.identity, tuple(runs), requirement, None, "")
    for run in runs:
        if run.several_runs is not None:
            return outcome._replace(reason=run.several_runs)
    if shared.problems:
        return outcome._replace(passed=False, reason=shared.problems[0])
    if division == Division.OPEN:
        return outcome._replace(reason="the open division is not tested; --division closed tests it anyway")
    blind = [run for run in runs if _may_lack(run)]
    if blind:
        return outcome._replace(reason=f"not all that the test needs can be read: {explain_unread(blind)}")
    if benchmark is None:
        return outcome._replace(reason="no log names its benchmark")
    if ruleset is None or requirement is None:
        return outcome._replace(reason=f"{ruleset or 'the ruleset'} does not know {benchmark}")
    table = find_table(ruleset, benchmark)
    if table is None:
        return outcome._replace(reason=f"{ruleset} has no reference convergence points of {benchmark}")
    if shared.batch_size_problems:
        return outcome._replace(passed=False, reason=shared.batch_size_problems[0])
    if batch_size is None:
        return outcome._replace(passed=False, reason="no run logs global_batch_size")
    converged = [
        read_converged(run.converged_at, table.unit, batch_size, run.trained_samples) for run in runs
    ]
    pass_probability = None
    if draws and len(runs) < requirement.required and any(map(math.isfinite, converged)):
        wanted = find_acceptance(table, batch_size, requirement, method, pruned=pruned)
        if wanted.match.reference is not None and wanted.mean is not None:
            pass_probability = simulate_pass_probability(
                converged, wanted.match.reference, wanted.mean, requirement, seed=seed, draws=draws
            )
    if len(runs) < requirement.min_runs:
        return outcome._replace(
            reason=describe_too_few(len(runs), requirement), pass_probability=pass_probability
        )
    check = check_convergence(converged, batch_size, table, requirement, method, pruned=pruned)
    return outcome._replace(
        passed=check.passed, reason=check.reason, check=check, pass_probability=pass_probability
    )


def _may_lack(run: ScoredRun) -> bool:
    """Whether records that cannot be read may hold what the test of convergence needs of a run."""
    if run.unread.is_complete:
        return False
    ended = run.summary.status is not None
    converged = run.converged_at is not None and run.unread.keys.isdisjoint(CONVERGENCE_KEYS)
    return not (run.benchmark and run.batch_size and ended and (converged or not run.summary.succeeded))
