"""A log's items, held in memory where they are few and read a second time where they are many."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, cast

from mlperf_logging.compliance.identity import Identity, is_uniform
from mlperf_logging.errors import MLPerfLoggingError, UnreadableLogError
from mlperf_logging.events import Event, Position, Problem, Severity
from mlperf_logging.parsing import read_batches
from mlperf_logging.parsing.columns import Batch, EventColumns
from mlperf_logging.parsing.record import make_problem
from mlperf_logging.parsing.sources import (
    STANDARD_INPUT,
    Source,
    is_special,
    name_of,
    open_standard_input,
    read_blocks,
)
from mlperf_logging.runs.kept_events import (
    KEPT_BYTES,
    KEPT_EVENTS,
    SURELY_KEPT_BYTES,
    EventBudget,
    count_bytes,
    count_lengths,
    weigh,
)

if TYPE_CHECKING:
    from typing import IO

    from mlperf_logging.compliance.judge import Judging
    from mlperf_logging.parsing.wrappings import Wrapping
    from mlperf_logging.runs.run import RunNotes

HELD_ITEMS = KEPT_EVENTS
"""Items of a log that are held in memory. A longer log is judged while it is read, by the rules for what its beginning
says of its kind; if its end says otherwise, it is read a second time."""

_BATCH = 1_000
FILE_BEGIN, FILE_END = Position(0, 0), Position(sys.maxsize, 0)
"""Places before and behind everything in a file."""

MAX_SPOOL_BYTES = 1 << 30
"""What a pipe, a device or standard input may give; it is kept, on disk where it is long, as it cannot be read twice."""


class HeldLog:
    """A log that is read once, or again where it is long.

    Attributes:
        path: the log as the caller named it.
        identity: what it says of its own kind.
        wrapped: the problem that says what its surroundings have wrapped around it, or None.
        notes: what the typed view of its run is made of, or None.
        number: of the run that it is among several in a file, from 1 on; None for a whole file.
        begin: where it begins in the file.
    """

    def __init__(
        self,
        source: Source,
        notes: "RunNotes | None" = None,
        begin_judging: "Callable[[HeldLog], Judging | None] | None" = None,
    ) -> None:
        """Read the log.

        Args:
            source: path, ``"-"`` for standard input, the log's bytes, or a binary file.
            notes: for the typed view of the run; they take in the items.
            begin_judging: begins to judge a long log by what is known of it so far; see `take_judging`.

        Raises:
            UnreadableLogError: the log cannot be opened or its compression is broken.
        """
        self._source: Any = fspath(source) if isinstance(source, PathLike) else source
        self.path = name_of(self._source)
        self.identity = Identity()
        self.notes = notes
        self.number: int | None = None
        self.begin = FILE_BEGIN
        self.unread_count = 0
        self._batches: list[Batch] | None = []
        self._spool: Any = None
        self._uniform = True
        self._span: tuple[Position, Position] | None = None
        if _can_be_read_once_only(self._source):
            self._source = self._spool = _open_spool(self._source)
        self._wrappings: tuple[Wrapping, ...] = ()
        self.wrapped: Problem | None = None
        self._event_count = 0
        self._is_damaged = False
        self._begin_judging, self._judging = begin_judging, cast("Judging | None", None)
        self._take(self._read_batches())
        if self._is_damaged or not self.identity.dialects:
            self._unwrap()

    def _read_batches(self) -> Iterator[Batch]:
        if self._spool is not None:
            self._spool.seek(0)
        if not self._wrappings:
            return read_batches(self._source)
        from mlperf_logging.parsing.wrappings import UnwrappedFile

        return read_batches(cast("IO[bytes]", UnwrappedFile(self.read_unwrapped(filled=True), self.path)))

    def read_unwrapped(self, *, filled: bool = False) -> Iterator[bytes]:
        """The lines of the log without what is wrapped around it; filled: one for each line of the file."""
        from mlperf_logging.parsing.wrappings import unwrap_blocks

        if self._spool is not None:
            self._spool.seek(0)
        blocks = (block for block in read_blocks(self._source) if isinstance(block, bytes))
        return unwrap_blocks(blocks, self._wrappings, filled=filled)

    def _unwrap(self) -> None:
        """Read the log once more without what its surroundings have wrapped around it, if they have."""
        from mlperf_logging.parsing.wrappings import describe_wrappings, recognize_wrappings

        if self._spool is not None:
            self._spool.seek(0)
        self._wrappings = recognize_wrappings(read_blocks(self._source))
        if not self._wrappings:
            return
        count = self._event_count
        self.identity, self._batches, self._uniform, self._event_count = Identity(), [], True, 0
        self._judging = None
        self.notes = None if self.notes is None else type(self.notes)()
        self._take(self._read_batches())
        first = next(item for item in self.items() if type(item) is Event)
        what = f"{self._event_count - count:,} records are {describe_wrappings(self._wrappings)}"
        problem = make_problem("wrapped-records", first.line, first.column, first.raw, what)
        self.wrapped = problem._replace(found=", ".join(each.name for each in self._wrappings))
        self._put_wrapped()

    def _put_wrapped(self) -> None:
        self._uniform = False
        if self.wrapped is None:
            return
        if self._batches is not None:
            self._batches.insert(0, [self.wrapped])
        if self._judging is not None:
            self._judging.problems.insert(0, self.wrapped)

    def _take(self, batches: Iterable[Batch]) -> None:
        held = length = size = 0
        for each in batches:
            batch: Batch = list(each) if self.notes is not None else each
            said, most_bytes = batch, None
            if isinstance(batch, EventColumns):
                batch_bytes = batch.byte_count
                self._event_count += len(batch)
            else:
                batch_bytes = count_lengths(batch)
                if is_uniform(batch):
                    most_bytes = batch_bytes
                    self._event_count += len(batch)
                else:
                    said = self._take_mixed(batch)
            self.identity.note(said)
            if self.notes is not None:
                self.notes.note(said, most_bytes)
            if self._batches is not None:
                self._batches.append(batch)
                held += len(batch)
                length += batch_bytes
                if length > SURELY_KEPT_BYTES:  # what the lists and objects in them take is counted only then
                    size = sum(map(_weigh, self._batches if not size else (batch,)), start=size)
                if held > HELD_ITEMS or size > KEPT_BYTES:
                    self._judge_held()
                    self._batches = None
            elif self._judging is not None:
                self._judging.take(batch)
            del batch, said, each  # free before the next one is read

    def _take_mixed(self, batch: list[Event | Problem]) -> list[Event | Problem]:
        """Take in a batch that holds more than events of one dialect; gives it with the events that lack times only."""
        from mlperf_logging.parsing.untimed import read_untimed

        self._uniform = False
        self._event_count += sum(type(item) is Event for item in batch)
        self._is_damaged = self._is_damaged or any(map(_is_error, batch))
        return read_untimed(batch)

    def _judge_held(self) -> None:
        self.identity.settle()
        if self._begin_judging is not None:
            try:  # not contextlib, which costs a cold start
                self._judging = self._begin_judging(self)
            except MLPerfLoggingError:  # it is raised again where the whole log is known
                self._judging = None
        if self._judging is not None:
            self._judging.take(chain.from_iterable(self._batches or ()))

    def take_judging(self) -> "Judging | None":
        """What judging a long log while it was read has come to, where it was begun, and only once."""
        judging, self._judging = self._judging, None
        return judging

    def split(self, begins: Sequence[Position]) -> Iterator["HeldLog"]:
        """The parts of the log that begin at some places, in file order, each as a log of its own.

        What stands before the first place belongs to the first part.
        """
        from bisect import bisect_right
        from copy import copy
        from itertools import groupby

        ends = (*begins[1:], FILE_END)
        parts = groupby(self.items(), lambda item: bisect_right(ends, (item.line, item.column)))
        for number, items in parts:
            part = copy(self)
            part.identity, part._batches, part._uniform = Identity(), [], True
            part._begin_judging = part._judging = None
            part.number, part.begin = number + 1, begins[number]
            part._span = begins[number] if number else FILE_BEGIN, ends[number]
            part.notes = None if self.notes is None else type(self.notes)()
            part._take(_batch(items))
            if number and self.wrapped is not None:
                part._put_wrapped()
            place = None if self._spool is None else self._spool.tell()
            yield part
            if self._spool is not None:  # the part may have been read from it in the meantime
                self._spool.seek(place)

    def plain_batches(self, dialect: str) -> Sequence[Batch]:
        """The items in batches, if they are held and all are events of one dialect; else nothing."""
        if self._batches and self._uniform and self.identity.dialects == [dialect]:
            return self._batches
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
        if self._batches is not None:
            yield from chain.from_iterable(self._batches)
            return
        if self.wrapped is not None:
            yield self.wrapped
        begin, end = self._span or (FILE_BEGIN, FILE_END)
        for batch in self._read_batches():
            items = [item for item in batch if begin <= (item.line, item.column) < end]
            del batch  # free before the next one is read
            yield from items
            del items


def _weigh(batch: Batch) -> int:
    return weigh(batch.text) if isinstance(batch, EventColumns) else count_bytes(batch)


def _is_error(item: Event | Problem) -> bool:
    return isinstance(item, Problem) and item.severity == Severity.ERROR


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
