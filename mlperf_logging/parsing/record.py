"""One record that is not ordinary: its text, what it makes, and the problems that are told of it."""

import re
from typing import NamedTuple, TypeAlias

from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing.diagnostics import KIND_OF_LABEL, RAW_LIMIT
from mlperf_logging.parsing.dialects import Dialect, Parsed
from mlperf_logging.parsing.payloads import DEPTH_LIMIT, count_members, describe, has_unbounded, skip_blanks
from mlperf_logging.parsing.tally import Tally

Item: TypeAlias = "Event | Problem"

FOUND_LENGTH = 80
"""Characters of a record that a message shows."""

_KEY_WINDOW = 4096
# Patterns that ordinary logs do not need; compiled when they are, since each costs a cold start.
_UNBOUNDED = r"-?(?:NaN|Infinity)"

_PAIR = r"u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_HALF = r"u[dD][89a-fA-F][0-9a-fA-F]{2}"
_ESCAPE = rf"(?s)\\(?:{_PAIR}|({_HALF})|.)"


class Record(NamedTuple):
    """A record's text, with what is needed to report problems in it."""

    dialect: Dialect
    text: str
    line: int
    column: int
    raw: bytes
    doubts: list[str]

    @classmethod
    def decode(cls, dialect: Dialect, raw: bytes, line: int, column: int) -> "Record":
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

    def tell(
        self, tally: Tally, label: str, place: int = 0, found: str = "", key: str | None = None
    ) -> list[Item]:
        """A problem at a character of the record's text, unless it is only counted."""
        if not tally.admit(label, self.line, self.column, min(len(self.raw), RAW_LIMIT), self.dialect.name):
            return []
        return [self.problem(label, place, found, key)]

    def read(self, parsed: Parsed, tally: Tally) -> list[Item]:
        """The record's event, if it has one, and those of its problems that are told."""
        payload = parsed.fields.get("payload")
        members = count_members((payload,)) if parsed.members is None else parsed.members
        if members < 0:
            return self.tell(tally, "nested-too-deep", found=str(DEPTH_LIMIT))
        event, diagnostics = self.dialect.read_fields(parsed.fields, self.line, self.column, self.raw)
        key = event.key if event else None
        items: list[Item] = [event] if event else []
        for label, field, found in diagnostics:
            place = find_member(self.text, field) if field and not tally.is_full(label) else 0
            items += self.tell(tally, label, place, found, key)
        if parsed.duplicates:
            names = list(dict.fromkeys(parsed.duplicates))
            place, found = 0, ""
            if not tally.is_full("duplicate-json-key"):
                places = [each.start() for each in re.finditer(rf'"{re.escape(names[0])}"[ \t]*:', self.text)]
                place = max(places, default=0)
                found = describe(names[0]) + (f" (and {len(names) - 1} more)" if names[1:] else "")
            items += self.tell(tally, "duplicate-json-key", place, found, key)
        if has_unbounded(self.text, payload):
            word = None if tally.is_full("nan-or-infinity") else re.search(_UNBOUNDED, self.text)
            items += self.tell(tally, "nan-or-infinity", word.start() if word else 0, "", key)
        for doubt in self.doubts:
            items += self.tell(tally, doubt, 0, "", key)
        return items


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


def crop(text: str) -> str:
    """The beginning of a long text, as messages show it."""
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
    quoted = f'"{name}"'
    if text.count(quoted) == 1 and "\\" not in text:  # then it is the member's name, as nothing else can be
        place = skip_blanks(text, text.find(quoted) + len(quoted))
        return skip_blanks(text, place + 1) if text[place] == ":" else 0
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
