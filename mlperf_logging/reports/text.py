"""The report for people: grouped by file or by rule, each finding with its record, what was expected, how to fix it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlperf_logging.events import Outcome
from mlperf_logging.reports import RULE, BaseReport, FileResult, ReportOptions, Totals
from mlperf_logging.reports._escape import show_text
from mlperf_logging.reports._lines import (
    FindingLines,
    count_findings,
    count_of,
    describe_consequences,
    describe_judge,
    split_consequences,
)

if TYPE_CHECKING:
    from mlperf_logging.compliance.findings import Finding
    from mlperf_logging.reports._by_rule import RuleGroups
    from mlperf_logging.tables import Document

_STYLES = {
    "error": "1;31",
    "warning": "1;33",
    "pass": "1;32",
    "place": "1",
    "path": "1",
    "rule": "36",
    "label": "2",
    "record": "2",
    "blamed": "0",
    "caret": "1;32",
    "note": "2",
}


class Report(BaseReport):
    """Text for a terminal or a file."""

    description = "for people: by file or by rule, with the record, expected, found and a fix"
    for_people = True

    def __init__(self, options: ReportOptions) -> None:
        super().__init__(options)
        self._last_had_findings = False
        self._lines = FindingLines(options.width, options.verbose, self._paint)
        self._groups: RuleGroups | None = None
        if options.group_by == RULE:
            from mlperf_logging.reports._by_rule import RuleGroups

            self._groups = RuleGroups(self._lines)
        self._announced: set[Finding] = set()
        self._counted = "file"
        self._summary: Document | None = None

    def sum_up(self, document: Document) -> str:
        """The tables, which take the place of the one of logs; the notes take that of the totals."""
        from mlperf_logging.reports.tables import Look
        from mlperf_logging.reports.tables.text import render_table

        self._summary = document
        if self._groups is not None:
            self._groups.of_parts = True
        if self.options.quiet:
            return ""
        look = Look(self.options.width, self.options.color)
        return "".join(f"{render_table(table, look)}\n" for table in document.tables)

    def announce(self, path: str, finding: Finding) -> str:
        """The finding's block."""
        self._announced.add(finding)
        path = shorten_path(path, self.options.folder)
        lines = [] if self.options.quiet else self._lines.render_finding(path, finding)
        return "".join(f"{line}\n" for line in [*lines, ""]) if lines else ""

    def add(self, result: FileResult) -> str:
        """One line for a log without findings, a block for another; nothing yet where rules make the blocks."""
        options = self.options
        if len(result.verdict.runs) == 1:
            self._counted = "run"
        if options.quiet:
            return ""
        verdict = result.verdict._replace(path=shorten_path(result.verdict.path, options.folder))
        if self._groups is not None:
            self._groups.add(verdict)
            return ""
        lines = [self._headline(result._replace(verdict=verdict))]
        new = [finding for finding in verdict.findings if finding not in self._announced]
        shown, consequences = (new, 0) if options.verbose else split_consequences(verdict, new)
        lines += self._lines.render_findings(verdict.path, shown)
        if consequences:
            lines += ["", "  " + self._paint(describe_consequences(consequences), "note")]
        blank_before = "\n" if self._last_had_findings else ""
        self._last_had_findings = bool(new)
        return blank_before + "\n".join(lines) + "\n"

    def end(self, totals: Totals) -> str:
        """The line of totals."""
        if not totals.files:
            return ""
        counts = [
            (totals.passed, "compliant", "pass"),
            (totals.failed, "not compliant", "error"),
            (totals.unjudged, "not judged", "error"),
        ]
        words = ", ".join(
            self._paint(f"{number:,} {word}", style) for number, word, style in counts if number
        )
        found = count_findings(totals.errors, totals.warnings, totals.waived)
        details = f" ({', '.join(found)})" if found else ""
        several = totals.files > 1 and not self.options.quiet
        blank_before = "\n" if several or self._last_had_findings else ""
        grouped = self._groups.render() if self._groups is not None and not self.options.quiet else ""
        if self._summary is not None:
            return grouped + "".join(f"{note}\n" for note in self._summary.notes)
        return f"{grouped}{blank_before}{count_of(totals.files, self._counted)}: {words}{details}\n"

    def _headline(self, result: FileResult) -> str:
        verdict = result.verdict
        word, style = {"pass": ("compliant", "pass"), "fail": ("not compliant", "error")}.get(
            verdict.verdict, ("not judged", "error")
        )
        counts = count_findings(result.error_count, result.warning_count, len(result.waived))
        path = self._paint(show_text(verdict.name), "path")
        head = ", ".join([f"{path}: {self._paint(word, style)}", *counts])
        if verdict.verdict == Outcome.UNJUDGED:
            return head
        reason = show_text(verdict.ruleset_reason)
        judge = describe_judge(verdict)
        return head + self._paint(f" [{judge}{'; ' + reason if reason and verdict.findings else ''}]", "note")

    def _paint(self, text: str, style: str) -> str:
        return f"\033[{_STYLES[style]}m{text}\033[0m" if self.options.color else text


def shorten_path(path: str, folder: str) -> str:
    """A path below a folder as seen from there; any other as it is."""
    return path.removeprefix(f"{folder.rstrip('/')}/") if folder else path
