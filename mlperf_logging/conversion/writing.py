"""Events as bytes: records of the newest dialect, JSON lines, or a table in Parquet."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mlperf_logging.events import Event
from mlperf_logging.installation import require_libraries

MARKER = ":::MLLOG"
ROWS_AT_ONCE = 10_000
"""Rows of a table that are written together."""
COLUMNS = ("line", "time_ms", "key", "event_type", "namespace", "number", "value", "metadata")
"""Columns of the table: as logged; ``number`` is the value where it is one, ``value`` and ``metadata`` are JSON."""

_INFINITY = "\0infinity\0"
_LARGEST = int(sys.float_info.max)
_ENCODER = json.JSONEncoder(allow_nan=False)  # `json.dumps` would make one for each value


def write_records(events: Iterable[Event]) -> Iterator[bytes]:
    """A log of the newest dialect, line by line."""
    for event in events:
        fields = {
            "namespace": event.namespace,
            "time_ms": event.time_ms,
            "event_type": event.event_type,
            "key": event.key,
            "value": event.value,
            "metadata": event.metadata,
        }
        yield f"{MARKER} {write_json(fields)}\n".encode()


def write_json_lines(events: Iterable[Event]) -> Iterator[bytes]:
    """One JSON object per event, with its line in the log."""
    for event in events:
        fields = {name: getattr(event, name) for name in ("line", "time_ms", "key", "event_type")}
        fields |= {"namespace": event.namespace, "value": event.value, "metadata": event.metadata}
        yield f"{write_json(fields)}\n".encode()


def write_parquet(events: Iterable[Event]) -> Iterator[bytes]:
    """A table with one row per event, see `COLUMNS`."""
    require_libraries("Parquet", ["pyarrow"], "analysis")
    import io

    import pyarrow as pa
    from pyarrow import parquet

    kinds = (
        pa.int64(),
        pa.float64(),
        pa.string(),
        pa.string(),
        pa.string(),
        pa.float64(),
        pa.string(),
        pa.string(),
    )
    schema = pa.schema(list(zip(COLUMNS, kinds, strict=True)))
    target = io.BytesIO()
    with parquet.ParquetWriter(target, schema) as writer:
        for rows in _batch(events):
            columns = zip(*map(_make_row, rows), strict=True)
            writer.write_table(pa.table(dict(zip(COLUMNS, map(list, columns), strict=True)), schema))
    yield target.getvalue()


FORMATS: dict[str, Callable[[Iterable[Event]], Iterator[bytes]]] = {
    "mllog": write_records,
    "jsonl": write_json_lines,
    "parquet": write_parquet,
}
"""What events can be converted to."""


def _batch(events: Iterable[Event]) -> Iterator[list[Event]]:
    rows: list[Event] = []
    for event in events:
        rows.append(event)
        if len(rows) >= ROWS_AT_ONCE:
            yield rows
            rows = []
    if rows:
        yield rows


def _make_row(event: Event) -> tuple[Any, ...]:
    value = event.value
    is_number = type(value) is float or (type(value) is int and abs(value) <= _LARGEST)
    namespace = event.namespace if isinstance(event.namespace, str) else write_json(event.namespace)
    texts = (event.key, event.event_type, namespace)
    return (
        event.line,
        float(event.time_ms),
        *[None if text is None else _encodable(text) for text in texts],
        float(value) if is_number else None,
        write_json(value),
        write_json(event.metadata),
    )


def write_json(value: Any) -> str:
    """A value as JSON, spaced as logs have it; infinity is the number ``1e999``, as the logging API writes it."""
    try:
        return _ENCODER.encode(value)
    except ValueError:  # infinity, or more digits than Python agrees to write
        text = json.dumps(_mark_infinity(value))
        for sign in ("-", ""):
            text = text.replace(json.dumps(f"{sign}{_INFINITY}"), f"{sign}1e999")
        return text


def _mark_infinity(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _mark_infinity(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_mark_infinity(part) for part in value]
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, (int, float)) and abs(value) > _LARGEST:
        return _INFINITY if value > 0 else f"-{_INFINITY}"
    return value


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
