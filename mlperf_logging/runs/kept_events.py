"""Events of a log that are kept in memory after it was read: few and short ones, whatever the log holds.

Real logs have some thousand events of at most a thousand bytes. What a log holds beyond the bounds is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from operator import itemgetter

from mlperf_logging.events import Event, Problem

KEPT_EVENTS, KEPT_BYTES = 50_000, 8 << 20
"""So many events, and so many bytes of their records, are kept for one purpose."""

KEPT_KEYS = 10_000
"""So many different keys are kept."""

_RAW = itemgetter(Event._fields.index("raw"))


def count_bytes(items: Sequence[Event | Problem]) -> int:
    """The bytes of the records of some items."""
    return sum(map(len, map(_RAW, items)))


class EventBudget:
    """Decides which events of a log are kept: those that come first.

    Attributes:
        refused: number of those that were not.
    """

    def __init__(self, events: int = KEPT_EVENTS, record_bytes: int = KEPT_BYTES) -> None:
        self.refused = 0
        self._events, self._bytes = events, record_bytes

    def take(self, events: Sequence[Event]) -> Sequence[Event]:
        """Those of some events that are kept."""
        size = count_bytes(events)
        if len(events) <= self._events and size <= self._bytes:
            taken = len(events)
        else:
            sums = accumulate(map(len, map(_RAW, events[: self._events])))
            taken = sum(1 for each in sums if each <= self._bytes)
            self.refused += len(events) - taken
            events = events[:taken]
            size = count_bytes(events)
            self._events = taken  # what follows one that is refused is refused, too
        self._events -= taken
        self._bytes -= size
        return events


class EventByKey(dict[str, Event]):
    """One event for each key.

    Attributes:
        refused: number of those that were not kept.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refused = 0
        self._bytes = 0

    def keep(self, events: Mapping[str, Event]) -> None:
        """Put events in the place of those that are kept for their keys."""
        for key, event in events.items():
            former = self.get(key)
            size = self._bytes + len(event.raw) - (len(former.raw) if former is not None else 0)
            if size > KEPT_BYTES or (former is None and len(self) >= KEPT_KEYS):
                self.refused += 1
            else:
                self[key] = event
                self._bytes = size
