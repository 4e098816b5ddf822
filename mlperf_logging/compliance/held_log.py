"""A log's items, held in memory where they are few and read a second time where they are many."""

import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from itertools import groupby, islice
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, cast

from mlperf_logging.compliance.identity import Identity, is_uniform
from mlperf_logging.errors import UnreadableLogError
from mlperf_logging.events import Event, Position, Problem
from mlperf_logging.parsing import read_batches
from mlperf_logging.parsing.sources import STANDARD_INPUT, Source, is_special, name_of, open_standard_input
from mlperf_logging.runs.kept_events import KEPT_BYTES, KEPT_EVENTS, EventBudget, count_bytes

if TYPE_CHECKING:
    from mlperf_logging.runs.run import RunNotes

HELD_ITEMS = KEPT_EVENTS
"""Items of a log that are held in memory; a longer log is read twice, first for its identity, then to be judged."""

_BATCH = 1_000
FILE_BEGIN, FILE_END = Position(0, 0), Position(sys.maxsize, 0)
"""Places before and behind everything in a file."""

MAX_SPOOL_BYTES = 1 << 30
"""What a pipe, a device or standard input may give; it is kept, on disk where it is long, as it cannot be read twice."""


class HeldLog:
    """A log that is read once, or twice where it is long.

    Attributes:
        path: the log as the caller named it.
        identity: what it says of its own kind.
        notes: what the typed view of its run is made of, or None.
        number: of the run that it is among several in a file, from 1 on; None for a whole file.
        begin: where it begins in the file.
    """

    def __init__(self, source: Source, notes: "RunNotes | None" = None) -> None:
        """Read the log; the notes, for the typed view of the run, take in its items.

        Raises:
            UnreadableLogError: the log cannot be opened or its compression is broken.
        """
        self._source: Any = fspath(source) if isinstance(source, PathLike) else source
        self.path = name_of(self._source)
        self.identity = Identity({}, {})
        self.notes = notes
        self.number: int | None = None
        self.begin = FILE_BEGIN
        self.unread_count = 0
        self._items: list[Event | Problem] | None = []
        self._spool: Any = None
        self._uniform = True
        self._span: tuple[Position, Position] | None = None
        if _can_be_read_once_only(self._source):
            self._source = self._spool = _open_spool(self._source)
        self._take(read_batches(self._source))

    def _take(self, batches: Iterable[list[Event | Problem]]) -> None:
        size = 0
        for batch in batches:
            self._uniform = self._uniform and is_uniform(batch)
            self.identity.note(batch)
            if self.notes is not None:
                self.notes.note(batch)
            if self._items is not None:
                self._items += batch
                size += count_bytes(batch)
                if len(self._items) > HELD_ITEMS or size > KEPT_BYTES:
                    self._items = None

    def split(self, begins: Sequence[Position]) -> Iterator["HeldLog"]:
        """The parts of the log that begin at some places, in file order, each as a log of its own.

        What stands before the first place belongs to the first part.
        """
        ends = (*begins[1:], FILE_END)
        parts = groupby(self.items(), lambda item: bisect_right(ends, (item.line, item.column)))
        for number, items in parts:
            part = copy(self)
            part.identity, part._items, part._uniform = Identity({}, {}), [], True
            part.number, part.begin = number + 1, begins[number]
            part._span = begins[number] if number else FILE_BEGIN, ends[number]
            part.notes = None if self.notes is None else type(self.notes)()
            part._take(_batch(items))
            place = None if self._spool is None else self._spool.tell()
            yield part
            if self._spool is not None:  # the part may have been read from it in the meantime
                self._spool.seek(place)

    def plain_events(self, dialect: str) -> Sequence[Event]:
        """The items, if they are held and all are events of one dialect; else nothing."""
        if self._items and self._uniform and list(self.identity.dialects) == [dialect]:
            return cast("list[Event]", self._items)
        return ()

    def arrange(self, reading: dict[str, Any]) -> Iterator[Event | Problem]:
        """The items as a round reads them: in file order, or each record once and sorted by its text."""
        if not reading:
            return self.items()
        kept: dict[bytes, Event] = {}
        others: list[Event | Problem] = []
        budget = EventBudget()
        for item in self.items():
            if type(item) is not Event:
                others.append(item)
            elif not (reading.get("once") and item.raw.strip() in kept) and budget.take([item]):
                kept[item.raw.strip() if reading.get("once") else b"%d" % len(kept)] = item
        self.unread_count = budget.refused
        events = list(kept.values())
        if reading.get("order") == "text":
            events.sort(key=lambda item: item.raw.strip())
        return iter([*events, *others])

    def items(self) -> Iterator[Event | Problem]:
        """The items in file order."""
        if self._items is not None:
            yield from self._items
            return
        if self._spool is not None:
            self._spool.seek(0)
        begin, end = self._span or (FILE_BEGIN, FILE_END)
        for batch in read_batches(self._source):
            yield from [item for item in batch if begin <= (item.line, item.column) < end]


def _batch(items: Iterator[Event | Problem]) -> Iterator[list[Event | Problem]]:
    while batch := list(islice(items, _BATCH)):
        yield batch


def _can_be_read_once_only(source: Any) -> bool:
    """True for standard input, an open file, and a path that names a pipe or a device."""
    if isinstance(source, bytes):
        return False
    if not isinstance(source, str) or source == "-":
        return True
    return is_special(source)


def _open_spool(source: Any) -> Any:
    from contextlib import ExitStack
    from tempfile import SpooledTemporaryFile

    name, size = name_of(source), 0
    spool = SpooledTemporaryFile(max_size=16 << 20)  # noqa: SIM115 - lives as long as the log is judged
    try:
        with ExitStack() as opened:
            if source == STANDARD_INPUT:
                source = open_standard_input()
            elif isinstance(source, str):
                source = opened.enter_context(open(source, "rb"))
            while block := source.read(1 << 20):
                size += len(block)
                if size > MAX_SPOOL_BYTES:
                    message = f"{name}: gives more than {MAX_SPOOL_BYTES >> 20} MiB; name a file, which may be longer"
                    raise UnreadableLogError(name, message)
                spool.write(block)
    except OSError as error:
        raise UnreadableLogError(name, f"{name}: cannot be read: {error.strerror}") from error
    spool.seek(0)
    return spool
