"""Lists of names written with braces: ``layer_{0..2}/{kernel,bias}`` stands for six names."""

from __future__ import annotations

import re
from itertools import islice

MAX_NAMES = 10_000
"""Names that a list may stand for; a longer one is a slip."""

MAX_LENGTH = 1_000
"""Longest pattern, in characters."""

_BRACES = re.compile(r"\{([^{}]*)\}")


def expand_names(patterns: list[str]) -> list[str]:
    """All names that the patterns stand for, in order.

    ``{a,b}`` stands for either text, ``{1..3}`` for the whole numbers from 1 to 3.
    """
    names: list[str] = []
    for pattern in patterns:
        names += _expand(pattern)
        if len(names) > MAX_NAMES:
            raise _too_many(pattern)
    return names


def _expand(pattern: str) -> list[str]:
    if len(pattern) > MAX_LENGTH:
        raise ValueError(f"a list holds a text of {len(pattern)} characters; the limit is {MAX_LENGTH}")
    names = [""]
    for index, part in enumerate(_BRACES.split(pattern)):
        choices = _list_choices(part) if index % 2 else [part]  # every other part stood in braces
        if len(names) * len(choices) > MAX_NAMES:
            raise _too_many(pattern)
        names = [name + choice for name in names for choice in choices]
    return names


def _list_choices(braces: str) -> list[str]:
    choices: list[str] = []
    for choice in braces.split(","):
        first, dots, last = choice.partition("..")
        if not dots:
            choices.append(choice)
            continue
        if not (first.isdecimal() and last.isdecimal()):
            raise ValueError(f"{choice!r} is not a range of whole numbers")
        choices += map(str, islice(range(int(first), int(last) + 1), MAX_NAMES + 1))
        if len(choices) > MAX_NAMES:
            break
    return choices


def _too_many(pattern: str) -> ValueError:
    return ValueError(f"{pattern!r} stands for too many names, more than {MAX_NAMES}")
