"""A JSON object of a file, with the place of each of its members: what `json` reads, and where it is."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

_SPACE = re.compile(r"[ \t\n\r]*")
_SHOWN = 20
_DECODER = json.JSONDecoder()
_FAULTS = {
    "Unterminated string": "the text that starts here has no closing quote",
    "Invalid control character": "a text contains a line break or another control character",
    "Invalid": "a backslash in a text must be doubled (\\\\)",
}
"""How the decoder's messages start, and what they mean to whoever wrote the file."""


class Place(NamedTuple):
    """Line, and byte offset within it, both counted from 1."""

    line: int
    column: int


class Member(NamedTuple):
    """A member of an object: its name, its value, and where each of them begins."""

    name: str
    value: Any
    name_place: Place
    value_place: Place


class MalformedError(ValueError):
    """The text is not a JSON object.

    Attributes:
        place: where the error is.
        is_value: whether it is a JSON value, though no object.
    """

    def __init__(self, message: str, place: Place, *, is_value: bool = False) -> None:
        super().__init__(message)
        self.place = place
        self.is_value = is_value


def read_members(content: bytes) -> list[Member]:
    """The members of the JSON object in a file's bytes, in their order; a repeated name is listed each time.

    Raises:
        MalformedError: it is not UTF-8, not JSON, or not an object.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        place = _place(content[: error.start])
        raise MalformedError(f"the byte 0x{content[error.start]:02x} is not UTF-8", place) from None
    if text.startswith("\ufeff"):
        raise MalformedError("it starts with a byte order mark, which is not JSON", Place(1, 1))
    return _Reading(text).read()


def _place(before: bytes) -> Place:
    return Place(before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))


class _Reading:
    """Reads one text from its beginning to its end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def read(self) -> list[Member]:
        self._skip_space()
        if not self._text.startswith("{", self._at):
            begin = self._at
            self._read_value()
            self._end()
            raise MalformedError("it is not an object", self._find(begin), is_value=True)
        members = self._read_object()
        self._end()
        return members

    def _read_object(self) -> list[Member]:
        members: list[Member] = []
        self._at += 1
        self._skip_space()
        if self._take("}"):
            return members
        while True:
            members.append(self._read_member(after_comma=bool(members)))
            if self._take("}"):
                return members
            if not self._take(","):
                raise self._fail("a comma or the closing } is missing before {found}")

    def _read_member(self, *, after_comma: bool) -> Member:
        name_at = self._at
        if after_comma and self._text.startswith("}", name_at):
            raise self._fail("there is an extra comma before the closing }")
        if not self._text.startswith('"', name_at):
            raise self._fail('the name of a field must be in double quotes ("), not {found}')
        name = self._read_value()
        self._skip_space()
        if not self._take(":"):
            raise self._fail("a colon is missing after the name of the field, before {found}")
        value_at = self._at
        value = self._read_value()
        self._skip_space()
        return Member(name, value, self._find(name_at), self._find(value_at))

    def _read_value(self) -> Any:
        try:
            value, self._at = _DECODER.raw_decode(self._text, self._at)
        except RecursionError:
            raise self._fail("the value nests too deep") from None
        except json.JSONDecodeError as error:
            self._at = error.pos
            named = next((message for begin, message in _FAULTS.items() if error.msg.startswith(begin)), None)
            raise self._fail(named or "this is not JSON: {found}") from None
        except ValueError:
            raise self._fail("the number is too long") from None
        return value

    def _end(self) -> None:
        self._skip_space()
        if self._at < len(self._text):
            raise self._fail("something follows the end of the JSON value: {found}")

    def _take(self, sign: str) -> bool:
        if not self._text.startswith(sign, self._at):
            return False
        self._at += 1
        self._skip_space()
        return True

    def _skip_space(self) -> None:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _fail(self, message: str) -> MalformedError:
        rest = self._text[self._at :].partition("\n")[0].rstrip()
        shown = rest if len(rest) <= _SHOWN else f"{rest[:_SHOWN]}…"
        found = shown or ("the end of the file" if self._at >= len(self._text) else "the end of the line")
        return MalformedError(message.replace("{found}", found), self._find(self._at))

    def _find(self, at: int) -> Place:
        return _place(self._text[:at].encode())
