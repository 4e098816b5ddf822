"""Reading the first records of a process without the fast JSON library, whose import costs as much as a log.

A process that judges one log spends more on importing the library that decodes JSON quickly than on decoding
its few hundred records slowly. So the first runs of records go through the standard library. Whatever is not
plainly ordinary is declined, and the fast path decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from json import JSONDecoder
from typing import Any, NoReturn

from mlperf_logging.events import Event
from mlperf_logging.parsing.payloads import count_members

FIRST_RUNS = 8
"""So many runs of records of a process are read here; afterwards the fast library is loaded."""

_MARKER_COLONS = 3
_TYPES = (None, "POINT_IN_TIME", "INTERVAL_START", "INTERVAL_END")
_NAMESPACES = (str, int, type(None))
# Where the libraries could differ: escapes of half characters, integers and exponents beyond floats.
_DOUBTFUL = re.compile(rb"\\u|(?<![.0-9])[0-9]{16}|[eE]\+?[0-9]{3}")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


_decode = JSONDecoder(parse_constant=_refuse_constant).decode


def read_objects(
    raws: Sequence[bytes], numbers: Sequence[int], columns: Sequence[int], head: int, dialect: str
) -> list[Event] | None:
    """Events of records that are one JSON object each, behind a marker of `head` bytes; None unless all are ordinary."""
    events = []
    try:
        for raw, number, column in zip(raws, numbers, columns, strict=True):
            record: dict[str, Any] = _decode(raw[head:].decode())
            if record.__class__ is not dict or _DOUBTFUL.search(raw):
                return None
            key, metadata, time_ms = record["key"], record["metadata"], record["time_ms"]
            event_type, namespace = record.get("event_type"), record.get("namespace", "")
            if (
                key.__class__ is not str
                or metadata.__class__ is not dict
                or time_ms.__class__ not in (int, float)
                or event_type not in _TYPES
                or namespace.__class__ not in _NAMESPACES
                or count_members((record,)) + _MARKER_COLONS != raw.count(b":")
            ):
                return None
            fields = (key, record["value"], metadata, time_ms, number, column, raw, event_type, namespace)
            events.append(Event(*fields, dialect=dialect))
    except (ValueError, KeyError, RecursionError):
        return None
    return events
