"""From bytes to items: finds records in lines, reads the ordinary ones many at once and passes on the rest.

Lines end with a line feed, and only line feeds count. A carriage return ends a record, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate, groupby, repeat
from operator import sub

from mlperf_logging.parsing.columns import Batch, EventColumns, Places, join_batches
from mlperf_logging.parsing.dialects import Dialect
from mlperf_logging.parsing.record import Item, make_problem
from mlperf_logging.parsing.records import RecordReader

RECORD_LIMIT = 4 << 20
"""From the marker of its first record on, a line is read up to this many bytes."""

BATCH_RECORDS = 256
"""Records that are read at once; more would leave the processor's cache."""

CAREFUL_BATCHES = 16
"""So many batches that are not ordinary are read record by record at once, after one of which most records were so."""

KEPT_NOISE = 4 << 20
"""Blocks in which records are not the only lines are kept up to this many bytes besides the records, to find the places of
these when they are needed; for those beyond, the places are found at once."""

_SAMPLE = 1 << 10
_SAMPLES = 4
_ONES = [1] * BATCH_RECORDS
_LINE_FEED = ord("\n")
_PART = 1 << 14
_LARGE = 1 << 11


class Scanner:
    """Cuts blocks of bytes into lines and reads the records in them."""

    def __init__(self, reader: RecordReader, *, record_limit: int = RECORD_LIMIT) -> None:
        self._line = 1
        self._uncounted: tuple[bytes, int, int] | None = None
        self._reader = reader
        self._limit = record_limit
        self._stem = reader.markers.stem
        self._mark, self._dialect = next(iter(reader.markers.dialects.items()))
        self._offset = 0
        self._rest = b""
        self._skipping = False
        self._careful_batches = self._careful_count = 0
        self._noise_bytes = 0
        self._spoken: set[str] = set()

    @property
    def line(self) -> int:
        """Number of the line that the next block continues; the line feeds of the last block are counted only here."""
        if self._uncounted is not None:
            data, start, stop = self._uncounted
            self._uncounted = None
            self._line += _count_line_feeds(data, b"\n", start, stop)
        return self._line

    @line.setter
    def line(self, number: int) -> None:
        self._line = number

    def feed(self, block: bytes) -> Batch:
        """Read all lines that end in a block; what is left over waits for the next block."""
        if self._skipping:
            block = self._skip(block)
        if self._rest and not self._offset and len(self._rest) < _PART:
            block, self._rest = self._rest + block, b""
        items: Batch = []
        first = block.find(b"\n") + 1
        if first:
            start = 0
            if self._rest or self._offset:
                items = self._read(self._rest + block[:first], 0, len(self._rest) + first)
                start = first
            stop = block.rfind(b"\n") + 1
            if stop > start:
                items = join_batches(items, self._read(block, start, stop))
            self._rest = block[stop:]
        else:
            self._rest += block
        if cut := self._rest.rfind(b"\r") + 1:
            items = join_batches(items, self._read(self._rest, 0, cut))
            self._rest = self._rest[cut:]
        return join_batches(items, self._bound_rest()) if self._rest else items

    def finish(self, cut_short: str = "") -> list[Item]:
        """Read the last line, which has no end; `cut_short` names the compression whose data ended too early."""
        rest, self._rest = self._rest, b""
        items = [*self._read(rest, 0, len(rest))] if rest else []
        items += self._note(self._reader.report_counted())
        if cut_short:
            items += self._note([make_problem("file-cut-short", self.line, 1, b"", cut_short)])
        return items

    @property
    def only_dialect(self) -> str | None:
        """The dialect whose ordinary records are all that was found so far; None if there was more."""
        return next(iter(self._spoken)) if len(self._spoken) == 1 else None

    def _read(self, data: bytes, start: int, stop: int) -> Batch:
        """Read the lines in a part of some bytes that begins at their first or second line and stops at a line's end."""
        columns = self._read_columns(data, start, stop)
        if columns is not None:
            return columns
        items: list[Item] = []
        if stop - start > self._limit:
            self._read_pieces(data[start:stop], items)
        elif self._looks_dense(data, start, stop) and (lines := _split_lines(data)):
            self._read_dense(lines[1 if start else 0 : -1], items)
        else:
            self._read_sparse(data, start, stop, items)
        return items

    def _read_columns(self, data: bytes, start: int, stop: int) -> Batch | None:
        """Read whole lines of which every record is an ordinary one of the same dialect as the last ones; None for others."""
        dialect, line = self._dialect, self.line
        if (
            dialect.read_columns is None
            or self._offset
            or data[stop - 1] != _LINE_FEED
            or stop - start > self._limit
        ):
            return None
        if self._reader.is_spent or self._careful_batches:
            return None
        has_returns = data.find(b"\r", start, stop) >= 0
        lines = data.replace(b"\r", b"\n") if has_returns else data  # looking for either of two bytes is slow
        payloads: list[bytes] = self._reader.markers.payloads[self._mark].findall(lines, start, stop)
        if not payloads:
            self._uncounted = data, start, stop
            return []
        if not all(payloads):
            return None
        text, count = b"\n".join(payloads), len(payloads)
        del payloads  # free before much more is made: the same memory serves again
        records = dialect.read_columns(text, count)
        if records is None:
            return None
        noise = stop - start - len(text) - 1 - len(self._mark) * count
        is_dense = not (noise or has_returns)
        if is_dense:
            self.line += count
        else:
            self._uncounted = data, start, stop
        self._spoken.add(dialect.name)
        find_places: Callable[[Sequence[bytes]], Places]
        if is_dense:
            find_places = partial(_number_lines, line)
        else:
            find_places = partial(_find_places, data, start, self._mark, line)
            self._noise_bytes += noise
            if self._noise_bytes > KEPT_NOISE:
                places = find_places(text.split(b"\n"))
                find_places = lambda _: places  # noqa: E731 - the data is not kept
        return EventColumns(dialect.name, self._mark, records, text, find_places)

    def _looks_dense(self, data: bytes, start: int, stop: int) -> bool:
        """Whether most lines of some samples may hold a record, and all lines are whole."""
        if self._offset or data[stop - 1] != _LINE_FEED:
            return False
        step = max(_SAMPLE, (stop - start) // _SAMPLES)
        sample = b"".join([data[place : place + _SAMPLE] for place in range(start, stop, step)])
        return sample.count(self._stem) * 1.6 > sample.count(b"\n")

    def _read_dense(self, lines: list[bytes], items: list[Item]) -> None:
        """Look for records line by line: best where most lines hold one."""
        first = self.line
        self.line += len(lines)
        for start in range(0, len(lines), BATCH_RECORDS):
            batch = lines[start : start + BATCH_RECORDS]
            numbers: Sequence[int] = range(first + start, first + start + len(batch))
            if all(map(bytes.startswith, batch, repeat(self._mark))):
                items += self._read_same(self._dialect, batch, numbers, _ONES[: len(batch)])
                continue
            places = list(map(bytes.find, batch, repeat(self._stem)))
            raws = [line[place:] for line, place in zip(batch, places, strict=True) if place >= 0]
            if len(raws) < len(batch):
                numbers = [number for number, place in zip(numbers, places, strict=True) if place >= 0]
                places = [place for place in places if place >= 0]
            if raws:
                items += self._read_batch(raws, numbers, [place + 1 for place in places])

    def _read_sparse(self, data: bytes, start: int, stop: int, items: list[Item]) -> None:
        """Look for records marker by marker: best where many lines are noise; takes any line ends."""
        places, ends = self._find_records(data, start, stop)
        first, offset = self.line, self._offset
        count = data.count if stop - start < _LARGE * len(places) else partial(_count_line_feeds, data)
        numbers = list(accumulate(map(count, repeat(b"\n"), ends, places), initial=first))[1:]
        # The line feed before each record; there is none, so -1, behind a record on the same line.
        feeds = list(map(data.rfind, repeat(b"\n"), ends, places))
        if feeds and min(feeds) < 0:
            feeds = list(accumulate(feeds, max, initial=start - 1))[1:]
        columns = list(map(sub, places, feeds))
        if offset:
            pairs = zip(columns, numbers, strict=True)
            columns = [column + offset if number == first else column for column, number in pairs]
        self.line = (numbers[-1] if numbers else first) + _count_line_feeds(data, b"\n", ends[-1], stop)
        feed = data.rfind(b"\n", start, stop)
        self._offset = offset + stop - start if feed < 0 else stop - 1 - feed
        for begin in range(0, len(places), BATCH_RECORDS):
            part = slice(begin, begin + BATCH_RECORDS)
            raws = [data[place:end] for place, end in zip(places[part], ends[begin + 1 :], strict=False)]
            items += self._read_batch(raws, numbers[part], columns[part])

    def _find_records(self, data: bytes, start: int, stop: int) -> tuple[list[int], list[int]]:
        """Where the records in a part of some bytes begin and end; the first end is where the part begins."""
        stem, find = self._stem, data.find
        feed = -1
        cut = -1 if find(b"\r", start, stop) >= 0 else stop
        places: list[int] = []
        ends: list[int] = [start]
        end = start
        while (place := find(stem, end, stop)) >= 0:
            if feed < place and (feed := find(b"\n", place, stop)) < 0:
                feed = stop
            if cut < place and (cut := find(b"\r", place, stop)) < 0:
                cut = stop
            end = feed if feed < cut else cut
            places.append(place)
            ends.append(end)
        return places, ends

    def _read_batch(
        self, raws: Sequence[bytes], numbers: Sequence[int], columns: Sequence[int]
    ) -> Sequence[Item]:
        """Read what may be records; all at once when they are of the same dialect as the last ones."""
        if all(map(bytes.startswith, raws, repeat(self._mark))):
            return self._read_same(self._dialect, raws, numbers, columns)
        items: list[Item] = []
        start = 0
        for dialect, group in groupby(map(self._reader.dialect_of, raws)):
            stop = start + sum(1 for _ in group)
            if dialect is None:
                for place in range(start, stop) if not self._reader.count_bare(raws[start:stop]) else ():
                    items += self._read_with_care(raws[place], numbers[place], columns[place])
            else:
                self._dialect, self._mark = dialect, dialect.marker
                items += self._read_same(dialect, raws[start:stop], numbers[start:stop], columns[start:stop])
            start = stop
        return items

    def _read_same(
        self, dialect: Dialect, raws: Sequence[bytes], numbers: Sequence[int], columns: Sequence[int]
    ) -> Sequence[Item]:
        """Read records of one dialect: at once if all are ordinary, else part by part."""
        is_careful = self._reader.is_spent or self._careful_batches
        # Where most records are not ordinary, nor is the first one of them; that saves looking at all.
        sample = 1 if is_careful else len(raws)
        events = dialect.read_ordinary(raws[:sample], numbers[:sample], columns[:sample])
        if events is not None and sample < len(raws):
            events = dialect.read_ordinary(raws, numbers, columns)
        if events is not None:
            self._spoken.add(dialect.name)
            return events
        if len(raws) == 1 or is_careful:
            self._careful_batches -= bool(self._careful_batches)
            self._careful_count += len(raws)
            if self._reader.is_spent:
                self._spoken.add("")
            return self._note(self._reader.read_many(dialect, raws, numbers, columns))
        size = max(1, len(raws) // 8)
        items: list[Item] = []
        careful_count = self._careful_count
        for start in range(0, len(raws), size):
            part = slice(start, start + size)
            items += self._read_same(dialect, raws[part], numbers[part], columns[part])
        if self._careful_count - careful_count > len(raws) / 2:
            self._careful_batches = CAREFUL_BATCHES
        return items

    def _read_with_care(self, raw: bytes, number: int, column: int) -> list[Item]:
        """Read a record, or what looks like one, by the grammar."""
        return self._note(self._reader.read(raw, number, column - 1))

    def _note(self, items: list[Item]) -> list[Item]:
        """Remember that there was something besides ordinary records."""
        if items:
            self._spoken.add("")
        return items

    def _read_pieces(self, data: bytes, items: list[Item]) -> None:
        """Read lines one by one, since one of them may be too long."""
        for index, line in enumerate(data.split(b"\n")):
            if index:
                self.line += 1
                self._offset = 0
            offset = self._offset
            self._offset += len(line)
            for piece in line.split(b"\r"):
                items += self._read_piece(piece, offset)
                offset += len(piece) + 1

    def _read_piece(self, piece: bytes, offset: int) -> Sequence[Item]:
        """Read the text between two line ends, unless it is too long."""
        place = piece.find(self._stem)
        if place < 0:
            return ()
        record = self._reader.find_record(piece)
        if 0 <= record < len(piece) - self._limit:
            return self._note(self._reader.refuse_long(piece, record, self.line, offset, self._limit))
        return self._read_batch([piece[place:]], [self.line], [offset + place + 1])

    def _bound_rest(self) -> list[Item]:
        """Keep of an unfinished line only what can still become a record."""
        rest, reader = self._rest, self._reader
        record = reader.find_record(rest)
        if record < 0:
            kept = max(0, len(rest) - reader.markers.widest)
            items = reader.note_bare_markers(rest, 0, kept, self.line, self._offset)
        elif len(rest) - record > self._limit:
            items, kept = reader.refuse_long(rest, record, self.line, self._offset, self._limit), len(rest)
            self._skipping = True
        else:
            items, kept = reader.note_bare_markers(rest, 0, record, self.line, self._offset), record
        self._offset += kept
        self._rest = rest[kept:]
        return self._note(items)

    def _skip(self, block: bytes) -> bytes:
        """Pass over the rest of a line that is too long; gives the rest, from its end on."""
        ends = [place for place in (block.find(b"\n"), block.find(b"\r")) if place >= 0]
        stop = min(ends, default=len(block))
        self._offset += stop
        self._skipping = not ends
        return block[stop:]


def _number_lines(line: int, payloads: Sequence[bytes]) -> Places:
    """Where records are, by their payloads, that are all lines from some line on."""
    return range(line, line + len(payloads)), repeat(1, len(payloads))


def _find_places(data: bytes, start: int, mark: bytes, line: int, payloads: Sequence[bytes]) -> Places:
    """Where records are, by their payloads: in lines of some data, of which the first begins at `start`."""
    find, width = data.find, len(mark)
    places, end = [], start
    for length in map(len, payloads):
        place = find(mark, end)
        places.append(place)
        end = place + width + length
    between = map(data.count, repeat(b"\n"), [start, *places], places)
    numbers = list(accumulate(between, initial=line))[1:]
    feeds = map(max, map(data.rfind, repeat(b"\n"), repeat(0), places), repeat(start - 1))
    return numbers, list(map(sub, places, feeds))


def _count_line_feeds(data: bytes, feed: bytes, start: int, stop: int) -> int:
    """Count the line feeds in a large part of some bytes."""
    # Taking them out and comparing lengths is twice as fast as counting them.
    parts = [data[place : min(stop, place + _PART)] for place in range(start, stop, _PART)]
    return sum(len(part) - len(part.replace(feed, b"")) for part in parts)


def _split_lines(data: bytes) -> list[bytes] | None:
    """Split bytes whose lines all end alike, with LF or with CR and LF; None for others."""
    if b"\r" not in data:
        return data.split(b"\n")
    lines = data.replace(b"\r", b"").split(b"\n")
    return lines if b"\r\n".join(lines) == data else None
