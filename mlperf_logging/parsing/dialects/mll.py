"""The dialect with time and key in the open and the rest in JSON, times in seconds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from mlperf_logging.events import Event
from mlperf_logging.parsing.diagnostics import Diagnostic
from mlperf_logging.parsing.dialects import Dialect, Reading
from mlperf_logging.parsing.payloads import (
    describe,
    has_names_once,
    join_milliseconds,
    make_event,
    read_metadata,
    read_milliseconds,
)

NAME = "mll"

_ORDINARY = rb"(?s)[^ ]+ ([0-9]*)(?:\.([0-9]*))? (\w+): (.*)"


@cache
def _open_decoder() -> Callable[[bytes], Any]:
    """The decoder of the ordinary shape of a record's JSON; its library loads with the first record."""
    from msgspec import defstruct, json

    return json.Decoder(defstruct("Record", [("value", Any), ("metadata", dict[str, Any])], gc=False)).decode


def read_ordinary(
    raws: Sequence[bytes], numbers: Sequence[int], columns: Sequence[int]
) -> list[Event] | None:
    """Read records whose words are as they should be; see `Dialect.read_ordinary`."""
    decode, match = _open_decoder(), re.compile(_ORDINARY).fullmatch
    rows: list[tuple[Any, ...]] = []
    texts, payloads = [], []
    try:
        for raw, number, column in zip(raws, numbers, columns, strict=True):
            whole, fraction, key, text = match(raw).groups()  # type: ignore[union-attr]
            record = decode(text)
            value, metadata = record.value, record.metadata
            time_ms = join_milliseconds(whole, fraction or b"")
            if time_ms is None:
                return None
            texts.append(text)
            payloads.append({"value": value, "metadata": metadata})
            rows.append((key.decode(), value, metadata, time_ms, number, column, raw, None, "", None, NAME))
    except (ValueError, RecursionError, AttributeError):
        return None
    return list(map(make_event, rows)) if has_names_once(texts, payloads) else None


def read_fields(fields: dict[str, Any], line: int, column: int, raw: bytes) -> Reading:
    """Make an event of a decoded record; see `Dialect.read_fields`."""
    record = fields["payload"]
    diagnostics: list[Diagnostic] = []
    time_ms = read_milliseconds(fields["seconds"])
    if time_ms is None:
        diagnostics.append(Diagnostic("time-not-a-number", "", fields["seconds"]))
    if not isinstance(record, dict):
        return None, [*diagnostics, Diagnostic("record-not-an-object", "", describe(record))]
    if "value" not in record:
        diagnostics.append(Diagnostic("missing-value"))
    metadata = read_metadata(record, diagnostics)
    if time_ms is None or metadata is None or "value" not in record:
        return None, diagnostics
    return Event(
        fields["key"], record["value"], metadata, time_ms, line, column, raw, dialect=NAME
    ), diagnostics


DIALECT = Dialect(
    name=NAME,
    rank=2,
    read_ordinary=read_ordinary,
    read_fields=read_fields,
    head_pattern=r"(?P<seconds>[0-9.]+) (?P<key>[A-Za-z0-9_]+)[ \t]?:[ \t]+",
    needed_words=(b'"value"', b'"metadata"', b"}"),
    last_bytes=b"}",
    key_pattern=r":::MLL [0-9.]+ ([A-Za-z0-9_]+)",
    sample_head="1.5 key: ",
    head_samples=(
        ("words-out-of-shape", ("?", "1.5?", "1.5 key?", "1.5 key {", "1.5 key:{")),
        ("record-cut-short", ("", "1.5", "1.5 key")),
        ("missing-time", ("key", "{", ":")),
        ("missing-key", ("1.5 {", "1.5 :")),
    ),
)
