"""Values of logs as columns of a store: whatever a stranger has logged, as text that is UTF-8 and numbers that are finite."""

from __future__ import annotations

import json
import math
import sys
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from mlperf_logging.conversion.writing import write_json
from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing import read_batches
from mlperf_logging.runs.intervals import PROGRESS_NAMES, read_progress
from mlperf_logging.store.schema import BY_NAME, EVENTS, StoreTable

if TYPE_CHECKING:
    import pyarrow as pa

MOST_EVENTS, MOST_EVENT_BYTES = 1_000_000, 256 << 20
"""So many events of one log, and so many bytes of their records, are stored. The longest published log has 11,466."""

_LARGEST = int(sys.float_info.max)
_LARGEST_COUNT = (1 << 63) - 1


def write_value(value: Any) -> str | None:
    """A logged value as JSON; None where nothing was logged.

    A number too large for a float is written out, infinity is ``1e999``, and NaN the text "NaN".
    """
    if value is None:
        return None
    if (
        type(value) is str
        and value.isascii()
        and value.isprintable()
        and '"' not in value
        and "\\" not in value
    ):
        return f'"{value}"'
    try:
        return write_json(value)
    except (RecursionError, ValueError):  # deeper than Python writes, or more digits
        return json.dumps(ascii(type(value).__name__))


def read_finite(value: Any) -> float | None:
    """A logged value as a number: a finite one, or true (1) or false (0); None for any other."""
    if type(value) is float:
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return float(value) if -_LARGEST <= value <= _LARGEST else None
    return None


def make_rows(name: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows of a table, by its name; what a row leaves out is NULL."""
    table = BY_NAME[name]
    return make_columns(table, {column: [row.get(column) for row in rows] for column in table.names})


def make_columns(table: StoreTable, columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    """The columns of a table as Arrow has them; a number that is not finite is NULL."""
    import pyarrow as pa
    from pyarrow import compute

    schema = get_arrow_schema(table.name)
    arrays = []
    for field in schema:
        values = columns[field.name]
        try:
            array = pa.array(values, field.type)
        except (UnicodeEncodeError, OverflowError, TypeError, pa.ArrowException):
            array = pa.array([_clean(value, field.type) for value in values], field.type)
        if pa.types.is_floating(field.type):  # NaN would be larger than every number
            array = compute.if_else(compute.is_finite(array), array, None)
        arrays.append(array)
    return pa.table(arrays, schema=schema)


@cache
def get_arrow_schema(name: str) -> pa.Schema:
    """The types of a table's columns in Arrow."""
    import pyarrow as pa

    types = {
        "VARCHAR": pa.string(),
        "DOUBLE": pa.float64(),
        "BIGINT": pa.int64(),
        "BOOLEAN": pa.bool_(),
        "TIMESTAMP": pa.timestamp("us"),
    }
    return pa.schema([(column.name, types[column.type]) for column in BY_NAME[name].columns])


def _clean(value: Any, kind: pa.DataType) -> Any:
    """A value that its column can hold."""
    import pyarrow as pa

    if value is None:
        return None
    if pa.types.is_string(kind):
        return str(value).encode("utf-8", "backslashreplace").decode()
    if pa.types.is_floating(kind):
        return read_finite(value)
    if pa.types.is_integer(kind):
        return value if isinstance(value, int) and abs(value) <= _LARGEST_COUNT else None
    return value


def list_events(path: str, log_id: str, begins: Sequence[int]) -> tuple[pa.Table, dict[str, int]]:
    """The events of a log as rows, and how many there are, with those beyond the bounds.

    Args:
        path: the log.
        log_id: its checksum.
        begins: lines at which its runs begin; empty where it holds one.
    """
    rows: list[tuple[Any, ...]] = []
    events = problems = size = 0
    for batch in read_batches(path):
        for item in batch:
            if isinstance(item, Problem):
                problems += item.occurrences
                continue
            events += 1
            size += len(item.raw)
            if events <= MOST_EVENTS and size <= MOST_EVENT_BYTES:
                run = max(1, bisect_right(begins, item.line)) if begins else 1
                rows.append((log_id, events, run, *_describe_event(item)))
        del batch  # free before the next one is read
    columns = (
        dict(zip(EVENTS.names, zip(*rows, strict=True), strict=True))
        if rows
        else dict.fromkeys(EVENTS.names, ())
    )
    tally = {"events": events, "unstored_events": events - len(rows), "problems": problems}
    return make_columns(EVENTS, columns), tally


def _describe_event(event: Event) -> tuple[Any, ...]:
    """The columns of `EVENTS` from the line on."""
    namespace = event.namespace
    epoch = samples = step = None
    if event.benchmark is not None or not PROGRESS_NAMES.isdisjoint(event.metadata):
        epoch, samples, step = map(read_finite, read_progress(event))
    return (
        event.line,
        event.column,
        read_finite(event.time_ms),
        event.event_type,
        event.key,
        write_value(event.value),
        read_finite(event.value),
        write_value(event.metadata) if event.metadata else None,
        epoch,
        samples,
        step,
        namespace if isinstance(namespace, str) else write_value(namespace),
        event.dialect,
    )
