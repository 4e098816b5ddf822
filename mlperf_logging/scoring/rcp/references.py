"""Reference convergence points in use: mean and spread of each, the pruned set, and the match for a batch size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from mlperf_logging.scoring.means import population_deviation, trim
from mlperf_logging.scoring.rcp.points import ReferencePoint

CHECK, RULES = "check", "rules"
"""Methods: as the rounds' public checks compute, and as the written rules say."""

EXACT, INTERPOLATED, BELOW, MISSING = "exact", "interpolated", "below", "missing"


class Reference(NamedTuple):
    """What reference runs of one batch size show.

    Attributes:
        batch_size: samples in a step.
        mean: olympic mean of where the runs converged, in the table's unit.
        deviation: standard deviation (population): of all runs as the public checks have it, of the runs that the
            mean is of as the rules say.
        kept: runs that the mean is of.
    """

    batch_size: float
    mean: float
    deviation: float
    kept: int


class Match(NamedTuple):
    """What a submission's batch size is judged against.

    Attributes:
        kind: "exact"; "interpolated" between two points; "below" all points, judged against the smallest; or
            "missing", where it is larger than every point.
        reference: the reference; None where it is missing.
    """

    kind: str
    reference: Reference | None


def summarize_point(point: ReferencePoint, dropped: int, method: str = CHECK) -> Reference | None:
    """Mean and deviation of a point, so many runs dropped on each side; None where that leaves no run."""
    trimmed = trim(point.converged_at, dropped)
    if trimmed is None:
        return None
    runs: Sequence[float] = point.converged_at
    if method == RULES:
        runs = [point.converged_at[index] for index in trimmed.kept]
    return Reference(point.batch_size, trimmed.mean, population_deviation(runs), len(trimmed.kept))


def summarize_points(points: Iterable[ReferencePoint], dropped: int, method: str = CHECK) -> list[Reference]:
    """Mean and deviation of all points that have one, by batch size."""
    found = [summarize_point(point, dropped, method) for point in points]
    return sorted(each for each in found if each is not None)


def prune(references: Sequence[Reference], method: str = CHECK) -> list[Reference]:
    """The references, given by batch size, that count.

    Batch sizes smaller than that of the fastest point go first. Then each point goes that is slower than the
    straight line between its neighbors. The rules repeat that until no point is; the public checks look at each
    point once, from the smallest batch size on, with the neighbor to the left that was kept.
    """
    fastest = min(range(len(references)), key=lambda index: references[index].mean, default=0)
    kept = _drop_slow(references[fastest:])
    while method == RULES:
        again = _drop_slow(kept)
        if len(again) == len(kept):
            break
        kept = again
    return kept


def _drop_slow(references: Sequence[Reference]) -> list[Reference]:
    kept = list(references[:1])
    for reference, following in pairwise(references[1:]):
        if reference.mean <= _on_line(kept[-1], following, reference.batch_size)[0]:
            kept.append(reference)
    return kept + list(references[1:][-1:])


def match_batch_size(references: Sequence[Reference], batch_size: float, required: int) -> Match:
    """What a batch size is judged against; an interpolated reference counts as twice the required runs."""
    for reference in references:
        if reference.batch_size == batch_size:
            return Match(EXACT, reference)
    smaller = [reference for reference in references if reference.batch_size < batch_size]
    larger = [reference for reference in references if reference.batch_size > batch_size]
    if not larger:
        return Match(MISSING, None)
    if not smaller:
        return Match(BELOW, larger[0])
    mean, deviation = _on_line(smaller[-1], larger[0], batch_size)
    return Match(INTERPOLATED, Reference(batch_size, mean, deviation, 2 * required))


def _on_line(left: Reference, right: Reference, batch_size: float) -> tuple[float, float]:
    """Mean and deviation on the straight line between two references."""
    share = (batch_size - left.batch_size) / (right.batch_size - left.batch_size)
    return (
        left.mean + share * (right.mean - left.mean),
        left.deviation + share * (right.deviation - left.deviation),
    )


def show_amount(amount: float) -> str:
    """An amount of training as people write it: whole from 1,000 on, else with what distinguishes runs."""
    return f"{amount:,.0f}" if abs(amount) >= 1_000 else f"{amount:.6g}"
