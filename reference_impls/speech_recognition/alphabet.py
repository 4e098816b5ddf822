"""The characters that a transcript is made of, as numbers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

CHARACTERS = "'ABCDEFGHIJKLMNOPQRSTUVWXYZ "
"""Those of LibriSpeech's transcripts."""

BLANK = len(CHARACTERS)
"""CTC's label for "no new character"; TensorFlow's decoders want it to be the last one."""

CLASSES = BLANK + 1
_NUMBERS = {character: number for number, character in enumerate(CHARACTERS)}


def encode_text(text: str) -> np.ndarray:
    """The numbers of a text's characters: uint8 [length].

    Raises:
        ValueError: a character is not among `CHARACTERS`; the message names it.
    """
    unknown = sorted(set(text) - set(CHARACTERS))
    if unknown:
        raise ValueError(f"unknown character {unknown[0]!r}")
    return np.array([_NUMBERS[character] for character in text], np.uint8)


def decode_text(numbers: Iterable[int]) -> str:
    """The text that numbers stand for; spaces at its ends, and all but one between words, are dropped."""
    return " ".join("".join(CHARACTERS[number] for number in numbers).split())
