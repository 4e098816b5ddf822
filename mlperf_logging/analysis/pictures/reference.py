"""A submission against the reference convergence points, before it is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mlperf_logging.scoring.rcp.points import ReferenceTable
from mlperf_logging.scoring.rcp.references import Reference, show_amount
from mlperf_logging.scoring.rcp.test import ConvergenceCheck, trace_acceptance

X_TITLE = "global batch size (samples, logarithmic)"


@dataclass(frozen=True)
class ReferencePicture:
    """What a picture of a submission against the reference shows.

    Attributes:
        batch_size: the submission's.
        counting: the reference points that count.
        aside: those that were pruned.
        runs: batch size and place of convergence of each reference run.
        lines: batch size, reference mean and smallest acceptable mean at and between the points that count.
        converged: where the submission's runs converged.
        converged_text: what people read of these.
        mean: the submission's mean; None where too many runs did not converge.
        mean_text: what people read of it.
        smallest: the smallest acceptable mean at the submission's batch size, None where there is no reference.
        smallest_text: what people read of it.
        margin_text: how far the mean is above the smallest acceptable one; empty where one of them is missing.
        unit: what convergence is counted in.
        y_title: title of the vertical axis.
    """

    batch_size: float
    counting: tuple[Reference, ...]
    aside: tuple[Reference, ...]
    runs: tuple[tuple[float, float], ...]
    lines: tuple[tuple[float, float, float], ...]
    converged: tuple[float, ...]
    converged_text: str
    mean: float | None
    mean_text: str
    smallest: float | None
    smallest_text: str
    margin_text: str
    unit: str
    y_title: str

    @property
    def sizes(self) -> list[float]:
        """All batch sizes of points, ascending."""
        points = (*self.counting, *self.aside)
        return sorted({self.batch_size, *[reference.batch_size for reference in points]})


def prepare_reference(check: ConvergenceCheck, table: ReferenceTable | None = None) -> ReferencePicture:
    """What a picture of a check shows.

    Args:
        check: the submission and what it was judged against.
        table: the reference runs themselves; None leaves them out.
    """
    sizes = {reference.batch_size for reference in check.pruned}
    converged = tuple([run for run in check.converged_at if math.isfinite(run)])
    failed = len(check.converged_at) - len(converged)
    missing = f", {failed} did not converge" if failed else ""
    mean = check.submission_mean if math.isfinite(check.submission_mean) else None
    smallest = None if check.reference_min is None else check.reference_min - check.allowance
    margin = ""
    if mean is not None and smallest is not None and smallest > 0:
        share = (mean / smallest - 1) * 100
        margin = f"margin {share:+.3g} %".replace("-", "−")
    verdict = "passes" if check.passed else "fails"
    return ReferencePicture(
        batch_size=check.batch_size,
        counting=check.pruned,
        aside=tuple([each for each in check.references if each.batch_size not in sizes]),
        runs=tuple([(point.batch_size, run) for point in table.points for run in point.converged_at])
        if table is not None
        else (),
        lines=tuple(trace_acceptance(check)),
        converged=converged,
        converged_text=f"submission: {len(check.converged_at)} runs{missing}",
        mean=mean,
        mean_text="" if mean is None else f"submission: mean {show_amount(mean)}, {verdict}",
        smallest=smallest,
        smallest_text=""
        if smallest is None
        else f"smallest mean at this batch size: {show_amount(smallest)}",
        margin_text=margin,
        unit=check.unit,
        y_title=f"{check.unit} to converge",
    )
