"""Edits that turn a compliant log into an instructive broken one. Each takes lines and gives lines."""

from __future__ import annotations

import re
from collections.abc import Callable

Edit = Callable[[list[str]], list[str]]


def find(lines: list[str], key: str, number: int = 0) -> int:
    """Index of the n-th record of a key, counted from 0; from the end where negative.

    Raises:
        IndexError: there are not that many.
    """
    forms = (f'"key": "{key}"', f" {key}: ", f") {key}")
    return [index for index, line in enumerate(lines) if any(form in line for form in forms)][number]


def rename(key: str, other: str) -> Edit:
    """Log a key under another name."""

    def edit(lines: list[str]) -> list[str]:
        return [line.replace(f'"key": "{key}"', f'"key": "{other}"') for line in lines]

    return edit


def change(key: str, before: str, after: str, number: int = 0) -> Edit:
    """Put one piece of text for another in a record."""

    def edit(lines: list[str]) -> list[str]:
        index = find(lines, key, number)
        if before not in lines[index]:
            raise ValueError(f"{before!r} is not in {lines[index]!r}")
        return [*lines[:index], lines[index].replace(before, after, 1), *lines[index + 1 :]]

    return edit


def drop(*keys: str) -> Edit:
    """Leave out all records of some keys."""

    def edit(lines: list[str]) -> list[str]:
        gone = set()
        for key in keys:
            gone |= {find(lines, key, number) for number in range(_count(lines, key))}
        return [line for index, line in enumerate(lines) if index not in gone]

    return edit


def cut_off_at(key: str, number: int = 0, *, share: float = 1.0) -> Edit:
    """End the log after a record, or within it when the share is below 1; no line end after it."""

    def edit(lines: list[str]) -> list[str]:
        index = find(lines, key, number)
        return [*lines[:index], lines[index][: int(len(lines[index]) * share)]]

    return edit


def repeat_with(key: str, before: str, after: str) -> Edit:
    """Log a key a second time with another value."""

    def edit(lines: list[str]) -> list[str]:
        index = find(lines, key)
        return [*lines[: index + 1], lines[index].replace(before, after, 1), *lines[index + 1 :]]

    return edit


def swap(key: str, other: str) -> Edit:
    """Put two records in each other's place."""

    def edit(lines: list[str]) -> list[str]:
        first, second = find(lines, key), find(lines, other)
        swapped = list(lines)
        swapped[first], swapped[second] = lines[second], lines[first]
        return swapped

    return edit


def join_with_next(key: str) -> Edit:
    """Write a record and the one after it on one line, as two processes without locking do."""

    def edit(lines: list[str]) -> list[str]:
        index = find(lines, key)
        return [*lines[:index], lines[index] + lines[index + 1], *lines[index + 2 :]]

    return edit


def interrupt(key: str, by: str) -> Edit:
    """Write a record in the middle of another, as two processes without locking do."""

    def edit(lines: list[str]) -> list[str]:
        index, intruder = find(lines, key), find(lines, by)
        line, middle = lines[index], len(lines[index]) * 2 // 3
        torn = [line[:middle] + lines[intruder], line[middle:]]
        left = [each for number, each in enumerate(lines) if number not in (index, intruder)]
        return [*left[:index], *torn, *left[index:]]

    return edit


def _count(lines: list[str], key: str) -> int:
    number = 0
    while True:
        try:
            find(lines, key, number)
        except IndexError:
            return number
        number += 1


def relaunch_after(key: str, number: int, *, hours: float) -> Edit:
    """Put before the log what an earlier launch had written when it ended after a record, so many hours earlier."""

    def edit(lines: list[str]) -> list[str]:
        def move(found: re.Match[str]) -> str:
            return f"{found[1]}{int(found[2]) - round(hours * 3_600_000)}"

        former = [re.sub(r'("time_ms": )(\d+)', move, line) for line in cut_off_at(key, number)(lines)]
        return [*former, *lines]

    return edit
