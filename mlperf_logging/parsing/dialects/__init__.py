"""The log dialects: one grammar (`NAME.lark`) and one small module (`NAME.py`) each, found in this folder.

A dialect's module holds one value, ``DIALECT``. There is no list of dialects anywhere: a new one is
its two files.
"""

import importlib
import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from mlperf_logging.events import Event
from mlperf_logging.parsing.columns import RecordColumns
from mlperf_logging.parsing.diagnostics import Diagnostic

STEM = ":::"
"""How every marker begins."""


Reading: TypeAlias = "tuple[Event | None, list[Diagnostic]]"
"""What a record's fields make: an event, unless a diagnostic forbids it, and the diagnostics."""


class Parsed(NamedTuple):
    """What a grammar found in a record.

    Attributes:
        fields: what its terminals matched, and ``payload``.
        rest: where in the text something begins that is not the record's; None when nothing does.
        duplicates: names repeated in an object.
        members: of the objects in the payload, below zero where it nests too deep; None where they are not counted yet.
    """

    fields: dict[str, Any]
    rest: int | None
    duplicates: list[str]
    members: int | None = None


class Unreadable(NamedTuple):
    """Where (index of the character) and why (label of the diagnostic) a text is not a record."""

    place: int
    label: str


class Dialect(NamedTuple):
    """One way of writing records.

    Attributes:
        name: the name of the dialect, its grammar and its module.
        rank: age of the dialect: a newer one has a higher rank.
        read_ordinary: the fast path. From the bytes of records (marker first), their line numbers and columns
            it makes their events, or None when not every one of them is of the ordinary shape and beyond
            doubt.
        read_fields: makes an event of what the grammar found: what its terminals matched, under their names in
            lower case, and ``payload``, the decoded JSON, if there is one; then line number, column and bytes
            of the record.
        key_pattern: regular expression that finds the key in a record which cannot be read; its first group.
        sample_head: the text between marker and JSON, to make a record of a sample of malformed JSON.
        head_samples: malformed beginnings of records, from behind the marker on, by label.
        head_pattern: the text between marker and JSON in every record that is not broken, a regular expression whose
            groups are named as the grammar's terminals; where there may be no JSON, ``colon`` is the group before it.
            "" where the words alone do not show it.
        needed_words: what stands somewhere in the bytes of every record that makes an event, unless it is written with
            escapes.
        last_bytes: with one of these ends every record that makes an event and is the last of its line, but for blanks.
            "" where it may end with any.
        read_columns: the same as `read_ordinary` for a whole block, without places: from lines that are the bytes behind the
            markers of records, and their number, it reads what the records hold. Each line begins with a brace and ends
            with one, but for blanks. None where a dialect leaves that to `read_ordinary`.
    """

    name: str
    rank: int
    read_ordinary: Callable[[Sequence[bytes], Sequence[int], Sequence[int]], list[Event] | None]
    read_fields: Callable[[dict[str, Any], int, int, bytes], Reading]
    key_pattern: str
    sample_head: str = ""
    head_samples: tuple[tuple[str, tuple[str, ...]], ...] = ()
    head_pattern: str = ""
    needed_words: tuple[bytes, ...] = ()
    last_bytes: bytes = b""
    read_columns: Callable[[bytes, int], RecordColumns | None] | None = None

    def may_hold_event(self, raw: bytes) -> bool:
        """Whether a record may make an event, by a quick look at its bytes."""
        for word in self.needed_words:
            if word not in raw:
                return b"\\" in raw
        return True

    def may_end_event(self, raw: bytes) -> bool:
        """Whether a record that is the last of its line may make an event, by a look at how it ends."""
        return not self.last_bytes or raw.rstrip(b" \t")[-1] in self.last_bytes

    @property
    def grammar_path(self) -> str:
        """Where the dialect's grammar is."""
        return _find_grammar(self.name)

    @property
    def marker(self) -> bytes:
        """The bytes that begin a record, with the space that ends them."""
        return read_marker(self.grammar_path)


ParseRecord: TypeAlias = Callable[[Dialect, str], Parsed | Unreadable]
"""Parses a text that begins with a record by the dialect's grammar."""


@cache
def read_marker(grammar_path: str) -> bytes:
    """Read the marker from a grammar's line ``MARKER: "… "``, which alone says what it is."""
    with open(grammar_path, encoding="utf-8") as file:
        line = next((line.rstrip("\n") for line in file if line.startswith("MARKER:")), "")
    marker = line[len('MARKER: "') : -1]
    if (
        line != f'MARKER: "{marker}"'
        or not (marker.startswith(STEM) and marker.endswith(" "))
        or "\\" in marker
    ):
        raise ValueError(f'{grammar_path}: a dialect needs a line MARKER: "{STEM}… "')
    return marker.encode()


@cache
def load_dialects() -> tuple[Dialect, ...]:
    """All dialects of this folder, newest first."""
    modules = [importlib.import_module(f"{__name__}.{_name(path)}") for path in _grammar_paths()]
    return tuple(sorted((module.DIALECT for module in modules), key=lambda dialect: -dialect.rank))


def rank_dialect(name: str) -> int:
    """Age of a dialect, newer ones higher; -1 for a name that no dialect has."""
    return next((dialect.rank for dialect in load_dialects() if dialect.name == name), -1)


@cache
def _find_grammar(name: str) -> str:
    return next(path for path in _grammar_paths() if _name(path) == name)


def _grammar_paths() -> list[str]:
    return [entry.path for folder in __path__ for entry in os.scandir(folder) if entry.name.endswith(".lark")]


def _name(path: str) -> str:
    return os.path.basename(path).removesuffix(".lark")
