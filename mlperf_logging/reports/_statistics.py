"""Counts over all findings of a call: by verdict, by code, by rule and by key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from mlperf_logging.reports import FileResult
from mlperf_logging.reports._escape import crop
from mlperf_logging.reports.tables import Look
from mlperf_logging.reports.tables.text import render_table
from mlperf_logging.tables import COUNT, Column, Table

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
        """Count one log."""
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
        tables = [
            _make_table("verdict", _by_count(self.verdicts)),
            _make_table(
                "code",
                [(" ".join(name), count) for name, count in _by_count(self.codes)],
                [self.files_of_code[name] for name, _ in _by_count(self.codes)],
            ),
            _make_table(
                "key",
                [(crop(key, _WIDEST_NAME), count) for key, count in _by_count(self.keys)],
                [self.files_of_key[key] for key, _ in _by_count(self.keys)],
            ),
        ]
        return "\n".join(render_table(table, Look()) for table in tables if table.rows)


def _by_count(counts: Counter[_Name]) -> list[tuple[_Name, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _make_table(name: str, counts: Sequence[tuple[str, int]], files: Sequence[int] | None = None) -> Table:
    columns = [
        Column(name, priority=0),
        Column("findings", COUNT, priority=0),
        Column("files", COUNT, priority=0),
    ]
    if files is None:
        return Table(name=name, columns=(columns[0], columns[2]), rows=tuple(counts))
    rows = tuple([(*count, number) for count, number in zip(counts, files, strict=True)])
    return Table(name=name, columns=tuple(columns), rows=rows)
