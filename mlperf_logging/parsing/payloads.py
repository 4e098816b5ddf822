"""What dialects share in reading decoded JSON: counting, checking, naming. The fast paths use it, too."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from itertools import chain
from math import isfinite
from typing import Any

from mlperf_logging.events import Event
from mlperf_logging.parsing.diagnostics import Diagnostic

make_event: Callable[[Iterable[Any]], Event] = partial(tuple.__new__, Event)
"""Makes an event of all its fields, in order, in half the time that `Event` takes."""

DEPTH_LIMIT = 100
"""Lists and objects nest at most this deep; deeper ones would break those who use them."""

DIGITS_LIMIT = 4300
"""An integer has at most this many digits; Python refuses longer ones. A longer one is read as infinite."""

LARGEST_TIME_MS = 1 << 62
"""A whole number beyond this is not a time: it is later than the sun lasts, and larger ones fit no float."""

TOO_DEEP = -(1 << 40)

_FEW = 8

_SECONDS_DIGITS = 15

_SECONDS = r"([0-9]*)\.?([0-9]*)"  # compiled when it is needed: that costs a cold start
# Numbers that may be too large for a float; patterns that begin with one letter are found far sooner.
_MANY_DIGITS = 300
_LARGE, _LARGE_CAPITAL, _LONG = r"e\+?[0-9]{3}", r"E\+?[0-9]{3}", rf"[0-9]{{{_MANY_DIGITS}}}"

_NUMERAL = r"-?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?"


class PairDecoder:
    """Decodes JSON as Python's json module reads it, and notes names repeated in an object.

    Attributes:
        duplicates: the names, since the list was last emptied.
    """

    def __init__(self) -> None:
        self.duplicates: list[str] = []
        self._decoder = json.JSONDecoder(object_pairs_hook=self.make_object, parse_int=read_integer)

    def decode(self, text: str, place: int) -> tuple[Any, int]:
        """A whole value at a place of a text, and the place behind it; ValueError or RecursionError without one."""
        return self._decoder.raw_decode(text, place)

    def decode_value(self, text: str, place: int) -> tuple[Any, int] | None:
        """Decode the value that begins behind blanks at a place of a text, if there is a whole one."""
        try:
            return self.decode(text, skip_blanks(text, place))
        except (ValueError, IndexError, RecursionError):
            self.duplicates.clear()
            return None

    def decode_values(self, text: str, place: int) -> tuple[list[Any], int] | None:
        """Decode the whole values of a list from a place of a text on, as far as they go."""
        return self._decode_parts(text, place, self.decode)

    def decode_members(self, text: str, place: int) -> tuple[list[tuple[str, Any]], int] | None:
        """Decode the whole members of an object from a place of a text on, as far as they go."""
        return self._decode_parts(text, place, self._decode_member)

    def _decode_member(self, text: str, place: int) -> tuple[tuple[str, Any], int]:
        if text[place] != '"':
            raise ValueError("the name of a member is text")
        name, end = self.decode(text, place)
        place = skip_blanks(text, end)
        if text[place] != ":":
            raise ValueError("a colon follows the name of a member")
        value, end = self.decode(text, skip_blanks(text, place + 1))
        return (name, value), end

    def _decode_parts(
        self, text: str, place: int, decode: Callable[[str, int], tuple[Any, int]]
    ) -> tuple[list[Any], int] | None:
        parts: list[Any] = []
        end = place
        try:
            while True:
                part, end = decode(text, skip_blanks(text, place))
                parts.append(part)
                place = skip_blanks(text, end)
                if text[place] != ",":
                    break
                place += 1
        except (ValueError, IndexError, RecursionError):
            self.duplicates.clear()
        return (parts, end) if parts else None

    def make_object(self, members: list[tuple[str, Any]]) -> dict[str, Any]:
        """Make an object of its members; of a repeated name, the last member counts."""
        made = dict(members)
        if len(made) != len(members):
            seen: set[str] = set()
            for name, _ in members:
                if name in seen:
                    self.duplicates.append(name)
                seen.add(name)
        return made


def skip_blanks(text: str, place: int) -> int:
    """The first place from some place on without a blank."""
    while text[place] in " \t":
        place += 1
    return place


def read_integer(token: str) -> int | float:
    """An integer; one with too many digits is infinite."""
    return int(token) if len(token) <= DIGITS_LIMIT else float(token)


def count_members(values: Collection[Any], depth: int = 0) -> int:
    """Count the members of all objects within some values; below zero when they nest deeper than `DEPTH_LIMIT`."""
    count = 0
    while True:
        if len(values) == 1:  # so in a chain of lists, which may be long
            (value,) = values
            if value.__class__ is dict:
                count += len(value)
                values = value.values()
            elif value.__class__ is list:
                values = value
            else:
                return count
            depth += 1
            if depth > DEPTH_LIMIT:
                return TOO_DEEP
            continue
        if len(values) <= _FEW:  # one by one is faster, above all where much is nested
            inner: list[Any] = []
            nested = False
            for value in values:
                if value.__class__ is dict:
                    count += len(value)
                    inner += value.values()
                    nested = True
                elif value.__class__ is list:
                    inner += value
                    nested = True
            depth += nested
            if depth > DEPTH_LIMIT:
                return TOO_DEEP
            if not inner:
                return count
            values = inner
            continue
        kinds = set(map(type, values))
        if dict not in kinds and list not in kinds:
            return count
        depth += 1
        if depth > DEPTH_LIMIT:
            return TOO_DEEP
        objects = [value for value in values if value.__class__ is dict]
        lists = [value for value in values if value.__class__ is list] if list in kinds else []
        count += sum(map(len, objects))
        values = [*chain.from_iterable(map(dict.values, objects)), *chain.from_iterable(lists)]


def has_members(text: bytes, members: int) -> bool:
    """Whether the objects in a JSON text are written with so many members, those that appear twice included."""
    if text.count(b":") == members:  # each member has a colon at least
        return True
    counts: list[int] = []
    try:
        json.JSONDecoder(object_pairs_hook=lambda pairs: counts.append(len(pairs))).decode(text.decode())
    except (ValueError, RecursionError):
        return False
    return sum(counts) == members


def has_names_once(texts: Sequence[bytes], values: Sequence[Any]) -> bool:
    """Whether no name stands twice in JSON texts, by the values decoded from them, which nest as deep as they may."""
    members = count_members(values)
    # A member has a colon at least, so as many colons as members prove it.
    if members >= 0 and b"".join(texts).count(b":") == members:
        return True
    return all(has_members(text, count_members((value,))) for text, value in zip(texts, values, strict=True))


def read_milliseconds(seconds: str) -> int | float | None:
    """Seconds, as written in decimal, as milliseconds; None for text that is not such a number.

    An int for whole milliseconds, else the nearest float.
    """
    found = re.fullmatch(_SECONDS, seconds)
    return join_milliseconds(found[1].encode(), found[2].encode()) if found else None


def join_milliseconds(whole: bytes, fraction: bytes) -> int | float | None:
    """Seconds as milliseconds, of the digits before and behind the point; see `read_milliseconds`."""
    if not (whole or fraction) or len(whole) > _SECONDS_DIGITS:
        return None
    if len(fraction) > 3:
        fraction = fraction.rstrip(b"0")
    if len(fraction) <= 3:
        return int(whole + fraction.ljust(3, b"0"))
    number = float(b"%s%s.%s" % (whole, fraction[:3], fraction[3:]))
    return number if isfinite(number) else None


def read_time_ms(record: dict[str, Any], diagnostics: list[Diagnostic]) -> int | float | None:
    """The record's ``time_ms``; None and a diagnostic if it has none."""
    if "time_ms" not in record:
        in_seconds = "time_s" in record
        diagnostics.append(
            Diagnostic("time-in-seconds", "time_s") if in_seconds else Diagnostic("missing-time")
        )
        return None
    time_ms = record["time_ms"]
    if time_ms.__class__ is float and isfinite(time_ms):
        return float(time_ms)
    if time_ms.__class__ is int and abs(time_ms) <= LARGEST_TIME_MS:
        return int(time_ms)
    if isinstance(time_ms, str) and (number := _read_numeral(time_ms)) is not None:
        diagnostics.append(Diagnostic("time-as-text", "time_ms", describe(time_ms)))
        return number
    diagnostics.append(Diagnostic("time-not-a-number", "time_ms", describe(time_ms)))
    return None


