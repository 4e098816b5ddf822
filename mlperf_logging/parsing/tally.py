"""How many problems of a log are told one by one: enough to see what is wrong, never as many as a log can hold."""

from __future__ import annotations

from collections.abc import Iterable

from mlperf_logging.events import Problem
from mlperf_logging.parsing.diagnostics import KIND_OF_LABEL

TOLD_PROBLEMS, TOLD_BYTES = 1_000, 4 << 20
"""So many problems of one kind, and so many bytes of the records of all of them, are told; the rest are counted."""


MORE_UNREADABLE = "more-unreadable-records"
"""The kind of problem that only counts."""


class Tally:
    """Counts the problems of one log by their kinds."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}
        self._bytes = 0
        self._full: set[str] = set()
        self._untold: dict[tuple[str, str], int] = {}
        self._first: dict[tuple[str, str], tuple[int, int]] = {}

    @property
    def is_counting(self) -> bool:
        """Whether problems of some kind are only counted."""
        return bool(self._full)

    def is_full(self, label: str) -> bool:
        """Whether a problem of this kind is only counted; so from the first one on that was."""
        return label in self._full

    def admit(self, label: str, line: int, column: int, size: int, dialect: str) -> bool:
        """Whether a problem is told, by the kind and the place of it and the bytes of its record; else it is counted."""
        if label not in self._full:
            told = self._told.get(label, 0)
            self._bytes += size
            if not told or (told < TOLD_PROBLEMS and self._bytes <= TOLD_BYTES):
                self._told[label] = told + 1
                return True
        self.count(label, line, column, dialect)
        return False

    def count(self, label: str, line: int, column: int, dialect: str, more: int = 1) -> None:
        """Count problems of one dialect that are not told; the place is that of the first of them."""
        kind = label, dialect
        if kind in self._untold:
            self._untold[kind] += more
        else:
            self._untold[kind] = more
            self._first[kind] = line, column
            self._full.add(label)

    def are_full(self, labels: Iterable[str]) -> bool:
        """Whether problems of all these kinds are only counted."""
        return self._full.issuperset(labels)

    def report(self) -> list[Problem]:
        """A problem for each kind and dialect of which some were only counted, in the place of the first of them."""
        return [
            describe_untold(label, number, *self._first[label, dialect], dialect)
            for (label, dialect), number in self._untold.items()
        ]


def describe_untold(label: str, number: int, line: int, column: int, dialect: str) -> Problem:
    """The problem that stands for some of a kind that are not told; the place is that of the first of them."""
    kind = KIND_OF_LABEL[label]
    message = f"{number:,} more problems of this kind ({label}), which are not listed"
    if label == MORE_UNREADABLE:
        message = kind.summary.replace("{found}", f"{number:,}")
    return Problem(
        kind.code, label, kind.severity, line, column, message, b"", dialect=dialect, occurrences=number
    )
