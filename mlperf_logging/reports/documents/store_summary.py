"""The answer of `mlperf store summary`: what is in a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlperf_logging.tables import COUNT, TEXT, Column, Document, make_table, show_nonzero

SCHEMA = "mlperf-store-summary/1"
_MISSING = "not known"
_COLUMNS = (
    Column("ruleset", TEXT, "the round that judged", "round", priority=0, missing=_MISSING),
    Column("benchmark", TEXT, "the benchmark", priority=0, missing=_MISSING),
    Column("division", TEXT, "closed or open, as logged", priority=1, missing=_MISSING),
    Column("runs", COUNT, "runs, each once however often its log was seen", priority=0),
    Column("passed", COUNT, "compliant runs", priority=0, format=show_nonzero),
    Column("failed", COUNT, "runs that are not", priority=0, format=show_nonzero),
    Column("unjudged", COUNT, "runs that could not be judged", priority=6, format=show_nonzero),
    Column("counting", COUNT, "runs that count for a score", priority=3, format=show_nonzero),
    Column("errors", COUNT, "findings that are errors", priority=4, format=show_nonzero),
    Column("warnings", COUNT, "findings that are warnings", priority=5, format=show_nonzero),
    Column("submitters", COUNT, "submitters of results", priority=2, format=show_nonzero),
    Column("folders", COUNT, "result folders", priority=2, format=show_nonzero),
    Column("scores", COUNT, "those that have a score", priority=2, format=show_nonzero),
    Column(
        "converged",
        COUNT,
        "those that passed the test of convergence",
        "RCP passed",
        priority=3,
        format=show_nonzero,
    ),
    Column("not_converged", COUNT, "those that did not", "RCP failed", priority=3, format=show_nonzero),
)


def describe_store(store: str, totals: Mapping[str, int], groups: Sequence[Mapping[str, Any]]) -> Document:
    """The whole answer; `totals` and `groups` are those of a `StoreSummary`."""
    facts = tuple((name, f"{count:,}") for name, count in totals.items())
    table = make_table("runs", _COLUMNS, groups, footnotes=facts, empty="the store holds no run")
    return Document(
        schema=SCHEMA,
        tables=(table,),
        fields={"store": store, "totals": dict(totals), "groups": table.records()},
    )
