"""Records whose JSON is sound, read without a grammar."""

import re
from functools import cache
from json import JSONDecoder

from mlperf_logging.parsing.dialects import Dialect, Parsed, ParseRecord, Unreadable
from mlperf_logging.parsing.payloads import PairDecoder, count_members, read_integer


@cache
def _compile_head(dialect: Dialect) -> re.Pattern[str] | None:
    return re.compile(dialect.head_pattern) if dialect.head_pattern else None


class HeadParser:
    """Parses records whose JSON is sound: a pattern for the words before it, and Python's json module.

    What it declines, and so every record that is malformed, goes to the grammars, which load with the first.
    """

    def __init__(self) -> None:
        self._decoder = PairDecoder()
        self._find_value = JSONDecoder(parse_int=read_integer).raw_decode
        self._parse: ParseRecord | None = None

    def may_parse(self, dialect: Dialect, raw: bytes, *, is_last: bool) -> bool:
        """Whether a record may make an event: its words are in order, and a complete value follows them.

        The last record of a line makes none where text follows it.
        """
        pattern = _compile_head(dialect)
        if pattern is None:
            return True
        text = raw.decode("latin-1")
        head = pattern.match(text, len(dialect.marker))
        if head is None:
            return False
        end = head.end()
        if head.groupdict().get("colon", ":") is not None:
            try:
                _, end = self._find_value(text, end)
            except (ValueError, RecursionError):
                return False
        return not is_last or not text[end:].strip(" \t")

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
        pattern = _compile_head(dialect)
        head = pattern.match(text, len(dialect.marker)) if pattern is not None else None
        if head is None:
            return None
        self._decoder.duplicates = []
        try:
            payload, end = self._find_value(text, head.end())
            # As many colons as members prove that no name stands twice.
            members = count_members((payload,))
            if members >= 0 and text.count(":", head.end(), end) != members:
                payload, end = self._decoder.decode(text, head.end())
        except (ValueError, RecursionError):
            return None
        rest = text[end:].lstrip(" \t")
        if rest and text[end - 1] not in '}]"':  # behind a number or a word, what follows may belong to it
            return None
        place = len(text) - len(rest) if rest else None
        return Parsed({**head.groupdict(), "payload": payload}, place, self._decoder.duplicates, members)
