"""Annotations for GitHub Actions: workflow commands in the job's log, and a summary page in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlperf_logging.reports import BaseReport, FileResult, ReportOptions, Totals
from mlperf_logging.reports._escape import crop, encodable_text, show_lines, show_text
from mlperf_logging.reports._lines import (
    count_findings,
    count_of,
    describe_fold,
    describe_judge,
    fold_findings,
)
from mlperf_logging.reports._places import RepositoryPaths

if TYPE_CHECKING:
    from mlperf_logging.compliance.findings import Finding
    from mlperf_logging.tables import Document, Table

_LONGEST_MESSAGE = 4000
_MOST_ROWS = 200  # GitHub refuses a summary of more than a mebibyte
_LONGEST_CELL = 200
_MARKDOWN = {ord(special): f"&#{ord(special)};" for special in "\\|`*_[]<>&~@"}


class Report(BaseReport):
    """One annotation a finding; the totals in a group; a table for the job's summary page."""

    description = "annotations for GitHub Actions, where it is the default"

    def __init__(self, options: ReportOptions) -> None:
        super().__init__(options)
        self._results: list[FileResult] = []
        self._announced: set[Finding] = set()
        self._paths = RepositoryPaths(options.workspace)
        self._summary: Document | None = None

    def sum_up(self, document: Document) -> str:
        """Nothing yet: the tables begin the job's summary page."""
        self._summary = document
        return ""

    def announce(self, path: str, finding: Finding) -> str:
        """The finding's annotation."""
        self._announced.add(finding)
        return f"{annotate(self._paths.relate(path), finding)}\n"

    def add(self, result: FileResult) -> str:
        """The log's annotations."""
        self._results.append(result)
        path, lines = self._paths.relate(result.verdict.path), []
        new = [finding for finding in result.verdict.findings if finding not in self._announced]
        for finding, left_out in fold_findings(new, verbose=self.options.verbose):
            lines.append(annotate(path, finding))
            if left_out:
                lines.append(_defuse(f"  {describe_fold(finding, left_out)}"))
        return "".join(f"{line}\n" for line in lines)

    def end(self, totals: Totals) -> str:
        """A folded group with one line a log; its heading holds the totals."""
        lines = [f"::group::mlperf-check: {escape_message(_describe_totals(totals))}"]
        for result in self._results:
            verdict = result.verdict
            words = {"pass": "compliant", "fail": "not compliant"}.get(verdict.verdict, "not judged")
            lines.append(_defuse(f"- {show_text(verdict.name)}: {words} [{describe_judge(verdict)}]"))
        return "\n".join([*lines, "::endgroup::", ""])

    def summarize_job(self, totals: Totals) -> str:
        """Headline, a table of the logs that are not plainly compliant, and a table of their findings."""
        lines = [f"### mlperf-check: {_describe_totals(totals)}", ""]
        if self._summary is not None:
            lines = [f"### mlperf-check: {show_text('; '.join(self._summary.notes))}", ""]
            lines += [line for table in self._summary.tables for line in _list_table(table)]
        noted = [result for result in self._results if result.verdict.findings or result.waived]
        if not noted:
            return "\n".join(lines)
        lines += ["| file | verdict | judged by | errors | warnings | waived |", "|---|---|---|--:|--:|--:|"]
        for result in noted[:_MOST_ROWS]:
            verdict = result.verdict
            counts = map(str, (result.error_count, result.warning_count, len(result.waived)))
            lines.append(_table_row([verdict.name, verdict.verdict, describe_judge(verdict), *counts]))
        findings = [
            (each.verdict.path, finding, left_out)
            for each in noted
            for finding, left_out in fold_findings(each.verdict.findings, verbose=self.options.verbose)
        ]
        if findings:
            lines += ["", "| place | severity | code | rule | message |", "|---|---|---|---|---|"]
        for path, finding, more in findings[:_MOST_ROWS]:
            place = path if finding.line is None else f"{path}:{finding.line}"
            message = f"{crop(finding.message, _LONGEST_CELL - 30)}{f' … and {more:,} more' if more else ''}"
            lines.append(_table_row([place, finding.severity, finding.code, finding.rule, message]))
        left_out = len(noted[_MOST_ROWS:]) + len(findings[_MOST_ROWS:])
        if left_out:
            lines += ["", f"{left_out:,} more rows are left out here; the job's log has them all."]
        return "\n".join([*lines, ""])


def annotate(path: str, finding: Finding) -> str:
    """The workflow command that puts a finding beside its line."""
    place = {"file": show_text(path)}
    if finding.line is not None:
        place["line"] = str(finding.line)
        if finding.column is not None:
            place["col"] = str(finding.column)
    place["title"] = show_text(f"{finding.code} {finding.rule}")
    fields = ",".join(f"{name}={escape_property(text)}" for name, text in place.items())
    labeled = (("expected", finding.expected), ("found", finding.found), ("fix", finding.hint))
    details = [finding.message, *[f"{name}: {text}" for name, text in labeled if text]]
    message = "\n".join(crop(show_lines(text), _LONGEST_MESSAGE // 4) for text in details)
    return f"::{finding.severity} {fields}::{escape_message(message)}"


def escape_message(text: str) -> str:
    """The text as the message of a workflow command."""
    return encodable_text(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """The text as a property of a workflow command, where colons and commas have a meaning too."""
    return escape_message(text).replace(":", "%3A").replace(",", "%2C")


def _defuse(line: str) -> str:
    """A line of the job's log that the runner does not take for a command of the old kind."""
    return line.replace("##[", "## [")


def _describe_totals(totals: Totals) -> str:
    parts = [f"{totals.passed:,} of {count_of(totals.files, 'file')} compliant"]
    parts += [f"{totals.failed:,} not compliant"] if totals.failed else []
    parts += [f"{totals.unjudged:,} not judged"] if totals.unjudged else []
    return ", ".join([*parts, *count_findings(totals.errors, totals.warnings, totals.waived)])


def _list_table(table: Table) -> list[str]:
    """The lines of a table as people read it, and a blank one."""
    shown = [index for index, column in enumerate(table.columns) if column.priority is not None]
    lines = [
        _table_row([table.columns[index].title or table.columns[index].name for index in shown]),
        f"|{'---|' * len(shown)}",
    ]
    rows = table.rows[:_MOST_ROWS]
    lines += [_table_row([table.columns[index].write(row[index]) for index in shown]) for row in rows]
    return [*lines, ""]


def _table_row(cells: list[str]) -> str:
    return "| " + " | ".join(_table_cell(cell) for cell in cells) + " |"


def _table_cell(text: str) -> str:
    return crop(show_text(text), _LONGEST_CELL).translate(_MARKDOWN)
