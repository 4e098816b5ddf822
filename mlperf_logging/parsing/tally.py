"""How many problems of a log are told one by one: enough to see what is wrong, never as many as a log can hold."""

from __future__ import annotations

from mlperf_logging.events import Problem
from mlperf_logging.parsing.diagnostics import KIND_OF_LABEL, DiagnosticKind

TOLD_PROBLEMS, TOLD_BYTES = 1_000, 4 << 20
"""So many problems of one kind, and so many bytes of the records of all of them, are told; the rest are counted."""


MORE_UNREADABLE = "more-unreadable-records"
"""The kind of problem that only counts."""


class Tally:
    """Counts the problems of one log by their kinds."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}
        self._bytes = 0
        self._untold: dict[str, int] = {}
        self._first: dict[str, tuple[int, int, str]] = {}

    def is_full(self, label: str) -> bool:
        """Whether a problem of this kind is only counted; so from the first one on that was."""
        return label in self._untold

    def admit(self, label: str, line: int, column: int, size: int, dialect: str) -> bool:
        """Whether a problem is told, by the kind and the place of it and the bytes of its record; else it is counted."""
        if label not in self._untold:
            told = self._told.get(label, 0)
            self._bytes += size
            if not told or (told < TOLD_PROBLEMS and self._bytes <= TOLD_BYTES):
                self._told[label] = told + 1
                return True
        self.count(label, line, column, dialect)
        return False

    def count(self, label: str, line: int, column: int, dialect: str, more: int = 1) -> None:
        """Count problems that are not told; the place is that of the first of them."""
        self._untold[label] = self._untold.get(label, 0) + more
        self._first.setdefault(label, (line, column, dialect))

    def report(self) -> list[Problem]:
        """A problem for each kind of which some were only counted, in the place of the first of them."""
        return [
            _describe(KIND_OF_LABEL[label], number, *self._first[label])
            for label, number in self._untold.items()
        ]


def _describe(kind: DiagnosticKind, number: int, line: int, column: int, dialect: str) -> Problem:
    message = f"{number:,} more problems of this kind ({kind.label}), which are not listed"
    if kind.label == MORE_UNREADABLE:
        message = kind.summary.replace("{found}", f"{number:,}")
    return Problem(kind.code, kind.label, kind.severity, line, column, message, b"", dialect=dialect)
