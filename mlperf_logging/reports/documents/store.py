"""The answers of `mlperf store`: what an ingest came to, and what a check found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlperf_logging.tables import COUNT, Column, Document, make_table

INGEST_SCHEMA = "mlperf-store-ingest/1"
_INGEST_COLUMNS = (
    Column("logs", COUNT, "logs that were found", priority=0),
    Column("unchanged", COUNT, "known already: not read again", priority=0),
    Column("read", COUNT, "logs that were read", priority=0),
    Column("added", COUNT, "logs that the store did not hold before, each once", "new", priority=0),
    Column("folders", COUNT, "result folders that were scored", priority=1),
)


def describe_ingest(summary: Mapping[str, Any], store: str) -> Document:
    """What an ingest came to; `summary` has the fields of `IngestSummary`."""
    table = make_table("ingest", _INGEST_COLUMNS, [summary])
    return Document(schema=INGEST_SCHEMA, tables=(table,), fields={"store": store, **summary})