def _read_numeral(text: str) -> int | float | None:
    if len(text) <= _SECONDS_DIGITS and text.isascii() and text.isdigit():
        return int(text)
    if len(text) >= 100 or not re.fullmatch(_NUMERAL, text):
        return None
    number = float(text)
    if text.lstrip("-").isdigit() and abs(number) <= LARGEST_TIME_MS:
        return int(text)
    return number if isfinite(number) else None


def read_metadata(record: dict[str, Any], diagnostics: list[Diagnostic]) -> dict[str, Any] | None:
    """The record's ``metadata``; None and a diagnostic if it has none."""
    metadata = record.get("metadata")
    if isinstance(metadata, dict):
        return metadata
    if "metadata" not in record:
        diagnostics.append(Diagnostic("missing-metadata"))
    elif metadata is None or metadata == "":
        diagnostics.append(Diagnostic("metadata-empty", "metadata", describe(metadata)))
        return {}
    else:
        diagnostics.append(Diagnostic("metadata-not-an-object", "metadata", describe(metadata)))
    return None


def describe(value: object) -> str:
    """A value in short, for a message."""
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 58 else f'"{value[:56]}…'
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and value.bit_length() > 64:
        return "a huge integer"
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def may_be_unbounded(text: str) -> bool:
    """Whether a text of JSON may hold a number that is not finite, by a quick look."""
    return (
        "NaN" in text
        or "Infinity" in text
        or re.search(_LARGE, text) is not None
        or re.search(_LARGE_CAPITAL, text) is not None
        or (len(text) > _MANY_DIGITS and re.search(_LONG, text) is not None)
    )


def has_unbounded(text: str, payload: object) -> bool:
    """Whether a value, decoded from a text, holds a number that is not finite; it nests no deeper than `DEPTH_LIMIT`."""
    return may_be_unbounded(text) and _has_unbounded(payload)


def _has_unbounded(payload: object) -> bool:
    values: Collection[Any] = (payload,)
    while values:
        inner: list[Any] = []
        for value in values:
            if value.__class__ is float:
                if not isfinite(value):
                    return True
            elif value.__class__ is dict:
                inner += value.values()
            elif value.__class__ is list:
                inner += value
        values = inner
    return False
