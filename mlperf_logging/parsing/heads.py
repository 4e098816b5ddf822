"""Records whose JSON is sound, read without a grammar."""

import re
from collections.abc import Sequence
from json import JSONDecoder
from typing import Any, NamedTuple

from mlperf_logging.parsing.dialects import Dialect, Parsed, ParseRecord, Unreadable
from mlperf_logging.parsing.payloads import (
    DEPTH_LIMIT,
    DIGITS_LIMIT,
    PairDecoder,
    count_members,
    read_integer,
)
from mlperf_logging.parsing.tally import MORE_UNREADABLE

_COLON = "colon"

EVENTLESS: dict[str, Any] = {}
"""Stands for the fields of a record that makes no event whatever they are."""


class _Head(NamedTuple):
    """The words before a dialect's JSON.

    Attributes:
        start: the place behind the marker, where they begin.
        pattern: what they are like.
        may_stand_alone: whether there are records without JSON.
    """

    start: int
    pattern: re.Pattern[str]
    may_stand_alone: bool


class HeadParser:
    """Parses records whose JSON is sound: a pattern for the words before it, and Python's json module.

    What it declines, and so every record that is malformed, goes to the grammars, which load with the first.
    """

    def __init__(self) -> None:
        self._decoder = PairDecoder()
        self._find_value = JSONDecoder().raw_decode
        self._find_long_value = JSONDecoder(parse_int=read_integer).raw_decode
        self._pairs: list[list[tuple[str, Any]]] = []
        self._find_pairs = JSONDecoder(object_pairs_hook=self._pairs.append).raw_decode
        self._heads: dict[str, _Head | None] = {}
        self._parse: ParseRecord | None = None

    def _open_head(self, dialect: Dialect) -> _Head | None:
        if dialect.name not in self._heads:
            pattern = re.compile(dialect.head_pattern)
            head = _Head(len(dialect.marker), pattern, _COLON in pattern.groupindex)
            self._heads[dialect.name] = head if dialect.head_pattern else None
        return self._heads[dialect.name]

    def find_end(self, dialect: Dialect, text: str, start: int) -> tuple[int, bool] | None:
        """Where the record that begins at a place of a text ends, and whether it nests too deep; None for the grammar alone.

        The end is -1 where the record is broken; where it nests too deep, it makes no event.
        """
        head = self._open_head(dialect)
        if head is None:
            return None
        found = head.pattern.match(text, start + head.start)
        if found is None or (head.may_stand_alone and found[_COLON] is None):
            return (found.end() if found else -1), False
        try:
            return self._find_long_value(text, found.end())[1], False
        except ValueError:
            return -1, False
        except RecursionError:
            from mlperf_logging.parsing.deep_values import find_deep_end

            end, depth = find_deep_end(text, found.end())
            return end, depth > DEPTH_LIMIT

    def parse(self, dialect: Dialect, text: str) -> Parsed | Unreadable:
        """Parse a text that begins with a record."""
        parsed = self.parse_sound(dialect, text)
        if parsed is not None:
            return parsed
        if self._parse is None:
            from mlperf_logging.parsing.grammar import open_grammars

            self._parse = open_grammars()
        return self._parse(dialect, text)

    def parse_sound(self, dialect: Dialect, text: str) -> Parsed | None:
        """Parse a text that begins with a record whose JSON is sound; None for others."""
        head = self._open_head(dialect)
        found = head.pattern.match(text, head.start) if head is not None else None
        if head is None or found is None:
            return None
        fields: dict[str, Any] = found.groupdict()
        place = end = found.end()
        members = 0
        duplicates: list[str] = []
        is_alone = head.may_stand_alone and fields[_COLON] is None
        if not is_alone:
            find_value = self._find_value if len(text) <= DIGITS_LIMIT else self._find_long_value
            try:
                payload, end = find_value(text, place)
                # As many colons as members prove that no name stands twice.
                members = count_members((payload,))
                if members >= 0 and text.count(":", place, end) != members:
                    self._decoder.duplicates = duplicates
                    payload, end = self._decoder.decode(text, place)
            except (ValueError, RecursionError):
                return None
            fields["payload"] = payload
        if end == len(text) or not (rest := text[end:].lstrip(" \t")):
            return Parsed(fields, None, duplicates, members)
        if rest[0] == ":" if is_alone else text[end - 1] not in '}]"':
            return None  # behind a number or a word, what follows may belong to it, and so may a colon behind a key
        return Parsed(fields, len(text) - len(rest), duplicates, members)

    def parse_many(
        self, dialect: Dialect, texts: Sequence[str], doubts: dict[int, list[str]]
    ) -> list[dict[str, Any] | None]:
        """Parse texts that consist of a record each.

        Args:
            dialect: that of the records.
            texts: the records.
            doubts: labels by the number of a text; what is found here is added, or takes their place where there is no event.

        Returns:
            The fields of each record; `EVENTLESS` for one that is broken, nests too deep or is followed by text; None for one
            that is to be looked at with care.
        """
        head = self._open_head(dialect)
        if head is None or max(map(len, texts), default=0) > DIGITS_LIMIT:
            return [None] * len(texts)
        match, find_value, start = head.pattern.match, self._find_value, head.start
        has_words = bool(head.pattern.groups)
        parsed: list[dict[str, Any] | None] = []
        payloads: list[tuple[int, int, Any]] = []
        colons = 0
        for number, text in enumerate(texts):
            found = match(text, start)
            if found is None:
                parsed.append(EVENTLESS)
                doubts[number] = [MORE_UNREADABLE]
                continue
            fields, place = found.groupdict() if has_words else {}, found.end()
            is_alone = head.may_stand_alone and fields[_COLON] is None
            end, payload = place, None
            if not is_alone:
                try:
                    payload, end = find_value(text, place)
                except (ValueError, RecursionError) as error:
                    is_broken = isinstance(error, ValueError)
                    parsed.append(EVENTLESS if is_broken else None)
                    if is_broken:
                        doubts[number] = [MORE_UNREADABLE]
                    continue
            if end == len(text) or not (rest := text[end:].strip(" \t")):
                if len(text) > 2 * DEPTH_LIMIT and count_members((payload,)) < 0:
                    # Soon forgotten, since many deep ones do not fit the processor's cache.
                    parsed.append(EVENTLESS)
                    doubts[number] = ["nested-too-deep"]
                    continue
                if not is_alone:
                    fields["payload"] = payload
                    payloads.append((number, place, payload))
                    colons += text.count(":", place)
                parsed.append(fields)
            elif rest[0] != ":" if is_alone else text[end - 1] in '}]"':
                parsed.append(EVENTLESS)
                doubts[number] = ["text-after-the-record"]
            else:
                parsed.append(None)
        # As many colons as members prove that no name stands twice.
        if count_members([payload for _, _, payload in payloads]) != colons:
            for number, place, _ in payloads:
                if self._names_twice(texts[number], place):
                    doubts.setdefault(number, []).append("duplicate-json-key")
        return parsed

    def _names_twice(self, text: str, place: int) -> bool:
        """Whether a name stands twice in an object of the value that begins at a place of a text."""
        pairs = self._pairs
        pairs.clear()
        self._find_pairs(text, place)
        return sum(map(len, map(dict, pairs))) < sum(map(len, pairs))
