"""A log's items, held in memory where they are few and read a second time where they are many."""

from collections.abc import Iterator, Sequence
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, cast

from mlperf_logging.compliance.identity import Identity, is_uniform
from mlperf_logging.errors import UnreadableLogError
from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing import read_batches
from mlperf_logging.parsing.sources import STANDARD_INPUT, Source, is_special, name_of, open_standard_input
from mlperf_logging.runs.kept_events import KEPT_BYTES, KEPT_EVENTS, EventBudget, count_bytes

if TYPE_CHECKING:
    from mlperf_logging.runs.run import RunNotes

HELD_ITEMS = KEPT_EVENTS
"""Items of a log that are held in memory; a longer log is read twice, first for its identity, then to be judged."""

MAX_SPOOL_BYTES = 1 << 30
"""What a pipe, a device or standard input may give; it is kept, on disk where it is long, as it cannot be read twice."""


class HeldLog:
    """A log, by the path that the caller named, that is read once, or twice where it is long."""

    def __init__(self, source: Source, notes: "RunNotes | None" = None) -> None:
        """Read the log; the notes, for the typed view of the run, take in its items.

        Raises:
            UnreadableLogError: the log cannot be opened or its compression is broken.
        """
        self._source: Any = fspath(source) if isinstance(source, PathLike) else source
        self.path = name_of(self._source)
        self.identity = Identity({}, {})
        self.unread_count = 0
        self._items: list[Event | Problem] | None = []
        self._spool: Any = None
        self._uniform = True
        size = 0
        if _can_be_read_once_only(self._source):
            self._source = self._spool = _open_spool(self._source)
        for batch in read_batches(self._source):
            self._uniform = self._uniform and is_uniform(batch)
            self.identity.note(batch)
            if notes is not None:
                notes.note(batch)
            if self._items is not None:
                self._items += batch
                size += count_bytes(batch)
                if len(self._items) > HELD_ITEMS or size > KEPT_BYTES:
                    self._items = None

    def plain_events(self, dialect: str) -> Sequence[Event]:
        """The items, if they are held and all are events of one dialect; else nothing."""
        if self._items and self._uniform and list(self.identity.dialects) == [dialect]:
            return cast("list[Event]", self._items)
        return ()

    def arrange(self, reading: dict[str, Any]) -> Iterator[Event | Problem]:
        """The items as a round reads them: in file order, or each record once and sorted by its text."""
        if not reading:
            return self._read_items()
        kept: dict[bytes, Event] = {}
        others: list[Event | Problem] = []
        budget = EventBudget()
        for item in self._read_items():
            if type(item) is not Event:
                others.append(item)
            elif not (reading.get("once") and item.raw.strip() in kept) and budget.take([item]):
                kept[item.raw.strip() if reading.get("once") else b"%d" % len(kept)] = item
        self.unread_count = budget.refused
        events = list(kept.values())
        if reading.get("order") == "text":
            events.sort(key=lambda item: item.raw.strip())
        return iter([*events, *others])

    def _read_items(self) -> Iterator[Event | Problem]:
        if self._items is not None:
            yield from self._items
            return
        if self._spool is not None:
            self._spool.seek(0)
        for batch in read_batches(self._source):
            yield from batch


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
