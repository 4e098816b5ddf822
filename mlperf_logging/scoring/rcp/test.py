"""The test of reference convergence: did a submission converge too fast to be the reference's algorithm?

A one-sided two-sample Student t-test with pooled variance. Both sides are taken to have the reference's deviation;
the reference has as many runs as its mean is of, the submission the required runs less two. The smallest acceptable
mean is where the test, at 5 percent, no longer rejects.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from mlperf_logging.runs.intervals import Progress
from mlperf_logging.scoring.means import olympic_mean
from mlperf_logging.scoring.rcp import student
from mlperf_logging.scoring.rcp.points import ReferenceTable
from mlperf_logging.scoring.rcp.references import (
    BELOW,
    CHECK,
    MISSING,
    Match,
    Reference,
    match_batch_size,
    prune,
    show_amount,
    summarize_points,
)
from mlperf_logging.scoring.requirements import Requirement

SIGNIFICANCE = 0.05

LINE_STEPS = 40
"""Pieces of the line between two reference points: it bends where batch sizes are on a logarithmic axis."""

CHECKED_DECIMALS = 3
"""Decimals of an epoch that the public checks keep."""


class Acceptance(NamedTuple):
    """What a submission of one batch size is measured by.

    Attributes:
        match: the reference of the batch size, and how it was found.
        smallest: smallest mean that the test does not reject, in the table's unit; None without a reference.
        allowance: by how much a mean may be smaller than that.
        runs: runs that the submission counts as.
        pruned: the references that count.
        references: all references.
    """

    match: Match
    smallest: float | None
    allowance: float
    runs: int
    pruned: tuple[Reference, ...]
    references: tuple[Reference, ...]

    @property
    def mean(self) -> float | None:
        """The smallest acceptable mean; None without a reference."""
        return None if self.smallest is None else self.smallest - self.allowance


class ConvergenceCheck(NamedTuple):
    """What the test says of a submission.

    Attributes:
        passed: whether its convergence is acceptable.
        reason: one sentence that says why, or why not.
        method: "check" (as the public checks) or "rules" (as the rules are written).
        unit: what convergence is counted in: "epochs", "samples" or "steps".
        batch_size: the submission's.
        match: "exact", "interpolated", "below" or "missing".
        normalisation: factor that the score must be multiplied by; 1 where it converged no faster than the
            reference.
        submission_mean: olympic mean of where its runs converged; infinite where too many did not.
        reference_mean: the reference's mean, or None.
        reference_stdev: the reference's standard deviation, or None.
        reference_min: smallest mean that the test does not reject, or None.
        allowance: by how much a mean may be smaller than that; 0 for nearly all benchmarks.
        p_value: probability of a mean as small as the submission's if it is the reference's algorithm, or None.
        reference_runs: runs that the reference counts as, or None.
        submission_runs: runs that the submission counts as.
        converged_at: where each run converged; infinity for one that did not.
        pruned: the references that it was judged against.
        references: all references.
    """

    passed: bool
    reason: str
    method: str
    unit: str
    batch_size: float
    match: str
    normalisation: float
    submission_mean: float
    reference_mean: float | None
    reference_stdev: float | None
    reference_min: float | None
    allowance: float
    p_value: float | None
    reference_runs: int | None
    submission_runs: int
    converged_at: tuple[float, ...]
    pruned: tuple[Reference, ...]
    references: tuple[Reference, ...]


def check_convergence(
    converged_at: Sequence[float],
    batch_size: float,
    table: ReferenceTable,
    requirement: Requirement,
    method: str = CHECK,
    *,
    pruned: bool = True,
) -> ConvergenceCheck:
    """Test where a submission's runs converged against the reference points.

    Args:
        converged_at: where each run converged, in the table's unit; infinity for one that did not.
        batch_size: the submission's samples in a step.
        table: the benchmark's reference points.
        requirement: how often the benchmark is run.
        method: "check" as the rounds' public checks have it, "rules" as the rules are written.
        pruned: judge against the pruned points; else against all.

    Raises:
        ValueError: there are too few runs to drop the fastest and the slowest, or no reference points.
    """
    if method == CHECK:  # the public checks round what they read
        converged_at = [
            round(each, CHECKED_DECIMALS) if math.isfinite(each) else each for each in converged_at
        ]
    mean = olympic_mean(converged_at, requirement.olympic_dropped)
    if mean is None:
        raise ValueError(
            f"{len(converged_at)} run{'s' * (len(converged_at) != 1)} cannot be tested: "
            f"{requirement.olympic_dropped} are dropped on each side"
        )
    wanted = find_acceptance(table, batch_size, requirement, method, pruned=pruned)
    if not wanted.references:
        raise ValueError(f"there are no reference points of {table.benchmark} with enough runs")
    failed = sum(math.isinf(each) for each in converged_at)
    reference = wanted.match.reference
    passed = failed <= requirement.max_failures and wanted.mean is not None and mean >= wanted.mean
    return ConvergenceCheck(
        passed=passed,
        reason=_explain(wanted, mean, failed, requirement, table.unit),
        method=method,
        unit=table.unit,
        batch_size=batch_size,
        match=wanted.match.kind,
        normalisation=max(1.0, reference.mean / mean) if reference is not None and mean > 0 else 1.0,
        submission_mean=mean,
        reference_mean=reference.mean if reference is not None else None,
        reference_stdev=reference.deviation if reference is not None else None,
        reference_min=wanted.smallest,
        allowance=table.allowance,
        p_value=find_p_value(mean, reference, wanted.runs) if reference is not None else None,
        reference_runs=reference.kept if reference is not None else None,
        submission_runs=wanted.runs,
        converged_at=tuple(converged_at),
        pruned=wanted.pruned,
        references=wanted.references,
    )


def find_acceptance(
    table: ReferenceTable,
    batch_size: float,
    requirement: Requirement,
    method: str = CHECK,
    *,
    pruned: bool = True,
) -> Acceptance:
    """What a submission of a batch size is measured by, see `check_convergence`."""
    references = summarize_points(table.points, requirement.olympic_dropped, method)
    counting = prune(references, method) if pruned else references
    match = match_batch_size(counting, batch_size, requirement.required)
    runs = requirement.required - 2
    smallest = None if match.reference is None else find_smallest_mean(match.reference, runs)
    return Acceptance(match, smallest, table.allowance, runs, tuple(counting), tuple(references))


def trace_acceptance(check: ConvergenceCheck) -> list[tuple[float, float, float]]:
    """Batch size, reference mean and smallest acceptable mean at and between the points that count.

    By batch size; nothing for a single point.
    """
    sizes = sorted(
        left.batch_size + (right.batch_size - left.batch_size) * step / LINE_STEPS
        for left, right in pairwise(check.pruned)
        for step in range(LINE_STEPS + 1)
    )
    references = [match_batch_size(check.pruned, size, check.submission_runs + 2).reference for size in sizes]
    return [
        (each.batch_size, each.mean, find_smallest_mean(each, check.submission_runs) - check.allowance)
        for each in references
        if each is not None
    ]


def find_smallest_mean(reference: Reference, submission_runs: int) -> float:
    """The smallest mean of a submission that the test does not reject, in the reference's unit; 0 at least."""
    if not reference.deviation:
        return reference.mean
    degrees = reference.kept + submission_runs - 2
    if degrees < 1 or submission_runs < 1:
        return reference.mean
    t = student.quantile(1 - SIGNIFICANCE, degrees)
    return max(0.0, reference.mean - t * _standard_error(reference, submission_runs))


