"""The dialect with benchmark, time, call site and key in the open and an optional value, times in seconds."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from mlperf_logging.events import Event
from mlperf_logging.parsing.diagnostics import Diagnostic
from mlperf_logging.parsing.dialects import Dialect, Reading
from mlperf_logging.parsing.payloads import count_members, has_members, is_word, read_milliseconds

NAME = "mlp050"


@cache
def _open_decoder() -> Callable[[bytes], Any]:
    """The decoder of a record's value; its library loads with the first record."""
    from msgspec import json

    return json.Decoder().decode


def read_ordinary(
    raws: Sequence[bytes], numbers: Sequence[int], columns: Sequence[int]
) -> list[Event] | None:
    """Read records whose words are as they should be; see `Dialect.read_ordinary`."""
    events = []
    decode = _open_decoder()
    try:
        for raw, number, column in zip(raws, numbers, columns, strict=True):
            head, colon, payload = raw.partition(b": ")
            _, benchmark, seconds, site, key = head.split(b" ")
            value = decode(payload) if colon else None
            time_ms = read_milliseconds(seconds.decode())
            if (
                time_ms is None
                or not is_word(key)
                or not is_word(benchmark)
                or not _is_call_site(site)
                or (colon and not has_members(payload, count_members((value,))))
            ):
                return None
            name = benchmark.decode()
            event = Event(key.decode(), value, {}, time_ms, number, column, raw, benchmark=name, dialect=NAME)
            events.append(event)
    except (ValueError, RecursionError):
        return None
    return events


def _is_call_site(site: bytes) -> bool:
    file, colon, line = site[1:-1].rpartition(b":")
    plain = site.isascii() and not (b"(" in file or b")" in file or b"\\" in file)
    return bool(colon) and plain and site[:1] == b"(" and site[-1:] == b")" and line.isdigit()


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
    last_bytes=b'}]"_' + string.ascii_letters.encode() + string.digits.encode(),
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
