"""The answer of `mlperf export`: what became of each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlperf_logging.tables import COUNT, NAME, NOTES, TEXT, Column, Document, make_table

SCHEMA = "mlperf-export/1"
_COLUMNS = (
    Column("log", NAME, "the log, as named", priority=0),
    Column("outcome", TEXT, "new, updated, unchanged, empty (nothing to export) or failed", priority=0),
    Column("run", NAME, "name of the run in the tool", missing="none", priority=1),
    Column("metrics", COUNT, "number of its metrics", priority=2),
    Column("values", COUNT, "number of its values", priority=2),
    Column("note", NOTES, "what is not known, and why", priority=0),
)


def describe_export(
    runs: Sequence[Mapping[str, Any]], tool: str, place: str, hints: Sequence[str] = ()
) -> Document:
    """What became of each run.

    Args:
        runs: one record per run.
        tool: name of the tool.
        place: the folder or address that was exported to.
        hints: lines for people that say how to look at the result.
    """
    totals = {"runs": len(runs)}
    for name in ("new", "updated", "unchanged", "empty", "failed"):
        totals[name] = sum(run["outcome"] == name for run in runs)
    totals["values"] = sum(run["values"] for run in runs)
    table = make_table("runs", _COLUMNS, runs, empty="no run was exported")
    shown = ", ".join(
        f"{totals[name]:,} {name}"
        for name in ("new", "updated", "unchanged", "empty", "failed")
        if totals[name]
    )
    fields = {"tool": tool, "place": place, "runs": list(runs), "totals": totals}
    notes = (f"{shown}; {totals['values']:,} values", *hints)
    return Document(schema=SCHEMA, tables=(table,), fields=fields, notes=notes)
