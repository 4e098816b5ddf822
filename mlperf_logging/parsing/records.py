"""Records that are not ordinary: read with the dialect's grammar, or told what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing.dialects import Dialect, Mistake
from mlperf_logging.parsing.mistakes import MISTAKES, RAW_LIMIT
from mlperf_logging.parsing.payloads import DEPTH_LIMIT, count_members, has_unbounded

Item: TypeAlias = "Event | Problem"

_KEY_WINDOW = 4096

_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


class Parsed(NamedTuple):
    """What a grammar found in a record.

    Attributes:
        fields: what its terminals matched, and ``payload``.
        rest: where in the text something begins that is not the record's; None when nothing does.
        duplicates: names that stand more than once in an object.
    """

    fields: dict[str, Any]
    rest: int | None
    duplicates: list[str]


class Unreadable(NamedTuple):
    """Where and why a text is not a record.

    Attributes:
        place: index of the character in the text.
        label: label of the mistake.
    """

    place: int
    label: str


ParseRecord: TypeAlias = "Callable[[Dialect, str], Parsed | Unreadable]"
"""Parses a text that begins with a record by the dialect's grammar."""


class RecordReader:
    """Reads what stands between two line ends, whatever it is.

    A line may hold several records. A marker within a text of a record that can be read is part of that text;
    in a record that cannot be read every marker begins a new one.
    """

    def __init__(self, dialects: Sequence[Dialect], parse: ParseRecord | None = None) -> None:
        self._parse = parse
        self._by_marker, self._record, self._bare = _compile_markers(tuple(dialects))

    def find_record(self, data: bytes, start: int = 0) -> int:
        """Where the first record begins in some bytes, -1 where there is none."""
        found = self._record.search(data, start)
        return found.start() if found else -1

    def dialect_of(self, data: bytes, start: int = 0) -> Dialect | None:
        """The dialect of the record that begins at a place of some bytes; None when there is no marker."""
        found = self._record.match(data, start)
        return self._by_marker[found[0]] if found else None

    def note_bare_markers(self, segment: bytes, stop: int, line: int, offset: int) -> list[Item]:
        """Warn of markers without a record that begin before `stop`.

        Args:
            segment: bytes without a line end.
            stop: where to stop looking; a record begins there, or the segment ends.
            line: number of the line.
            offset: bytes of the line before the segment.
        """
        found = (mark for mark in self._bare.finditer(segment) if mark.start() < stop)
        return [make_problem("marker-without-record", line, offset + mark.start() + 1, mark[0]) for mark in found]

    def refuse_long(self, segment: bytes, record: int, line: int, offset: int, limit: int) -> list[Item]:
        """Refuse a segment whose first record begins more than `limit` bytes before its end.

        Args:
            segment: bytes without a line end, or their beginning.
            record: where in the segment the record begins.
            line: number of the line.
            offset: bytes of the line before the segment.
            limit: the limit, in bytes.
        """
        raw = segment[record : record + min(limit, RAW_LIMIT)]
        found = f"{limit:,} bytes"
        problem = make_problem("record-too-long", line, offset + record + 1, raw, found, dialect=self.dialect_of(segment, record) or "")
        return [*self.note_bare_markers(segment, record, line, offset), problem]

    def read(self, segment: bytes, line: int, offset: int) -> list[Item]:
        """Read all records of a segment.

        Args:
            segment: bytes without a line end.
            line: number of the line.
            offset: bytes of the line before the segment.

        Returns:
            Events and problems in the order of the line; an event before its own warnings.
        """
        parse = self._parse = self._parse or _open_grammars()
        start = self.find_record(segment)
        items = self.note_bare_markers(segment, len(segment) if start < 0 else start, line, offset)
        broken = False
        seen = 0
        while start >= 0:
            dialect = self.dialect_of(segment, start)
            assert dialect is not None
            following = self.find_record(segment, start + 1)
            stop = following if broken and following >= 0 else len(segment)
            text, doubts = decode(segment[start:stop])
            outcome = parse(dialect, text)
            if isinstance(outcome, Unreadable) and not broken and following >= 0:
                broken, stop = True, following
                text, doubts = decode(segment[start:stop])
                outcome = parse(dialect, text)
            seen += 1
            if seen == 2:
                items.append(
                    make_problem("two-events-on-a-line", line, offset + start + 1, segment[start:], dialect=dialect)
                )
            record = _Record(dialect, text, line, offset + start + 1, segment[start:stop], doubts)
            if isinstance(outcome, Unreadable):
                items.append(record.problem(outcome.label, outcome.place))
                start = following
                continue
            end = stop
            if outcome.rest is not None:
                end = start + record.bytes_before(outcome.rest)
                following = stop if broken and stop < len(segment) else self.find_record(segment, end)
                if following < 0:
                    items.append(record.problem("text-after-the-record", outcome.rest))
                    return items
                raw = segment[start:end].rstrip(b" \t")
                record = record._replace(raw=raw)
                items += self.note_bare_markers(segment[end:], following - end, line, offset + end)
            items += record.read(outcome)
            start = following if end < len(segment) else -1
        return items


