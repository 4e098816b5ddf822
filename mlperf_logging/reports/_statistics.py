"""Counts over all findings of a call: by verdict, by code, by rule and by key."""

from __future__ import annotations

from collections import Counter

from mlperf_logging.reports import FileResult
from mlperf_logging.reports._escape import crop
from mlperf_logging.reports.tables import Look
from mlperf_logging.reports.tables.text import render_table
from mlperf_logging.tables import COUNT, Column, Table

_WIDEST_NAME = 60


class Statistics:
    """Counts what the logs of one call gave: logs by verdict, findings and the logs that have them by code and by key."""

    def __init__(self) -> None:
        self._verdicts: Counter[str] = Counter()
        self._findings: dict[str, Counter[str]] = {"code": Counter(), "key": Counter()}
        self._files: dict[str, Counter[str]] = {"code": Counter(), "key": Counter()}

    def add(self, result: FileResult) -> None:
        """Count one log."""
        findings = result.verdict.findings
        self._verdicts[result.verdict.verdict] += 1
        codes = [f"{finding.code} {finding.severity}" for finding in findings]
        for name, found in (("code", codes), ("key", [finding.key or "-" for finding in findings])):
            self._findings[name].update(found)
            self._files[name].update(set(found))

    def render(self) -> str:
        """The counts as three small tables, greatest first."""
        tables = [
            Table(name="verdict", columns=_make_columns("verdict", "files"), rows=_sort(self._verdicts))
        ]
        for name, counts in self._findings.items():
            rows = tuple(
                [(crop(each, _WIDEST_NAME), count, self._files[name][each]) for each, count in _sort(counts)]
            )
            tables.append(Table(name=name, columns=_make_columns(name, "findings", "files"), rows=rows))
        return "\n".join(render_table(table, Look()) for table in tables if table.rows)


def _sort(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _make_columns(name: str, *counts: str) -> tuple[Column, ...]:
    return (Column(name, priority=0), *[Column(each, COUNT, priority=0) for each in counts])
