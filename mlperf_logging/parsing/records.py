"""Records that are not ordinary: read with the dialect's grammar, or reported as problems."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice, takewhile
from typing import NamedTuple, TypeAlias

from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing.diagnostics import KIND_OF_LABEL, RAW_LIMIT
from mlperf_logging.parsing.dialects import Dialect, Parsed, ParseRecord, Unreadable
from mlperf_logging.parsing.payloads import (
    DEPTH_LIMIT,
    PairDecoder,
    count_members,
    describe,
    has_unbounded,
    read_integer,
    skip_blanks,
)

Item: TypeAlias = "Event | Problem"

EXPLAINED_RECORDS, EXPLAINED_BYTES = 1_000, 1 << 18
"""So many records of a log that cannot be read, and so many bytes of them, are explained; the rest are counted."""

FOUND_LENGTH = 80
"""Characters of a record that a message shows."""

_KEY_WINDOW = 4096
# Patterns that ordinary logs do not need; compiled when they are, since each costs a cold start.
_UNBOUNDED = r"-?(?:NaN|Infinity)"

_PAIR = r"u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_HALF = r"u[dD][89a-fA-F][0-9a-fA-F]{2}"
_ESCAPE = rf"(?s)\\(?:{_PAIR}|({_HALF})|.)"


class Markers(NamedTuple):
    """The markers of some dialects, ready to be looked for.

    Attributes:
        dialects: the dialects by their markers.
        stem: how all the markers begin.
        widest: length of the longest marker.
        record: pattern of all markers, the longest first.
        bare: pattern of a marker that no space and no further letter follows.
    """

    dialects: dict[bytes, Dialect]
    stem: bytes
    widest: int
    record: re.Pattern[bytes]
    bare: re.Pattern[bytes]


@cache
def compile_markers(dialects: tuple[Dialect, ...]) -> Markers:
    """Make ready to look for the markers of some dialects."""
    markers = sorted((dialect.marker for dialect in dialects), reverse=True)
    bare = b"|".join(re.escape(marker[:-1]) for marker in markers)
    return Markers(
        dialects={dialect.marker: dialect for dialect in dialects},
        stem=_find_stem(markers),
        widest=max(map(len, markers)),
        record=re.compile(b"|".join([re.escape(marker) for marker in markers])),
        bare=re.compile(b"(?:%s)(?![0-9A-Za-z_ ])" % bare),
    )


def _find_stem(markers: list[bytes]) -> bytes:
    """How all markers begin: as the first and the last of them in order."""
    first, last = min(markers), max(markers)
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return first[: sum(1 for _ in same)]


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
        self._head_parser = _HeadParser()
        self._explained = self._explained_bytes = 0
        self._count = 0
        self._first_counted: tuple[int, int, Dialect | str] = 0, 0, ""

    @property
    def is_spent(self) -> bool:
        """Whether as many records that cannot be read have been explained as ever are."""
        return self._explained >= EXPLAINED_RECORDS

    def _count_unreadable(self, dialect: Dialect, raw: bytes, line: int, column: int) -> bool:
        """Count a record that makes no event, if it is one too many, or too long, to be explained."""
        if not self.is_spent and self._explained_bytes + len(raw) <= EXPLAINED_BYTES:
            return False
        if self._head_parser.may_parse(dialect, raw):
            return False
        if not self._count:
            self._first_counted = line, column, dialect
        self._count += 1
        return True

    def report_counted(self) -> list[Item]:
        """The problem that stands for the records that were only counted, at the first of them."""
        if not self._count:
            return []
        line, column, dialect = self._first_counted
        return [
            make_problem("more-unreadable-records", line, column, b"", f"{self._count:,}", dialect=dialect)
        ]

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
        return [make_problem("marker-without-record", line, offset + mark.start(), mark[0]) for mark in marks]

    def refuse_long(self, segment: bytes, record: int, line: int, offset: int, limit: int) -> list[Item]:
        """Refuse a segment, or its beginning, whose first record begins more than `limit` bytes before its end."""
        raw = segment[record : record + min(limit, RAW_LIMIT)]
        dialect = self.dialect_of(segment, record) or ""
        column = offset + record + 1
        problem = make_problem("record-too-long", line, column, raw, f"{limit:,} bytes", dialect=dialect)
        return [*self.note_bare_markers(segment, 0, record, line, offset), problem]

    def _find_stops(self, segment: bytes, start: int) -> Iterator[int]:
        """Markers from some place on: the first, the third, the seventh …, at last the end of the segment."""
        marks = self.markers.record.finditer(segment, start)
        step = 1
        while mark := next(islice(marks, step - 1, None), None):
            yield mark.start()
            step *= 2
        yield len(segment)

    def read(self, segment: bytes, line: int, offset: int) -> list[Item]:
        """Read all records of a segment that has no line end and begins `offset` bytes into its line.

        Events and problems come in the order of the line, an event before its own warnings.
        """
        parse = self._parse or self._head_parser.parse
        search = self.markers.record.search
        found = search(segment)
        start = found.start() if found else len(segment)
        items = self.note_bare_markers(segment, 0, start, line, offset) if start else []
        broken = False
        seen = 0
        while found:
            dialect, start = self.markers.dialects[found[0]], found.start()
            other = search(segment, found.end())
            stop = other.start() if other else len(segment)
            # A value that is not whole by the end of the line is not whole at any marker before it.
            longest = segment[start : stop if broken else len(segment)]
            if self._count_unreadable(dialect, longest, line, offset + start + 1):
                broken, found = True, other
                continue
            record = _Record.decode(dialect, segment[start:stop], line, offset + start + 1)
            outcome = parse(dialect, record.text)
            if isinstance(outcome, Unreadable) and other and not broken:
                # A marker may be within a text. Each try takes in twice as many of them, so that in the
                # end no byte has been looked at much more often than once.
                for later in self._find_stops(segment, other.end()):
                    longer = _Record.decode(dialect, segment[start:later], line, offset + start + 1)
                    second = parse(dialect, longer.text)
                    if not isinstance(second, Unreadable):
                        record, outcome, stop = longer, second, later
                        break
                broken = isinstance(outcome, Unreadable)
            seen += 1
            if seen == 2:
                column, raw = offset + start + 1, segment[start : start + RAW_LIMIT]
                items.append(make_problem("two-events-on-a-line", line, column, raw, dialect=dialect))
            if isinstance(outcome, Unreadable):
                items.append(record.problem(outcome.label, outcome.place))
                self._explained += 1
                self._explained_bytes += stop - start
                found = other
                continue
            end = stop if outcome.rest is None else start + record.bytes_before(outcome.rest)
            found = search(segment, end)
            if found:
                record = record._replace(raw=segment[start:end].rstrip(b" \t"))
            elif outcome.rest is not None:
                rest = record.text[outcome.rest :].strip()
                items.append(record.problem("text-after-the-record", outcome.rest, _crop(rest)))
                break
            items += record.read(outcome)
            if found:
                items += self.note_bare_markers(segment, end, found.start(), line, offset)
        return items


class _Record(NamedTuple):
    """A record's text, with what is needed to report problems in it."""

    dialect: Dialect
    text: str
    line: int
    column: int
    raw: bytes
    doubts: list[str]

    @classmethod
    def decode(cls, dialect: Dialect, raw: bytes, line: int, column: int) -> "_Record":
        """A record of its bytes."""
        text, doubts = decode(raw)
        return cls(dialect, text, line, column, raw, doubts)

    def bytes_before(self, place: int) -> int:
        """How many bytes of the record precede a character of its text."""
        encoding = "latin-1" if "not-utf8" in self.doubts else "utf-8"
        return place if self.text.isascii() else len(self.text[:place].encode(encoding))

    def problem(self, label: str, place: int = 0, found: str = "", key: str | None = None) -> Problem:
        """A problem at a character of the record's text."""
        if key is None:
            guess = re.search(self.dialect.key_pattern, self.text[:_KEY_WINDOW])
            key = guess[1] if guess else None
        column = self.column + self.bytes_before(place)
        return make_problem(label, self.line, column, self.raw, found, key, self.dialect)

    def read(self, parsed: Parsed) -> list[Item]:
        """The record's event, if it has one, and its problems."""
        payload = parsed.fields.get("payload")
        if count_members((payload,)) < 0:
            return [self.problem("nested-too-deep", found=str(DEPTH_LIMIT))]
        event, diagnostics = self.dialect.read_fields(parsed.fields, self.line, self.column, self.raw)
        key = event.key if event else None
        items: list[Item] = [event] if event else []
        for diagnostic in diagnostics:
            place = find_member(self.text, diagnostic.field) if diagnostic.field else 0
            items.append(self.problem(diagnostic.label, place, diagnostic.found, key))
        if names := list(dict.fromkeys(parsed.duplicates)):
            places = [found.start() for found in re.finditer(rf'"{re.escape(names[0])}"[ \t]*:', self.text)]
            found = describe(names[0]) + (f" (and {len(names) - 1} more)" if names[1:] else "")
            items.append(self.problem("duplicate-json-key", max(places, default=0), found, key))
        if has_unbounded(payload):
            word = re.search(_UNBOUNDED, self.text)
            items.append(self.problem("nan-or-infinity", word.start() if word else 0, "", key))
        return items + [self.problem(doubt, 0, "", key) for doubt in self.doubts]


