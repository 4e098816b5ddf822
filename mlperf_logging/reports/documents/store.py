"""The answers of `mlperf store`: what an ingest came to, and what a check found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from mlperf_logging.tables import COUNT, FLAG, NAME, NUMBER, PROSE, TEXT, Column, Document, Table, make_table

INGEST_SCHEMA, QUERY_SCHEMA = "mlperf-store-ingest/1", "mlperf-store-query/1"
CHECK_SCHEMA = "mlperf-store-check/1"
_ROWS_COLUMNS = (
    Column("table", TEXT, "the table", priority=0),
    Column("rows", COUNT, "its rows", priority=0),
)
_FAULT_COLUMNS = (
    Column("table", TEXT, "the table", priority=0),
    Column("rows", COUNT, "rows that are wrong", priority=0),
    Column("message", PROSE, "what is wrong with them", "what is wrong", priority=0),
    Column("example", NAME, "the first one", priority=1),
)
_NAMES = ("path", "place", "folder", "description_place", "system")
"""Columns whose texts may be shortened in the middle."""
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


def describe_answer(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]]) -> Document:
    """What a statement gave.

    Args:
        columns: name and type of each, as Arrow has it.
        rows: one value for each column.
    """
    described = tuple([Column(name, _choose_kind(name, kind), kind, priority=0) for name, kind in columns])
    plain = tuple([tuple(map(_make_plain, row)) for row in rows])
    table = Table(name="answer", columns=described, rows=plain, empty="no rows")
    return Document(
        schema=QUERY_SCHEMA,
        tables=(table,),
        fields={
            "columns": [{"name": name, "type": kind} for name, kind in columns],
            "rows": _list_records(table),
        },
    )


def _list_records(table: Table) -> list[dict[str, Any]]:
    """The rows as objects; a name that a column shares with one before it gets a number."""
    names: list[str] = []
    for column in table.columns:
        name, number = column.name, 2
        while name in names:
            name, number = f"{column.name}_{number}", number + 1
        names.append(name)
    return [dict(zip(names, row, strict=True)) for row in table.rows]


def _choose_kind(name: str, kind: str) -> str:
    if kind == "bool":
        return FLAG
    if kind.startswith(("int", "uint")):
        return COUNT
    if kind.startswith(("double", "float", "decimal", "halffloat")):
        return NUMBER
    return NAME if name in _NAMES else TEXT


def _make_plain(value: Any) -> Any:
    """A value as tables have them: texts, numbers, truth values."""
    if isinstance(value, Decimal):  # sums of whole numbers
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, dict)):
        return json.dumps(value, default=str, ensure_ascii=False)
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


def describe_check(
    store: str, rows: Mapping[str, int], faults: Sequence[Mapping[str, Any]], notes: Sequence[str]
) -> Document:
    """What a check of a store found; faults have the fields of `Fault`."""
    counted = make_table(
        "rows", _ROWS_COLUMNS, [{"table": name, "rows": count} for name, count in rows.items()]
    )
    found = make_table(
        "faults", _FAULT_COLUMNS, faults, empty="the store is whole", title="faults" if faults else ""
    )
    fields = {
        "store": store,
        "is_whole": not faults,
        "rows": dict(rows),
        "faults": list(faults),
        "notes": list(notes),
    }
    return Document(schema=CHECK_SCHEMA, tables=(counted, found), fields=fields, notes=tuple(notes))
