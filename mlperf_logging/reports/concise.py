"""One line per finding, as compilers write them and editors read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlperf_logging.events import Severity
from mlperf_logging.reports import BaseReport, FileResult, ReportOptions, Totals
from mlperf_logging.reports._escape import show_text
from mlperf_logging.reports.text import shorten_path

if TYPE_CHECKING:
    from mlperf_logging.compliance.findings import Finding


class Report(BaseReport):
    """``path:line:column: CODE text``; a finding about the whole log stands at 1:1."""

    description = "path:line:column: CODE text, one line per finding"

    def __init__(self, options: ReportOptions) -> None:
        super().__init__(options)
        self._announced: set[Finding] = set()

    def announce(self, path: str, finding: Finding) -> str:
        """The finding's line."""
        self._announced.add(finding)
        return self._render(path, finding)

    def add(self, result: FileResult) -> str:
        """The log's lines."""
        new = [finding for finding in result.verdict.findings if finding not in self._announced]
        return "".join([self._render(result.verdict.path, finding) for finding in new])

    def end(self, totals: Totals) -> str:
        """Nothing: each line is a finding."""
        return ""

    def _render(self, path: str, finding: Finding) -> str:
        shown = show_text(shorten_path(path, self.options.folder))
        word = "" if finding.severity == Severity.ERROR else f"{finding.severity}: "
        text = show_text(f"{finding.code} {word}{finding.message}")
        return f"{shown}:{finding.line or 1}:{finding.column or 1}: {text}\n"
