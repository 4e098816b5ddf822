"""From bytes to items: finds records in lines, reads the ordinary ones many at once and passes on the rest.

Lines end with a line feed, and only line feeds count. A carriage return ends a record, too.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Sequence
from itertools import groupby, repeat

from mlperf_logging.parsing.dialects import Dialect
from mlperf_logging.parsing.records import Item, RecordReader

RECORD_LIMIT = 4 << 20
"""From the marker of its first record on, a line is read up to this many bytes."""

RUN = 256
"""So many records are read at once; more would leave the processor's cache."""

_SAMPLE = 1 << 14


class Scanner:
    """Cuts blocks of bytes into lines and reads the records in them.

    Attributes:
        line: number of the line that the next block goes on with.
    """

    def __init__(
        self, dialects: Sequence[Dialect], reader: RecordReader, *, record_limit: int = RECORD_LIMIT
    ) -> None:
        self.line = 1
        self._reader = reader
        self._limit = record_limit
        self._stem = os.path.commonprefix([dialect.marker for dialect in dialects])
        self._widest = max(len(dialect.marker) for dialect in dialects)
        self._dialect = dialects[0]
        self._mark = dialects[0].marker
        self._offset = 0
        self._rest = b""
        self._skipping = False

    def feed(self, block: bytes) -> list[Item]:
        """Read all lines that end in a block; what is left over waits for the next block."""
        if self._skipping:
            block = self._skip(block)
        data = self._rest + block if self._rest else block
        cut = data.rfind(b"\n", len(self._rest)) + 1 or data.rfind(b"\r", len(self._rest)) + 1
        self._rest = data[cut:]
        items = self._read(data[:cut]) if cut else []
        return items + self._bound_rest()

    def finish(self) -> list[Item]:
        """Read the last line, which has no end."""
        rest, self._rest = self._rest, b""
        return self._read(rest) if rest else []

    def _read(self, data: bytes) -> list[Item]:
        """Read whole lines; garbage is collected afterwards, since events are not garbage while they are made."""
        collecting = gc.isenabled()
        gc.disable()
        try:
            return self._read_lines(data)
        finally:
            if collecting:
                gc.enable()

    def _read_lines(self, data: bytes) -> list[Item]:
        items: list[Item] = []
        lone = b"\r" in data
        if lone and data.count(b"\r") == data.count(b"\r\n"):
            data = data.replace(b"\r\n", b"\n")
            lone = False
        first, offset, end = self.line, self._offset, data.rfind(b"\n") + 1
        self._offset = len(data) - end + (0 if end else offset)
        self.line += data.count(b"\n")
        if lone or len(data) > self._limit:
            for number, line in enumerate(data.split(b"\n"), first):
                if self._stem in line:
                    items += self._read_pieces(line, number, offset if number == first else 0)
            return items
        if offset:
            head, _, data = data.partition(b"\n")
            items += self._read_pieces(head, first, offset)
            first += 1
        lookout = data[:_SAMPLE]
        dense = lookout.count(self._stem) * 3 > lookout.count(b"\n")
        for raws, numbers, columns in self._find_dense(data, first) if dense else self._find_sparse(data, first):
            items += self._read_run(raws, numbers, columns)
        return items

    def _find_dense(self, data: bytes, first: int) -> Iterator[tuple[Sequence[bytes], Sequence[int], Sequence[int]]]:
        """Find what may be records line by line: best where most lines hold one."""
        stem, starts = self._stem, bytes.startswith
        lines = data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        for start in range(0, len(lines), RUN):
            run = lines[start : start + RUN]
            if all(map(starts, run, repeat(stem))):
                yield run, range(first + start, first + start + len(run)), [1] * len(run)
                continue
            found = [(line, number, place) for number, line in enumerate(run, first + start) if (place := line.find(stem)) >= 0]
            if found:
                yield (
                    [line[place:] for line, _, place in found],
                    [number for _, number, _ in found],
                    [place + 1 for _, _, place in found],
                )

    def _find_sparse(self, data: bytes, number: int) -> Iterator[tuple[Sequence[bytes], Sequence[int], Sequence[int]]]:
        """Find what may be records marker by marker: best where many lines are noise."""
        stem, find, rfind, count = self._stem, data.find, data.rfind, data.count
        raws: list[bytes] = []
        numbers: list[int] = []
        columns: list[int] = []
        done, place = 0, find(stem)
        while place >= 0:
            end = find(b"\n", place)
            if end < 0:
                end = len(data)
            number += count(b"\n", done, place)
            columns.append(place - rfind(b"\n", 0, place))
            numbers.append(number)
            raws.append(data[place:end])
            done, place = end, find(stem, end)
            if len(raws) == RUN:
                yield raws, numbers, columns
                raws, numbers, columns = [], [], []
        if raws:
            yield raws, numbers, columns

    def _read_run(self, raws: Sequence[bytes], numbers: Sequence[int], columns: Sequence[int]) -> Sequence[Item]:
        """Read what may be records; all at once when they are of the same dialect as the last ones."""
        if all(map(bytes.startswith, raws, repeat(self._mark))):
            return self._read_same(self._dialect, raws, numbers, columns)
        items: list[Item] = []
        start = 0
        for dialect, group in groupby(map(self._reader.dialect_of, raws)):
            stop = start + sum(1 for _ in group)
            if dialect is None:
                for raw, number, column in zip(raws[start:stop], numbers[start:stop], columns[start:stop], strict=True):
                    items += self._reader.read(raw, number, column - 1)
            else:
                self._dialect, self._mark = dialect, dialect.marker
                items += self._read_same(dialect, raws[start:stop], numbers[start:stop], columns[start:stop])
            start = stop
        return items

    def _read_same(
        self, dialect: Dialect, raws: Sequence[bytes], numbers: Sequence[int], columns: Sequence[int]
    ) -> Sequence[Item]:
        """Read records of one dialect: at once if all are ordinary, else part by part."""
        events = dialect.read_ordinary(raws, numbers, columns)
        if events is not None:
            return events
        if len(raws) == 1:
            return self._reader.read(raws[0], numbers[0], columns[0] - 1)
        size = max(1, len(raws) // 8)
        return [
            item
            for start in range(0, len(raws), size)
            for item in self._read_same(
                dialect, raws[start : start + size], numbers[start : start + size], columns[start : start + size]
            )
        ]

    def _read_pieces(self, line: bytes, number: int, offset: int) -> list[Item]:
        """Read a line that is cut by carriage returns, or very long."""
        items: list[Item] = []
        for piece in line.split(b"\r"):
            place = piece.find(self._stem)
            if place >= 0:
                record = self._reader.find_record(piece)
                if 0 <= record < len(piece) - self._limit:
                    items += self._reader.refuse_long(piece, record, number, offset, self._limit)
                else:
                    items += self._read_run([piece[place:]], [number], [offset + place + 1])
            offset += len(piece) + 1
        return items

    def _bound_rest(self) -> list[Item]:
        """Keep of an unfinished line only what can still become a record."""
        rest = self._rest
        record = self._reader.find_record(rest)
        if record < 0:
            kept = max(0, len(rest) - self._widest)
            items = self._reader.note_bare_markers(rest, kept, self.line, self._offset) if self._stem in rest else []
        elif len(rest) - record > self._limit:
            items, kept = self._reader.refuse_long(rest, record, self.line, self._offset, self._limit), len(rest)
            self._skipping = True
        else:
            items, kept = self._reader.note_bare_markers(rest, record, self.line, self._offset), record
        self._offset += kept
        self._rest = rest[kept:]
        return items

    def _skip(self, block: bytes) -> bytes:
        """Pass over the rest of a line that is too long; gives what stands from its end on."""
        ends = [place for place in (block.find(b"\n"), block.find(b"\r")) if place >= 0]
        stop = min(ends, default=len(block))
        self._offset += stop
        self._skipping = not ends
        return block[stop:]
