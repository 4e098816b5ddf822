"""Ordinary records of one dialect in columns; events are made only of those that someone looks at.

Decoding a record takes half a microsecond; an event of it, with its line and column, takes as long again. Most records
of a log are neither in question nor shown to anyone.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import compress, repeat
from typing import Any, NamedTuple, TypeAlias

from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing.payloads import make_event

Places: TypeAlias = tuple[Sequence[int], Iterable[int]]
"""Line numbers and columns of some records."""


class RecordColumns(NamedTuple):
    """What some records hold, one element for each record; the fields are those of `Event`."""

    keys: Sequence[str]
    values: Sequence[Any]
    metadatas: Sequence[dict[str, Any]]
    times: Sequence[int | float]
    event_types: Sequence[str | None]
    namespaces: Sequence[Any]


class EventColumns:
    """The events of some records in file order.

    Attributes:
        dialect: name of the dialect of all records.
        records: what they hold.
        byte_count: the length of all records, markers included.
    """

    __slots__ = ("_find_places", "_lines", "_marker", "dialect", "records")

    def __init__(
        self,
        dialect: str,
        marker: bytes,
        records: RecordColumns,
        lines: bytes,
        find_places: Callable[[Sequence[bytes]], Places],
    ) -> None:
        """Keep columns.

        Args:
            dialect: name of the dialect.
            marker: the bytes that begin each record.
            records: what the records hold.
            lines: the payloads of the records, which are their bytes behind the marker: each a line, the last without its end.
            find_places: finds the places of the records, by their payloads, when they are needed.
        """
        self.dialect = dialect
        self.records = records
        self._marker = marker
        self._lines = lines
        self._find_places = find_places

    def __len__(self) -> int:
        return len(self.records.keys)

    def __iter__(self) -> Iterator[Event]:
        payloads = self._payloads
        return iter(self._join(self.records, payloads, *self._find_places(payloads)))

    @property
    def _payloads(self) -> list[bytes]:
        return self._lines.split(b"\n")

    @property
    def first_line(self) -> int:
        """Line of the first record, counted from 1."""
        numbers, _ = self._find_places([self._lines[: self._lines.find(b"\n")]])
        return next(iter(numbers))

    @property
    def text(self) -> bytes:
        """The text of all records, markers included."""
        return self._marker.join([b"", *self._payloads])

    @property
    def byte_count(self) -> int:
        """The bytes of all records."""
        return len(self._lines) + 1 + (len(self._marker) - 1) * len(self)

    def find_first(self, key: str) -> Event | None:
        """The first event of a key, unplaced and without its bytes; None where there is none."""
        keys = self.records.keys
        if key not in keys:
            return None
        fields = [column[keys.index(key)] for column in self.records]
        return make_event((*fields[:4], 0, 0, b"", *fields[4:], None, self.dialect))

    def find_firsts(self) -> dict[str, int]:
        """The index of the first record of each key, those last whose first record is first."""
        keys = self.records.keys
        return dict(zip(reversed(keys), range(len(keys) - 1, -1, -1), strict=True))

    def make_unplaced(self, indices: Sequence[int]) -> list[Event]:
        """The events of some records, all of them in line 0 and column 0: finding their places would take longer.

        Args:
            indices: which records.
        """
        fields = [[column[index] for index in indices] for column in self.records]
        payloads = self._payloads
        return self._join(fields, [payloads[index] for index in indices], repeat(0), repeat(0))

    def make_bare(self, wanted: Sequence[object]) -> list[Event]:
        """The events of some records, unplaced, with their keys, values, metadata and times only.

        Args:
            wanted: true for each record of which an event is made.
        """
        keys, values, metadatas, times, *_ = (compress(column, wanted) for column in self.records)
        rest = (
            repeat(0),
            repeat(0),
            repeat(b""),
            repeat(None),
            repeat(""),
            repeat(None),
            repeat(self.dialect),
        )
        return list(map(make_event, zip(keys, values, metadatas, times, *rest, strict=False)))

    def make_events_of(self, keys: Container[str]) -> list[Event]:
        """The events of some keys, and the first of each other one."""
        wanted = list(map(keys.__contains__, self.records.keys))
        for index in self.find_firsts().values():
            wanted[index] = True
        payloads = self._payloads
        numbers, columns = self._find_places(payloads)
        fields = [compress(column, wanted) for column in self.records]
        places = compress(numbers, wanted), compress(columns, wanted)
        return self._join(fields, compress(payloads, wanted), *places)

    def _join(
        self,
        fields: Sequence[Iterable[Any]],
        payloads: Iterable[bytes],
        numbers: Iterable[int],
        columns: Iterable[int],
    ) -> list[Event]:
        keys, values, metadatas, times, types, namespaces = fields
        raws, names = map(self._marker.__add__, payloads), repeat(self.dialect)
        rows = zip(
            keys, values, metadatas, times, numbers, columns, raws, types, namespaces, repeat(None), names
        )
        return list(map(make_event, rows))


Batch: TypeAlias = "list[Event | Problem] | EventColumns"
"""Events and problems of a log, in file order."""


def join_batches(first: Batch, second: Batch) -> Batch:
    """Two batches, one behind the other, as one."""
    if not len(second):
        return first
    return [*first, *second] if len(first) else second
