"""Records that lack nothing but their time: errors of the log, but what they say can be read."""

import json
from collections.abc import Iterable
from math import nan

from mlperf_logging.events import Event, Problem

UNTIMED = frozenset({"missing-time", "time-in-seconds", "time-not-a-number"})
"""Labels of the problems of such records."""


def read_untimed(items: Iterable[Event | Problem]) -> list[Event | Problem]:
    """The items, with an event whose time is NaN in place of the problem of a record that lacks only its time."""
    return [(_read_event(item) or item) if isinstance(item, Problem) else item for item in items]


def _read_event(problem: Problem) -> Event | None:
    if problem.label not in UNTIMED:
        return None
    _, brace, text = problem.raw.partition(b"{")
    try:
        record = json.loads(brace + text)
    except (ValueError, RecursionError):
        return None
    key, metadata = record.get("key"), record.get("metadata", {})
    if not isinstance(key, str) or not isinstance(metadata, dict) or "value" not in record:
        return None
    place = problem.line, problem.column, problem.raw
    return Event(key, record["value"], metadata, nan, *place, dialect=problem.dialect)
