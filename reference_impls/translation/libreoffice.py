"""Human translations of LibreOffice's texts: what its German catalogues say for each English text.

The catalogues are those of Debian's package ``libreoffice-l10n-de`` (gettext, ``.mo``). Which pairs are held out is
settled by checksums, and no held-out sentence has a near-double among the training pairs: texts that differ in
case, digits or punctuation alone, in one word (from four words on) or in two words (from eight words on), in either
language, are kept together on one side.
"""

from __future__ import annotations

import gettext
import hashlib
import re
import struct
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from reference_impls.harness import DataError

PACKAGE = "libreoffice-l10n-de"
CATALOGUES = "usr/lib/libreoffice/program/resource/de/LC_MESSAGES"
"""Where the package puts its catalogues."""

HELD_OUT_ONE_IN = 8
SHORTEST_HELD_OUT = 4
"""Words that a held-out text has at least: single words say little of a translation."""

_ONE_WORD_FROM, _TWO_WORDS_FROM = 4, 8
_ACCELERATOR = re.compile(r"(?<![^\W_])_(?=\w)|(?<=\w)_(?=\w)|~")
_LETTER = re.compile(r"[^\W\d_]")
_NO_LETTERS = re.compile(r"[\W\d_]+")

Pair = tuple[str, str]
"""A text and its translation."""


class Pairs(NamedTuple):
    """Training pairs, and pairs that are held out."""

    train: list[Pair]
    test: list[Pair]


def read_catalogues(folder: Path) -> list[Pair]:
    """All different pairs of a folder of catalogues, cleaned and sorted.

    Args:
        folder: where the ``.mo`` files are.

    Raises:
        DataError: there are none, or one is damaged.
    """
    files = sorted(folder.glob("*.mo"))
    if not files:
        raise DataError(f"{folder} holds no catalogues (*.mo) of {PACKAGE}")
    pairs = set()
    for path in files:
        for english, german in _read_catalogue(path):
            pair = clean_text(english), clean_text(german)
            if pair[0] != pair[1] and _LETTER.search(pair[0]) and pair[1]:
                pairs.add(pair)
    return sorted(pairs)


def _read_catalogue(path: Path) -> Iterator[Pair]:
    try:
        with path.open("rb") as file:
            catalogue = gettext.GNUTranslations(file)
    except (OSError, struct.error, ValueError) as error:
        raise DataError(f"{path} is not a gettext catalogue, or is damaged: {error}") from None
    texts: dict[object, str] = catalogue._catalog  # type: ignore[attr-defined]  # there is no public way to list it
    for key, german in texts.items():
        if isinstance(key, str) and key:  # else a plural form, or the catalogue's head
            yield key.rpartition("\x04")[2], german


def clean_text(text: str) -> str:
    """A text without marks of keyboard shortcuts, on one line."""
    return " ".join(_ACCELERATOR.sub("", text).split())


def split_pairs(pairs: Iterable[Pair]) -> Pairs:
    """Hold some pairs out: one of each family that a checksum picks and that has long texts only.

    Args:
        pairs: sorted.

    Returns:
        Training pairs, and held-out ones of which each is of another family.
    """
    parts = Pairs([], [])
    for family in group_families(list(pairs)):
        first = min(family)
        picked = int.from_bytes(hashlib.sha256(first[0].encode()).digest()[:8], "big") % HELD_OUT_ONE_IN == 0
        if picked and all(len(english.split()) >= SHORTEST_HELD_OUT for english, _ in family):
            parts.test.append(first)
        else:
            parts.train.extend(family)
    return Pairs(sorted(parts.train), sorted(parts.test))


def group_families(pairs: list[Pair]) -> list[list[Pair]]:
    """Pairs that are near-doubles in either language, directly or by others between them, together."""
    leaders = list(range(len(pairs)))

    def find(number: int) -> int:
        while leaders[number] != number:
            leaders[number] = leaders[leaders[number]]
            number = leaders[number]
        return number

    seen: dict[tuple[int, str], int] = {}
    for number, pair in enumerate(pairs):
        for language, text in enumerate(pair):
            for pattern in make_patterns(text):
                other = seen.setdefault((language, pattern), number)
                if other != number:
                    leaders[find(number)] = find(other)
    families = defaultdict(list)
    for number, pair in enumerate(pairs):
        families[find(number)].append(pair)
    return list(families.values())


def make_patterns(text: str) -> set[str]:
    """What a text has in common with its near-doubles: its words, less one or two where there are enough."""
    folded = _NO_LETTERS.sub(" ", unicodedata.normalize("NFKC", text).casefold())
    words = folded.split()
    patterns = {" ".join(words)} if words else set()
    gaps: list[tuple[int, ...]] = []
    if len(words) >= _ONE_WORD_FROM:
        gaps += [(i,) for i in range(len(words))]
    if len(words) >= _TWO_WORDS_FROM:
        gaps += list(combinations(range(len(words)), 2))
    for places in gaps:
        # A place stands for another word there ("*") or for none: "the * button", "the button".
        for kept in range(2 ** len(places)):
            marked = {place for bit, place in enumerate(places) if kept >> bit & 1}
            patterns.add(
                " ".join(
                    "*" if i in marked else word
                    for i, word in enumerate(words)
                    if i in marked or i not in places
                )
            )
    return patterns