def find_p_value(mean: float, reference: Reference, submission_runs: int) -> float | None:
    """Probability of a mean as small as the submission's if it is the reference's algorithm.

    None where there are too few runs for one. Without deviation it is 1 or 0.
    """
    if not reference.deviation:
        return 1.0 if mean >= reference.mean else 0.0
    degrees = reference.kept + submission_runs - 2
    if degrees < 1 or submission_runs < 1:
        return None
    return student.cdf((mean - reference.mean) / _standard_error(reference, submission_runs), degrees)


def read_converged(progress: Progress | None, unit: str, batch_size: float, trained: float | None) -> float:
    """Where a run converged, in a table's unit; infinity where it did not."""
    if progress is None:
        return math.inf
    epochs, samples, steps = progress
    order = {"epochs": (epochs, samples, steps), "samples": (samples, epochs, steps), "steps": (steps,)}[unit]
    found = next((each for each in order if each is not None), None)
    # Fewer samples than one step takes are no samples: some runs log a constant there and the samples at the end.
    if unit == "samples" and trained is not None and (found is None or found < batch_size):
        return trained
    return math.inf if found is None else found


def _standard_error(reference: Reference, submission_runs: int) -> float:
    return reference.deviation * math.sqrt(1 / reference.kept + 1 / submission_runs)


def _explain(wanted: Acceptance, mean: float, failed: int, requirement: Requirement, unit: str) -> str:
    match, smallest = wanted.match, wanted.mean
    if failed > requirement.max_failures:
        return f"{failed} runs did not converge; {requirement.max_failures} may"
    if match.kind == MISSING or smallest is None:
        return "the batch size is larger than every reference point: reference runs of it are needed"
    against = {BELOW: " of the smallest reference point, as the batch size is smaller than all"}
    place = against.get(match.kind, "")
    if mean >= smallest:
        return f"the mean of {show_amount(mean)} {unit} is not below the smallest acceptable {show_amount(smallest)}{place}"
    tail = "; reference runs of this batch size would settle it" if match.kind == BELOW else ""
    return f"the mean of {show_amount(mean)} {unit} is below the smallest acceptable {show_amount(smallest)}{place}{tail}"