def make_problem(
    label: str,
    line: int,
    column: int,
    raw: bytes,
    found: str = "",
    key: str | None = None,
    dialect: Dialect | str = "",
) -> Problem:
    """A problem with the words of its label, at a line and a column that both count from 1."""
    kind = KIND_OF_LABEL[label]
    name = dialect if isinstance(dialect, str) else dialect.name
    message = kind.summary.replace("{found}", found)
    return Problem(kind.code, label, kind.severity, line, column, message, raw[:RAW_LIMIT], key, name, found)


def _crop(text: str) -> str:
    return text if len(text) <= FOUND_LENGTH else f"{text[: FOUND_LENGTH - 1]}…"


def decode(raw: bytes) -> tuple[str, list[str]]:
    """The text of a record's bytes, whatever they are, and the labels of the warnings that belong to it."""
    doubts = []
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
        doubts.append("not-utf8")
    if "\\ud" in text or "\\uD" in text:
        repaired = re.sub(_ESCAPE, lambda found: "\\ufffd" if found[1] else found[0], text)
        if repaired != text:
            text = repaired
            doubts.append("lone-surrogate")
    return text, doubts


def find_member(text: str, name: str) -> int:
    """Where in a sound record the value of a member of its object is, or 0 when it is not found."""
    from json.decoder import JSONDecoder

    scan = JSONDecoder().raw_decode
    place, found = text.find("{") + 1, 0
    try:
        while text[place := skip_blanks(text, place)] == '"':
            member, place = scan(text, place)
            place = skip_blanks(text, skip_blanks(text, place) + 1)
            if member == name:
                found = place
            _, place = scan(text, place)
            place = skip_blanks(text, place) + 1
    except (ValueError, IndexError, RecursionError):
        return found
    return found


