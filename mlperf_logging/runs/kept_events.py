"""Events of a log that are kept in memory after it was read: few and short ones, whatever the log holds.

Real logs have some thousand events of at most a thousand bytes. What a log holds beyond the bounds is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from operator import itemgetter
from typing import Any

from mlperf_logging.events import Event, Problem

KEPT_EVENTS, KEPT_BYTES = 50_000, 8 << 20
"""So many events, and so many bytes of their records, are kept for one purpose."""

KEPT_KEYS = 10_000
"""So many different keys are kept."""

LONG_RECORD = 1 << 12
"""Of a record with more bytes only the beginning is kept."""

CROPPED_BYTES, PART_BYTES = 1 << 14, 1 << 6
"""So many bytes of a long record's values are kept, each part of them counted as so many besides its text."""

_NESTED_BYTES = 16
"""What a list or an object counts beyond its bytes: in memory it takes thirty times as much as ``{}`` does in a log."""

_MOST_BYTES = 1 + _NESTED_BYTES
"""What a byte of a record counts at most."""

SURELY_KEPT_BYTES = KEPT_BYTES // _MOST_BYTES
"""Records of so many bytes are within the bounds whatever is in them."""

_RAW = itemgetter(Event._fields.index("raw"))


def weigh(text: bytes) -> int:
    """The bytes of a text of records, with what their lists and objects take beyond that."""
    return len(text) + _NESTED_BYTES * (text.count(b"[") + text.count(b"{"))


def count_bytes(items: Sequence[Event | Problem]) -> int:
    """The bytes of the records of some items, with what their lists and objects take beyond that."""
    return weigh(b"".join(map(_RAW, items)))


def count_lengths(items: Sequence[Event | Problem]) -> int:
    """The bytes of the records of some items."""
    return sum(map(len, map(_RAW, items)))


def crop_event(event: Event) -> Event:
    """The event as it is kept while a log is judged: of a long record, the beginnings of value, metadata and text."""
    raw = event[6]
    if len(raw) <= LONG_RECORD:
        return event
    value, metadata, namespace = event.value, crop_value(event.metadata), crop_value(event.namespace)
    return event._replace(
        value=crop_value(value), metadata=metadata, namespace=namespace, raw=raw[:LONG_RECORD]
    )


def crop_value(value: Any, most_bytes: int = CROPPED_BYTES) -> Any:
    """The beginning of a decoded value: its first parts, and of their texts the first characters."""
    return _crop(value, [most_bytes])


def _crop(value: Any, left: list[int]) -> Any:
    left[0] -= PART_BYTES
    if value.__class__ is str:
        value = value[: max(0, left[0])]
        left[0] -= len(value)
    elif value.__class__ is list:
        value = [_crop(part, left) for part in value if left[0] > 0]
    elif value.__class__ is dict:
        value = {_crop(name, left): _crop(part, left) for name, part in value.items() if left[0] > 0}
    return value


class EventBudget:
    """Decides which events of a log are kept: those that come first.

    Attributes:
        refused: number of those that were not.
    """

    def __init__(self, events: int = KEPT_EVENTS, record_bytes: int = KEPT_BYTES) -> None:
        self.refused = 0
        self._events, self._bytes = events, record_bytes
        self._surely_kept = record_bytes // _MOST_BYTES
        self._unweighed: list[Sequence[Event]] = []

    def take(self, events: Sequence[Event], most_bytes: int | None = None) -> Sequence[Event]:
        """Those of some events that are kept.

        Args:
            events: of the log, in their order.
            most_bytes: what their records have at most, where that is known: far from the bounds, as nearly all logs
                are, no record needs to be looked at then, which takes longer than all else that is done with it here.
        """
        if most_bytes is not None and len(events) <= self._events and most_bytes <= self._surely_kept:
            self._events -= len(events)
            self._surely_kept -= most_bytes
            self._unweighed.append(events)
            return events
        self._bytes -= sum(map(count_bytes, self._unweighed))
        self._unweighed.clear()
        size = count_bytes(events)
        if len(events) <= self._events and size <= self._bytes:
            taken = len(events)
        else:
            sums = accumulate(map(weigh, map(_RAW, events[: self._events])))
            taken = sum(1 for each in sums if each <= self._bytes)
            self.refused += len(events) - taken
            events = events[:taken]
            size = count_bytes(events)
            self._events = taken  # what follows one that is refused is refused, too
        self._events -= taken
        self._bytes -= size
        self._surely_kept = max(0, self._bytes) // _MOST_BYTES
        return events


class EventByKey(dict[str, Event]):
    """One event for each key.

    Attributes:
        refused: number of those that were not kept.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refused = 0
        self._surely_kept = SURELY_KEPT_BYTES
        self._bytes: int | None = None  # weighed when it may matter

    def keep(self, events: Mapping[str, Event]) -> None:
        """Put events in the place of those that are kept for their keys."""
        length = count_lengths(tuple(events.values()))
        if length <= self._surely_kept and len(self) + len(events) <= KEPT_KEYS:
            self.update(events)
            self._surely_kept -= length
            self._bytes = None
            return
        kept = count_bytes(tuple(self.values())) if self._bytes is None else self._bytes
        for key, event in events.items():
            former = self.get(key)
            size = kept + weigh(event.raw) - (weigh(former.raw) if former is not None else 0)
            if size > KEPT_BYTES or (former is None and len(self) >= KEPT_KEYS):
                self.refused += 1
            else:
                self[key] = event
                kept = size
        self._bytes, self._surely_kept = kept, (KEPT_BYTES - kept) // _MOST_BYTES
