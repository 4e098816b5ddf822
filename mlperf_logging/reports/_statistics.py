"""Counts over all findings of a call: by verdict, by code, by rule and by key."""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

from mlperf_logging.reports import FileResult
from mlperf_logging.reports._escape import crop, show_text

_WIDEST_NAME = 60
_Name = TypeVar("_Name", str, tuple[str, str])


class Statistics:
    """Counts what the logs of one call gave.

    Attributes:
        verdicts: logs by verdict.
        codes: findings by code and severity.
        keys: findings by key; those without a key under "-".
        files_of_key: logs in which a key is blamed.
    """

    def __init__(self) -> None:
        self.verdicts: Counter[str] = Counter()
        self.codes: Counter[tuple[str, str]] = Counter()
        self.keys: Counter[str] = Counter()
        self.files_of_code: Counter[tuple[str, str]] = Counter()
        self.files_of_key: Counter[str] = Counter()

    def add(self, result: FileResult) -> None:
        """Count one log.

        Args:
            result: the log.
        """
        findings = result.verdict.findings
        self.verdicts[result.verdict.verdict] += 1
        codes = [(finding.code, finding.severity) for finding in findings]
        keys = [finding.key or "-" for finding in findings]
        self.codes.update(codes)
        self.keys.update(keys)
        self.files_of_code.update(set(codes))
        self.files_of_key.update(set(keys))

    def render(self) -> str:
        """The counts as three small tables, greatest first."""
        verdicts: list[tuple[str, ...]] = [(name, f"{count:,}") for name, count in _by_count(self.verdicts)]
        code_rows: list[tuple[str, ...]] = [
            (f"{code} {severity}", f"{count:,}", f"{self.files_of_code[code, severity]:,}")
            for (code, severity), count in _by_count(self.codes)
        ]
        key_rows: list[tuple[str, ...]] = [
            (crop(show_text(key), _WIDEST_NAME), f"{count:,}", f"{self.files_of_key[key]:,}")
            for key, count in _by_count(self.keys)
        ]
        tables = [
            _render_table(("verdict", "files"), verdicts),
            _render_table(("code", "findings", "files"), code_rows),
            _render_table(("key", "findings", "files"), key_rows),
        ]
        return "\n".join(table for table in tables if table)


def _by_count(counts: Counter[_Name]) -> list[tuple[_Name, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _render_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = []
    for row in [head, *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells))
    return "\n".join(lines) + "\n"