@cache
def _compile_markers(
    dialects: tuple[Dialect, ...],
) -> tuple[dict[bytes, Dialect], re.Pattern[bytes], re.Pattern[bytes]]:
    """Dialects by their markers, a pattern of all markers, and one of markers without the space at their end."""
    by_marker = {dialect.marker: dialect for dialect in dialects}
    markers = sorted(by_marker, reverse=True)
    bare = b"|".join(re.escape(marker[:-1]) for marker in markers)
    record = re.compile(b"|".join(map(re.escape, markers)))
    return by_marker, record, re.compile(b"(?:%s)(?![0-9A-Za-z_ ])" % bare)


class _Record(NamedTuple):
    """A record that the grammar has seen, with what is needed to speak of it."""

    dialect: Dialect
    text: str
    line: int
    column: int
    raw: bytes
    doubts: list[str]

    def bytes_before(self, place: int) -> int:
        """How many bytes of the record stand before a character of its text."""
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
        """The record's event, where it has one, and all that is to be said of it."""
        payload = parsed.fields.get("payload")
        if count_members((payload,)) < 0:
            return [self.problem("nested-too-deep", found=str(DEPTH_LIMIT))]
        event, mistakes = self.dialect.read_fields(parsed.fields, self.line, self.column, self.raw)
        key = event.key if event else None
        items: list[Item] = [event] if event else []
        for mistake in mistakes:
            place = find_member(self.text, mistake.field) if mistake.field else 0
            items.append(self.problem(mistake.label, place, mistake.found, key))
        items += [self.problem("duplicate-json-key", 0, f'"{name}"', key) for name in dict.fromkeys(parsed.duplicates)]
        if has_unbounded(payload):
            items.append(self.problem("nan-or-infinity", 0, "", key))
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
    """A problem with the words of its label.

    Args:
        label: one of the labels in `mistakes`.
        line: line number counted from 1.
        column: byte offset within the line, counted from 1.
        raw: bytes of the record; cut at a bounded length.
        found: what the record holds, in short.
        key: key of the record, where it is known.
        dialect: dialect of the record; "" for what concerns the file.
    """
    kind = MISTAKES[label]
    name = dialect if isinstance(dialect, str) else dialect.name
    message = kind.summary.replace("{found}", found)
    return Problem(kind.code, label, kind.severity, line, column, message, raw[:RAW_LIMIT], key, name)


def decode(raw: bytes) -> tuple[str, list[str]]:
    """Decode a record's bytes, whatever they are.

    Returns:
        The text, and the labels of the warnings that belong to it.
    """
    doubts = []
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
        doubts.append("not-utf8")
    if "\\ud" in text or "\\uD" in text:
        mended = _ESCAPE.sub(lambda found: "\\ufffd" if found[1] else found[0], text)
        if mended != text:
            text = mended
            doubts.append("lone-surrogate")
    return text, doubts


def find_member(text: str, name: str) -> int:
    """Where the value of a member of a record's object stands, or 0 when it cannot be told.

    Args:
        text: a record whose JSON is known to be good.
        name: name of the member.
    """
    from json.decoder import JSONDecoder, scanstring
    from json.decoder import WHITESPACE as whitespace  # type: ignore[attr-defined]

    scan = JSONDecoder().raw_decode
    place, found = text.find("{") + 1, 0
    try:
        while (place := whitespace.match(text, place).end()) and text[place] == '"':
            member, place = scanstring(text, place + 1)
            place = whitespace.match(text, place).end() + 1
            place = whitespace.match(text, place).end()
            if member == name:
                found = place
            _, place = scan(text, place)
            place = whitespace.match(text, place).end() + 1
    except (ValueError, IndexError, RecursionError):
        return found
    return found


def _open_grammars() -> ParseRecord:
    from mlperf_logging.parsing.grammar import open_grammars

    return open_grammars()


__all__ = ["Mistake", "Parsed", "RecordReader", "Unreadable", "decode", "find_member", "make_problem"]
