"""Pronunciations of English words, from the dictionary of Carnegie Mellon University.

The dictionary is that of Debian's package ``festlex-cmu``. A word is translated from its letters to its phonemes:
``l e a d i n g`` to ``l iy1 d ih ng``. Checksums decide which words are trained on and which are held out, and words
that begin alike (``abandon``, ``abandoned``) stay together.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from reference_impls.harness import DataError

PACKAGE = "festlex-cmu"
DICTIONARY = "usr/share/festival/dicts/cmu/cmudict-0.4.out"
"""Where the package puts the dictionary."""

SHARES = 50
HELD_OUT_SHARES, TRAINING_SHARES = range(1), range(1, 11)
"""Of so many equal shares of all words, those that are held out and those that are trained on."""
ALIKE_LETTERS = 5
"""Words whose first letters are the same, so many or all that they have, are in the same share."""

_ENTRY = re.compile(r'\("([a-z]{3,})" \S+ \((.+)\)\)')
_SYLLABLE = re.compile(r"\(\(([^()]*)\) (\d)\)")
_VOWELS = "aeiou"
_UNSTRESSED = "0"

Pair = tuple[str, str]
"""Letters and phonemes, each separated by spaces."""


class Pairs(NamedTuple):
    """Training pairs, and pairs that are held out."""

    train: list[Pair]
    test: list[Pair]


def read_pronunciations(path: Path) -> list[Pair]:
    """The first pronunciation of each word that has at least three letters, and nothing but letters.

    Args:
        path: the dictionary, a list of entries such as ``("leading" nil (((l iy) 1) ((d ih ng) 0)))``.

    Returns:
        Pairs, sorted. The vowel of a stressed syllable carries the stress: ``iy1``.

    Raises:
        DataError: it is missing or damaged.
    """
    try:
        lines = path.read_text("ascii").splitlines()
    except (OSError, UnicodeError) as error:
        raise DataError(f"{path} is missing or damaged: {error}") from None
    sounds: dict[str, str] = {}
    for line in lines:
        entry = _ENTRY.fullmatch(line.strip())
        if entry is not None:
            sounds.setdefault(entry[1], " ".join(_read_phonemes(entry[2])))
    if not sounds:
        raise DataError(
            f"{path} holds no pronunciations: it is not the dictionary of {PACKAGE}, or is damaged"
        )
    return sorted((" ".join(word), phonemes) for word, phonemes in sounds.items())


def _read_phonemes(syllables: str) -> list[str]:
    return [
        phoneme + stress if phoneme[0] in _VOWELS and stress != _UNSTRESSED else phoneme
        for phonemes, stress in _SYLLABLE.findall(syllables)
        for phoneme in phonemes.split()
    ]


def split_pairs(pairs: Iterable[Pair]) -> Pairs:
    """Divide words by a checksum of their first letters.

    Args:
        pairs: sorted.

    Returns:
        Training pairs and held-out ones; most words are in neither.
    """
    parts = Pairs([], [])
    for pair in pairs:
        beginning = pair[0].replace(" ", "")[:ALIKE_LETTERS]
        share = int.from_bytes(hashlib.sha256(beginning.encode()).digest()[:8], "big") % SHARES
        if share in HELD_OUT_SHARES:
            parts.test.append(pair)
        elif share in TRAINING_SHARES:
            parts.train.append(pair)
    return parts
