"""Lists of names written with braces: ``layer_{0..2}/{kernel,bias}`` stands for six names."""

from __future__ import annotations

import re

MAX_NAMES = 100_000
"""Names that a list may stand for; a longer one is a slip."""

_BRACES = re.compile(r"\{([^{}]*)\}")


def expand_names(patterns: list[str]) -> list[str]:
    """All names that the patterns stand for, in order.

    ``{a,b}`` stands for either text, ``{1..3}`` for the whole numbers from 1 to 3.
    """
    return [name for pattern in patterns for name in _expand(pattern)]


def _expand(pattern: str) -> list[str]:
    found = _BRACES.search(pattern)
    if found is None:
        return [pattern]
    before, after = pattern[: found.start()], _expand(pattern[found.end() :])
    choices: list[str] = []
    for choice in found[1].split(","):
        first, dots, last = choice.partition("..")
        if dots and not (first.isdecimal() and last.isdecimal()):
            raise ValueError(f"{choice!r} is not a range of whole numbers")
        numbers = range(int(first), int(last) + 1) if dots else range(0)
        if max(len(numbers), 1) * len(after) > MAX_NAMES:
            raise ValueError(f"{pattern!r} stands for too many names, more than {MAX_NAMES}")
        choices += [str(number) for number in numbers] if dots else [choice]
    return [before + choice + rest for choice in choices for rest in after]
