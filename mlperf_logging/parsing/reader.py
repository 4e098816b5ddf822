"""Reading logs: streams of events and problems, and whole logs."""

import gc
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple, cast

from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing.columns import Batch
from mlperf_logging.parsing.dialects import Dialect, load_dialects, rank_dialect
from mlperf_logging.parsing.record import make_problem
from mlperf_logging.parsing.records import RecordReader
from mlperf_logging.parsing.scanner import Scanner
from mlperf_logging.parsing.sources import CutShort, Source, name_of, read_blocks
from mlperf_logging.parsing.tally import describe_untold


class Log(NamedTuple):
    """A whole log.

    Attributes:
        path: the file as the caller named it; "-" for standard input, "<bytes>" for bytes.
        dialect: the newest dialect that has events in the file; None where there is no record at all.
        events: the events of that dialect, in file order.
        problems: what could not be read as written, in file order.
    """

    path: str
    dialect: str | None
    events: list[Event]
    problems: list[Problem]


def read_batches(source: Source, *, dialects: Iterable[Dialect] | None = None) -> Iterator[Batch]:
    """Read a log as a stream of lists of events and problems of all dialects, or of some, in file order.

    Memory is bounded by the longest record, not by the file. An event comes before its own warnings.
    """
    known = tuple(dialects) if dialects is not None else load_dialects()
    yield from _scan(source, Scanner(RecordReader(known)))


def _scan(source: Source, scanner: Scanner) -> Iterator[Batch]:
    for block in chain(read_blocks(source), (CutShort(""),)):
        items = scanner.finish(block.compression) if isinstance(block, CutShort) else scanner.feed(block)
        del block  # free before the next one is read
        if len(items):
            yield items
        del items


def read_log(source: Source) -> Log:
    """Read a whole log.

    Args:
        source: path, "-" for standard input, bytes, or a file object opened for reading bytes.

    Returns:
        The log in its newest dialect; records of older dialects in it become warnings.

    Raises:
        UnreadableLogError: the file cannot be opened or its compression is broken.
    """
    scanner = Scanner(RecordReader(load_dialects()))
    items: list[Event | Problem] = []
    collecting = gc.isenabled()
    gc.disable()  # collecting looks through all events, which are all alive: two thirds more time
    try:
        for batch in _scan(source, scanner):
            items += batch
        if scanner.only_dialect:
            return Log(name_of(source), scanner.only_dialect, cast("list[Event]", items), [])
        return make_log(name_of(source), items)
    finally:
        if collecting:
            gc.enable()


def make_log(path: str, items: list[Event | Problem]) -> Log:
    """Make a log of its items in file order: the newest dialect is the log's, records of older ones are noise."""
    spoken = {item.dialect for item in items}
    dialects = {item.dialect for item in items if type(item) is Event} or spoken - {""}
    newest = max(dialects, key=rank_dialect, default=None)
    rank = rank_dialect(newest) if newest else 0
    older = {name for name in spoken if name and rank_dialect(name) < rank}
    problems: list[Problem] = []
    events: list[Event] = []
    for item in items:
        if item.dialect in older:
            problems.append(_describe_older(item))
        elif isinstance(item, Event):
            events.append(item)
        else:
            problems.append(item)
    return Log(path, newest, events, problems)


def _describe_older(item: Event | Problem) -> Problem:
    label, dialect = "older-dialect-record", item.dialect
    if isinstance(item, Problem) and not item.raw:  # it stands for records that were only counted
        return describe_untold(label, item.occurrences, item.line, item.column, dialect)
    return make_problem(label, item.line, item.column, item.raw, dialect, item.key, dialect)