class _HeadParser:
    """Parses records whose JSON is sound: a pattern for the words before it, and Python's json module.

    What it declines, and so every record that is malformed, goes to the grammars, which load with the first.
    """

    def __init__(self) -> None:
        from json import JSONDecoder

        self._decoder = PairDecoder()
        self._find_value = JSONDecoder(parse_int=read_integer).raw_decode
        self._parse: ParseRecord | None = None

    def may_parse(self, dialect: Dialect, raw: bytes) -> bool:
        """Whether a record may make an event: its words are in order, and a complete value follows them."""
        if not dialect.head_pattern:
            return True
        text = raw.decode("latin-1")
        head = re.compile(dialect.head_pattern).match(text, len(dialect.marker))
        if head is None:
            return False
        if head.groupdict().get("colon", ":") is None:
            return True
        try:
            self._find_value(text, head.end())
        except (ValueError, RecursionError):
            return False
        return True

    def parse(self, dialect: Dialect, text: str) -> Parsed | Unreadable:
        """Parse a text that begins with a record."""
        head = (
            re.compile(dialect.head_pattern).match(text, len(dialect.marker))
            if dialect.head_pattern
            else None
        )
        if head is not None:
            self._decoder.duplicates = []
            try:
                payload, end = self._decoder.decode(text, head.end())
            except (ValueError, RecursionError):
                end = -1
            if end >= 0 and not text[end:].strip(" \t"):
                return Parsed({**head.groupdict(), "payload": payload}, None, self._decoder.duplicates)
        if self._parse is None:
            from mlperf_logging.parsing.grammar import open_grammars

            self._parse = open_grammars()
        return self._parse(dialect, text)
