"""JUnit XML for CI servers: a test suite a folder, a test case a log."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from mlperf_logging.events import Outcome, Severity
from mlperf_logging.reports import BaseReport, FileResult, ReportOptions, Totals
from mlperf_logging.reports._escape import crop, show_lines
from mlperf_logging.reports._lines import FindingLines, count_of, describe_judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlperf_logging.compliance.findings import Finding, Verdict

_SUITES = "mlperf-check"
_RECORD_WIDTH = 160


class Report(BaseReport):
    """Test suites with one case per log; warnings and waived findings are in the case's output."""

    description = "JUnit XML: one test suite per folder, one test case per log"

    def __init__(self, options: ReportOptions) -> None:
        super().__init__(options)
        self._suites: dict[str, list[FileResult]] = {}

    def add(self, result: FileResult) -> str:
        """Nothing yet: a suite's head counts its cases."""
        folder = posixpath.dirname(result.verdict.path.replace("\\", "/")) or "."
        self._suites.setdefault(folder, []).append(result)
        return ""

    def end(self, totals: Totals) -> str:
        """The whole document."""
        everything = [result for results in self._suites.values() for result in results]
        counts = _count_attributes(_SUITES, totals.files, totals.failed, totals.unjudged, everything)
        lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites{counts}>"]
        for folder, results in self._suites.items():
            lines += self._render_suite(folder, results)
        return "\n".join([*lines, "</testsuites>", ""])

    def _render_suite(self, folder: str, results: list[FileResult]) -> list[str]:
        verdicts = [result.verdict.verdict for result in results]
        failed, unjudged = verdicts.count(Outcome.FAILED), verdicts.count(Outcome.UNJUDGED)
        head = _count_attributes(folder, len(results), failed, unjudged, results)
        return [
            f"  <testsuite{head}>",
            *(line for each in results for line in self._render_case(folder, each)),
            "  </testsuite>",
        ]

    def _render_case(self, folder: str, result: FileResult) -> list[str]:
        verdict = result.verdict
        name = posixpath.basename(verdict.name.replace("\\", "/"))
        head = _attributes({"classname": folder, "name": name, "file": verdict.path})
        head += _attributes({"time": _seconds([result])})
        errors = [finding for finding in verdict.findings if finding.severity == Severity.ERROR]
        others = [finding for finding in verdict.findings if finding.severity != Severity.ERROR]
        body: list[str] = []
        if verdict.verdict != Outcome.PASSED:
            tag = "failure" if verdict.verdict == Outcome.FAILED else "error"
            first = errors[0] if errors else None
            message = f"{count_of(len(errors), 'error')}; first: {first.message}" if first else "not judged"
            if verdict.compliant_under:
                message = f"{count_of(len(errors), 'error')}; {verdict.findings[0].message}"
            about = _attributes({"message": crop(message, 500), "type": first.code if first else "error"})
            body.append(f"      <{tag}{about}>{self._render_findings(verdict, errors)}</{tag}>")
        notes = [f"judged by {describe_judge(verdict)} ({verdict.ruleset_reason})"] if verdict.ruleset else []
        text = escape(show_xml("\n".join(notes))) + (self._render_findings(verdict, others) if others else "")
        for waived in result.waived:
            finding = waived.finding
            text += escape(show_xml(f"\nwaived: {finding.code} {finding.rule}: {waived.waiver.reason}"))
        if text:
            body.append(f"      <system-out>{text}</system-out>")
        return [f"    <testcase{head}>", *body, "    </testcase>"] if body else [f"    <testcase{head}/>"]

    def _render_findings(self, verdict: Verdict, findings: Sequence[Finding]) -> str:
        lines = FindingLines(_RECORD_WIDTH, self.options.verbose).render_findings(verdict.path, findings)
        return escape(show_xml("\n" + "\n".join(lines) + "\n"))


def show_xml(text: str) -> str:
    r"""The text without the characters that XML 1.0 cannot hold; they become escapes such as ``\x1b``."""
    return "\t".join(map(show_lines, text.split("\t")))


def _count_attributes(
    name: str, tests: int, failures: int, errors: int, results: Sequence[FileResult]
) -> str:
    counts = {"tests": tests, "failures": failures, "errors": errors, "skipped": 0}
    return _attributes({"name": name, **counts, "time": _seconds(results)})


def _seconds(results: Sequence[FileResult]) -> str:
    """How long the runs took, as far as their logs say."""
    return f"{sum(60 * max(result.verdict.run.minutes or 0, 0) for result in results):.3f}"


def _attributes(values: dict[str, str | int]) -> str:
    return "".join(f" {name}={quoteattr(show_xml(str(value)))}" for name, value in values.items())
