"""The dialect with benchmark, time, call site and key in the open and an optional value, times in seconds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from mlperf_logging.events import Event
from mlperf_logging.parsing.diagnostics import Diagnostic
from mlperf_logging.parsing.dialects import Dialect, Reading
from mlperf_logging.parsing.payloads import has_names_once, join_milliseconds, make_event, read_milliseconds

NAME = "mlp050"

_CALL_SITE = rb"\([^()\\ \x80-\xff]*:[0-9]+\)"
_ORDINARY = rb"(?s)[^ ]+ (\w+) ([0-9]*)(?:\.([0-9]*))? %s (\w+)(?:: (.*))?" % _CALL_SITE


@cache
def _open_decoder() -> Callable[[bytes], Any]:
    """The decoder of a record's value; its library loads with the first record."""
    from msgspec import json

    return json.Decoder().decode


def read_ordinary(
    raws: Sequence[bytes], numbers: Sequence[int], columns: Sequence[int]
) -> list[Event] | None:
    """Read records whose words are as they should be; see `Dialect.read_ordinary`."""
    decode, match = _open_decoder(), re.compile(_ORDINARY).fullmatch
    rows: list[tuple[Any, ...]] = []
    texts, values = [], []
    try:
        for raw, number, column in zip(raws, numbers, columns, strict=True):
            benchmark, whole, fraction, key, text = match(raw).groups()  # type: ignore[union-attr]
            value = None
            if text is not None:
                value = decode(text)
                texts.append(text)
                values.append(value)
            time_ms = join_milliseconds(whole, fraction or b"")
            if time_ms is None:
                return None
            name = benchmark.decode()
            rows.append((key.decode(), value, {}, time_ms, number, column, raw, None, "", name, NAME))
    except (ValueError, RecursionError, AttributeError):
        return None
    return list(map(make_event, rows)) if has_names_once(texts, values) else None


def read_fields(fields: dict[str, Any], line: int, column: int, raw: bytes) -> Reading:
    """Make an event of a decoded record; see `Dialect.read_fields`."""
    time_ms = read_milliseconds(fields["seconds"])
    if time_ms is None:
        return None, [Diagnostic("time-not-a-number", "", fields["seconds"])]
    key, value, name = fields["key"], fields.get("payload"), fields["benchmark"]
    return Event(key, value, {}, time_ms, line, column, raw, benchmark=name, dialect=NAME), []


DIALECT = Dialect(
    name=NAME,
    rank=1,
    read_ordinary=read_ordinary,
    read_fields=read_fields,
    head_pattern=(
        r"(?P<benchmark>[A-Za-z0-9_.-]+) (?P<seconds>[0-9.]+) (?P<call_site>\([^()]*:[0-9]+\))"
        r" (?P<key>[A-Za-z0-9_]+)(?P<colon>[ \t]?:[ \t]+)?"
    ),
    needed_words=(b"(", b")"),
    last_bytes=b'}]"_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ',
    key_pattern=r"\([^()]*:[0-9]+\) ([A-Za-z0-9_]+)",
    sample_head="task 1.5 (a.py:1) key: ",
    head_samples=(
        ("words-out-of-shape", ("?", "task?", "task 1.5?", "task 1.5 ?", "task 1.5 (a.py:1)?")),
        ("record-cut-short", ("", "task", "task 1.5", "task 1.5 (a.py:1)")),
        ("missing-time", ("task (", "task key")),
        ("missing-call-site", ("task 1.5 key", "task 1.5 :")),
        ("missing-key", ("task 1.5 (a.py:1) :", "task 1.5 (a.py:1) {")),
    ),
)
