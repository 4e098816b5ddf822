"""Records that are not ordinary: read with the dialect's grammar, or reported as problems."""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain, islice, pairwise, takewhile, zip_longest
from typing import TYPE_CHECKING

from mlperf_logging.events import Event
from mlperf_logging.parsing.diagnostics import RAW_LIMIT
from mlperf_logging.parsing.dialects import Dialect, Parsed, ParseRecord, Unreadable
from mlperf_logging.parsing.markers import compile_markers
from mlperf_logging.parsing.record import Item, Record, crop, make_problem
from mlperf_logging.parsing.tally import MORE_UNREADABLE, Tally

if TYPE_CHECKING:
    from mlperf_logging.parsing.doubts import DoubtReader
    from mlperf_logging.parsing.heads import HeadParser

EXPLAINED_RECORDS, EXPLAINED_BYTES = 1_000, 1 << 18
"""So many records of a log that cannot be read, and so many bytes of them, are explained; the rest are counted."""

_BRACKET_BYTES = 16
"""What a bracket counts beyond its byte: the grammar reads each by itself."""


class RecordReader:
    """Reads the text between two line ends, whatever it is.

    Attributes:
        markers: what records begin with.

    A line may hold several records. A marker within a text of a record that can be read is part of that text;
    in a record that cannot be read every marker begins a new one.
    """

    def __init__(self, dialects: Sequence[Dialect], parse: ParseRecord | None = None) -> None:
        self._parse = parse
        self.markers = compile_markers(tuple(dialects))
        self._explained = self._explained_bytes = 0
        self._tally = Tally()

    @cached_property
    def _head_parser(self) -> "HeadParser":
        """Parses sound records; ordinary logs do not need it."""
        from mlperf_logging.parsing.heads import HeadParser

        return HeadParser()

    @cached_property
    def _doubt_reader(self) -> "DoubtReader":
        """Reads records with doubts that are only counted."""
        from mlperf_logging.parsing.doubts import DoubtReader

        return DoubtReader(self.markers, self._head_parser, self._tally, self.read)

    @property
    def is_spent(self) -> bool:
        """Whether as many records that cannot be read have been explained as ever are."""
        return self._explained >= EXPLAINED_RECORDS or self._tally.is_full(MORE_UNREADABLE)

    def _find_eventless(
        self, dialect: Dialect, segment: "_Segment", start: int, stop: int, *, is_last: bool
    ) -> int | None:
        """Where a record ends that makes no event, -1 where it is broken; None where it is to be read with care.

        Args:
            dialect: the record's.
            segment: what it stands in.
            start: where it begins.
            stop: where the next marker is, or the segment ends.
            is_last: whether it ends there at the latest, not within a text of it.
        """
        raw = segment.raw[start:stop]
        if is_last and not dialect.may_hold_event(raw):
            return -1
        text, place = (raw.decode("latin-1"), 0) if is_last else (segment.latin, start)
        found = self._head_parser.find_end(dialect, text, place)
        if found is None:
            return None
        end, is_too_deep = found
        if end == -1:
            return -1
        end += start - place
        if is_too_deep:
            return end
        return None if is_last or dialect.may_hold_event(segment.raw[start:end]) else end

    def _skip_broken(
        self, segment: bytes, found: re.Match[bytes] | None, line: int, offset: int
    ) -> re.Match[bytes] | None:
        """The first marker, from some marker of a segment on, of a record that may hold an event; count the others."""
        if found is None:
            return None
        stop = len(segment)
        marks = self.markers.record.finditer(segment, found.start())
        for mark, other in pairwise(chain(marks, (None,))):
            assert mark is not None  # noqa: S101 - only the last one is None
            dialect = self.markers.dialects[mark[0]]
            if dialect.may_hold_event(segment[mark.start() : other.start() if other else stop]):
                return mark
            self._tally.count(MORE_UNREADABLE, line, offset + mark.start() + 1, dialect.name)
        return None

    def report_counted(self) -> list[Item]:
        """The problems that stand for what was only counted."""
        return [*self._tally.report()]

    def find_record(self, data: bytes, start: int = 0) -> int:
        """Where the first record begins in some bytes, -1 if there is none."""
        found = self.markers.record.search(data, start)
        return found.start() if found else -1

    def dialect_of(self, data: bytes, start: int = 0) -> Dialect | None:
        """The dialect of the record that begins at a place of some bytes; None when there is no marker."""
        found = self.markers.record.match(data, start)
        return self.markers.dialects[found[0]] if found else None

    def note_bare_markers(self, segment: bytes, start: int, stop: int, line: int, offset: int) -> list[Item]:
        """Warn of markers without a record between two places of a segment that begins `offset` bytes into its line."""
        found = self.markers.bare.finditer(segment, start, stop + self.markers.widest)
        marks = takewhile(lambda mark: mark.start() < stop, found)
        offset += 1
        return [
            make_problem("marker-without-record", line, offset + mark.start(), mark[0])
            for mark in marks
            if self._tally.admit("marker-without-record", line, offset + mark.start(), len(mark[0]), "")
        ]

    def count_bare(self, segments: Sequence[bytes]) -> bool:
        """Count the bare markers of segments, if that is all there is to be done with them."""
        label = "marker-without-record"
        text = b"\n".join(segments)
        if not self._tally.is_full(label) or self.markers.record.search(text):
            return False
        self._tally.count(label, 0, 0, "", len(self.markers.bare.findall(text)))
        return True

    def refuse_long(self, segment: bytes, record: int, line: int, offset: int, limit: int) -> list[Item]:
        """Refuse a segment, or its beginning, whose first record begins more than `limit` bytes before its end."""
        raw = segment[record : record + min(limit, RAW_LIMIT)]
        dialect = self.dialect_of(segment, record)
        name = dialect.name if dialect else ""
        column = offset + record + 1
        items = self.note_bare_markers(segment, 0, record, line, offset)
        if self._tally.admit("record-too-long", line, column, len(raw), name):
            items.append(make_problem("record-too-long", line, column, raw, f"{limit:,} bytes", dialect=name))
        return items

    def _find_stops(self, segment: bytes, start: int) -> Iterator[int]:
        """Markers from some place on: the first, the third, the seventh …, at last the end of the segment."""
        marks = self.markers.record.finditer(segment, start)
        step = 1
        while mark := next(islice(marks, step - 1, None), None):
            yield mark.start()
            step *= 2
        yield len(segment)

    def _parse_longer(
        self, record: Record, outcome: Parsed | Unreadable, segment: bytes, start: int, place: int
    ) -> tuple[Record, Parsed | Unreadable]:
        """Parse a record that cannot be read up to the first marker behind it, which may be within a text.

        Each try takes in twice as many markers, so that in the end no byte has been looked at much more often than once.
        """
        parse = self._parse or self._head_parser.parse
        for later in self._find_stops(segment, place):
            longer = Record.decode(record.dialect, segment[start:later], record.line, record.column)
            second = parse(record.dialect, longer.text)
            if not isinstance(second, Unreadable):
                return longer, second
        return record, outcome

    def _read_lone(self, raw: bytes, line: int, column: int) -> list[Item] | None:
        """Read a record that fills a segment, if its JSON is sound: the same as `_read_records` makes of it, sooner."""
        dialect = self.dialect_of(raw)
        if dialect is None:
            return None
        if self.is_spent and not dialect.may_hold_event(raw):
            self._tally.count(MORE_UNREADABLE, line, column, dialect.name)
            return []
        record = Record.decode(dialect, raw, line, column)
        parsed = self._head_parser.parse_sound(dialect, record.text)
        return None if parsed is None else self._make_items(record, parsed)

    def _make_items(self, record: Record, parsed: Parsed) -> list[Item]:
        """What a record makes that can be read; text behind it belongs to it, so that it makes no event."""
        if parsed.rest is None:
            items = record.read(parsed, self._tally)
            if items and type(items[0]) is Event:
                return items
        else:
            rest = crop(record.text[parsed.rest :].strip())
            items = record.tell(self._tally, "text-after-the-record", parsed.rest, rest)
        self._note_explained(record.raw)
        return items

    def _note_explained(self, raw: bytes) -> None:
        if not self.is_spent:
            self._explained += 1
            self._explained_bytes += len(raw) + _BRACKET_BYTES * (raw.count(b"[") + raw.count(b"{"))

    def read(self, segment: bytes, line: int, offset: int) -> list[Item]:
        """Read all records of a segment that has no line end and begins `offset` bytes into its line.

        Events and problems come in the order of the line, an event before its own warnings.
        """
        if self._parse is None and segment.rfind(self.markers.stem) == 0:
            lone = self._read_lone(segment, line, offset + 1)
            if lone is not None:
                return lone
        return self._read_records(segment, line, offset)

    def read_many(
        self, dialect: Dialect, raws: Sequence[bytes], numbers: Sequence[int], columns: Sequence[int]
    ) -> list[Item]:
        """Read what begins with a record of a dialect and goes up to a line end: as `read` does, many at once."""
        records = self._sift(dialect, list(zip(raws, numbers, columns, strict=True)))
        if records and self._tally.is_counting:
            return self._doubt_reader.read(dialect, records, may_be_eventless=self.is_spent)
        return [item for raw, line, column in records for item in self.read(raw, line, column - 1)]

    def _sift(self, dialect: Dialect, records: list[tuple[bytes, int, int]]) -> list[tuple[bytes, int, int]]:
        """Those of some records that may hold events; the others are counted."""
        if not self.is_spent:
            return records
        stem, may_hold, may_end = self.markers.stem, dialect.may_hold_event, dialect.may_end_event
        text = b"\n".join([raw for raw, _, _ in records])
        kept: list[tuple[bytes, int, int]] = []
        if may_hold(text) or text.count(stem) != len(records):
            kept = [
                each
                for each in records
                if (may_hold(each[0]) and may_end(each[0])) or each[0].rfind(stem) > 0
            ]
        if len(kept) < len(records):
            first = next(each for each, other in zip_longest(records, kept) if each is not other)
            _, line, column = first
            self._tally.count(MORE_UNREADABLE, line, column, dialect.name, len(records) - len(kept))
        return kept

    def _read_records(self, segment: bytes, line: int, offset: int) -> list[Item]:
        parse = self._parse or self._head_parser.parse
        search = self.markers.record.search
        found = search(segment)
        start = found.start() if found else len(segment)
        items = self.note_bare_markers(segment, 0, start, line, offset) if start else []
        whole = _Segment(segment)
        broken = False
        seen = 0
        while found:
            dialect, start = self.markers.dialects[found[0]], found.start()
            other = search(segment, found.end())
            stop = other.start() if other else len(segment)
            # A value that is not whole by the end of the line is not whole at any marker before it.
            is_last = broken or not other
            longest = (stop if is_last else len(segment)) - start
            if self.is_spent or self._explained_bytes + longest > EXPLAINED_BYTES:
                end = self._find_eventless(dialect, whole, start, stop, is_last=is_last)
                if end is not None:
                    self._tally.count(MORE_UNREADABLE, line, offset + start + 1, dialect.name)
                    broken = end < 0
                    found = (
                        self._skip_broken(segment, other, line, offset) if broken else search(segment, end)
                    )
                    continue
            record = Record.decode(dialect, segment[start:stop], line, offset + start + 1)
            outcome = parse(dialect, record.text)
            if isinstance(outcome, Unreadable) and other and not broken:
                record, outcome = self._parse_longer(record, outcome, segment, start, other.end())
                stop = start + len(record.raw)
                broken = isinstance(outcome, Unreadable)
            seen += 1
            if seen == 2:
                column, raw = offset + start + 1, segment[start : start + RAW_LIMIT]
                if self._tally.admit("two-events-on-a-line", line, column, len(raw), dialect.name):
                    items.append(make_problem("two-events-on-a-line", line, column, raw, dialect=dialect))
            if isinstance(outcome, Unreadable):
                items.append(record.problem(outcome.label, outcome.place))
                self._note_explained(record.raw)
                found = other
                continue
            end = stop if outcome.rest is None else start + record.bytes_before(outcome.rest)
            found = search(segment, end)
            if found:
                record = record._replace(raw=segment[start:end].rstrip(b" \t"))
                outcome = outcome._replace(rest=None)
            items += self._make_items(record, outcome)
            if found:
                items += self.note_bare_markers(segment, end, found.start(), line, offset)
        return items


class _Segment:
    """The bytes between two line ends, and once it is needed a text with a character for each."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    @cached_property
    def latin(self) -> str:
        """A character for each byte."""
        return self.raw.decode("latin-1")
