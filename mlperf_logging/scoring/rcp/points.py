"""Reference convergence points: after how much training each reference run reached the target.

A point belongs to one batch size of one benchmark of one round. The rule files hold them (``rcp/``), each round
only what changed; `files.load_reference_points` gives a round's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

UNITS = ("epochs", "samples", "steps")
POINT_FIELDS = ("converged_at", "name", "hyperparameters", "platform", "precision", "creator", "when")


class ReferencePoint(NamedTuple):
    """The reference runs of one batch size.

    Attributes:
        batch_size: samples in one step.
        converged_at: where each run reached the target, in the table's unit.
        name: name of the point in the public data.
        hyperparameters: what the reference runs used; empty where it was not published.
        platform: what they ran on, or None.
        precision: number format, or None.
        creator: who ran them, or None.
        when: when they were made, or None.
    """

    batch_size: float
    converged_at: tuple[float, ...]
    name: str = ""
    hyperparameters: Mapping[str, Any] = {}
    platform: str | None = None
    precision: str | None = None
    creator: str | None = None
    when: str | None = None


class ReferenceTable(NamedTuple):
    """All reference points of one benchmark in one round.

    Attributes:
        benchmark: name of the benchmark.
        unit: what the points count: "epochs", "samples" or "steps".
        allowance: by how much the smallest acceptable mean is lower than the test gives, in that unit.
        points: by batch size, smallest first.
    """

    benchmark: str
    unit: str
    allowance: float
    points: tuple[ReferencePoint, ...]


def table_from_json(benchmark: str, record: Mapping[str, Any]) -> ReferenceTable:
    """A table as the resolved rule files hold it: ``unit``, ``allowance``, and ``points`` by batch size as text."""
    points = [
        ReferencePoint(
            int(batch_size),
            tuple(fields["converged_at"]),
            fields.get("name") or f"{benchmark}_ref_{batch_size}",
            fields.get("hyperparameters") or {},
            *map(fields.get, ("platform", "precision", "creator", "when")),
        )
        for batch_size, fields in record["points"].items()
    ]
    points.sort(key=lambda point: point.batch_size)
    return ReferenceTable(benchmark, record["unit"], record["allowance"], tuple(points))
