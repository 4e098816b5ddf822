"""SARIF 2.1.0, the format that code-scanning services read."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from mlperf_logging import __version__
from mlperf_logging.events import Outcome, Severity
from mlperf_logging.reports import BaseReport, FileResult, ReportOptions, Totals
from mlperf_logging.reports._escape import encode_json, show_text
from mlperf_logging.reports._places import Fingerprints, RepositoryPaths

if TYPE_CHECKING:
    from mlperf_logging.compliance.findings import Finding, Verdict
    from mlperf_logging.compliance.waivers import Waiver

_VERSION = "2.1.0"
_SCHEMA = (
    f"https://docs.oasis-open.org/sarif/sarif/v{_VERSION}/errata01/os/schemas/sarif-schema-{_VERSION}.json"
)
_TOOL = "mlperf-check"
_RULES_PAGE = "https://github.com/mlcommons/training_policies"
"""Where the rounds' rules are written."""
MAX_RESULTS = 5_000
"""Results that code scanning keeps; it refuses a file with more than five times as many."""
_FINGERPRINT = "mlperfCheckFinding/v1"


class Report(BaseReport):
    """One SARIF run; waived findings are suppressed results, logs that could not be judged notifications.

    Findings of one log that say the same are one result with their number; where there are more results than code scanning
    keeps, so are those of a folder's logs. If that is not enough, errors go before warnings and these before what is
    waived, and the rest is counted.
    """

    description = "SARIF 2.1.0 for code-scanning services"

    def __init__(self, options: ReportOptions) -> None:
        super().__init__(options)
        self._rules: dict[str, tuple[int, dict[str, Any]]] = {}
        self._results: dict[tuple[object, ...], dict[str, Any]] = {}
        self._left_out = 0
        self._notifications: list[dict[str, Any]] = []
        self._fingerprints = Fingerprints()
        self._paths = RepositoryPaths(options.workspace)

    def add(self, result: FileResult) -> str:
        """Nothing yet: the rules come before the results."""
        verdict = result.verdict._replace(path=self._paths.relate(result.verdict.path))
        for finding in verdict.findings:
            if verdict.verdict == Outcome.UNJUDGED:
                self._notifications.append(_notify(verdict.path, finding))
            else:
                self._add(verdict, finding)
        for finding, waiver in result.waived:
            self._add(verdict, finding, waiver)
        return ""

    def end(self, totals: Totals) -> str:
        """The whole document."""
        results = list(self._results.values())
        if len(results) > MAX_RESULTS:
            results = sorted(self._merge_logs(), key=_rank)
        if len(results) > MAX_RESULTS:
            self._left_out = len(results) - MAX_RESULTS
            self._notifications.append({"level": "warning", "message": {"text": self.remark()}})
            del results[MAX_RESULTS:]
        driver: dict[str, Any] = {"name": _TOOL, "informationUri": _RULES_PAGE, "version": __version__}
        driver["rules"] = [rule for _, rule in self._rules.values()]
        invocation: dict[str, Any] = {"executionSuccessful": totals.unjudged == 0}
        if self._notifications:
            invocation["toolExecutionNotifications"] = self._notifications
        run = {
            "tool": {"driver": driver},
            "invocations": [invocation],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }
        return encode_json({"$schema": _SCHEMA, "version": _VERSION, "runs": [run]}) + "\n"

    def remark(self) -> str:
        """How many results were left out."""
        if not self._left_out:
            return ""
        return (
            f"the SARIF report holds {MAX_RESULTS:,} results, which is what code scanning keeps; "
            f"{self._left_out:,} more were left out, the least severe ones (--select and --ignore choose)"
        )

    def _add(self, verdict: Verdict, finding: Finding, waiver: Waiver | None = None) -> None:
        said = (verdict.path, finding.rule, finding.severity, finding.key, finding.message, waiver)
        if said in self._results:
            self._results[said]["occurrenceCount"] = self._results[said].get("occurrenceCount", 1) + 1
        else:
            self._results[said] = self._describe_result(verdict, finding, waiver)

    def _describe_result(
        self, verdict: Verdict, finding: Finding, waiver: Waiver | None = None
    ) -> dict[str, Any]:
        digest, repeat = self._fingerprints.identify(verdict.path, finding)
        result: dict[str, Any] = {
            "ruleId": finding.rule,
            "ruleIndex": self._index_rule(finding),
            "level": str(finding.severity),
            "message": {"text": _write_message(finding)},
            "locations": [{"physicalLocation": _locate(verdict.path, finding)}],
            "partialFingerprints": {_FINGERPRINT: f"{digest}:{repeat}"},
            "properties": {
                **{name: getattr(finding, name) for name in ("code", "key", "expected", "found", "source")},
                "ruleset": verdict.ruleset,
                "benchmark": verdict.benchmark,
            },
        }
        if waiver is not None:
            why = f"{waiver.reason} (until {waiver.expires})"
            result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": why}]
        return result

    def _merge_logs(self) -> list[dict[str, Any]]:
        """One result for what several logs of a folder have alike, at the first of them, with the number of the others."""
        merged: dict[tuple[object, ...], dict[str, Any]] = {}
        others: dict[tuple[object, ...], int] = {}
        for (path, *said), result in self._results.items():
            alike = (posixpath.dirname(str(path)), *said)
            first = merged.setdefault(alike, result)
            if first is not result:
                first["occurrenceCount"] = first.get("occurrenceCount", 1) + result.get("occurrenceCount", 1)
                others[alike] = others.get(alike, 0) + 1
        for alike, count in others.items():
            message = merged[alike]["message"]
            message["text"] += f"\nThe same in {count:,} more of the logs in this folder."
        return list(merged.values())

    def _index_rule(self, finding: Finding) -> int:
        """Index of a finding's rule in the list of rules, where it is put when it is new."""
        if finding.rule not in self._rules:
            self._rules[finding.rule] = len(self._rules), _describe_rule(finding)
        index, rule = self._rules[finding.rule]
        if finding.severity == Severity.ERROR:
            rule["defaultConfiguration"]["level"] = "error"
        return index


def write_uri(path: str) -> str:
    """A path as the reference of an artifact: relative as given, absolute as a ``file`` URI."""
    import os
    from urllib.parse import quote

    posix = path.replace(os.sep, "/").encode("utf-8", "surrogateescape" if _is_file_name(path) else "replace")
    while posix.startswith(b"./"):
        posix = posix[2:].lstrip(b"/")
    if posix.startswith(b"/"):
        return f"file:///{quote(posix.lstrip(b'/'))}"
    return quote(posix or b".")


def describe_code(code: str) -> tuple[str, str]:
    """Title and meaning of a code, as the rules that ship with the package say."""
    from mlperf_logging.parsing.diagnostics import KIND_OF_LABEL
    from mlperf_logging.rules.repository import open_rules

    known = open_rules().vocabulary().codes.get(code)
    if known is not None:
        return known.title, known.text
    for label, kind in KIND_OF_LABEL.items():
        if kind.code == code:
            return label.replace("-", " "), kind.summary
    return "a finding from other rules", "The rule files that ship with the package do not know this code."


def _is_file_name(path: str) -> bool:
    """Return whether lone surrogates stand for bytes, as in file names that the system gives."""
    return not any("\ud800" <= letter <= "\udfff" and not "\udc80" <= letter <= "\udcff" for letter in path)


def _describe_rule(finding: Finding) -> dict[str, Any]:
    title, meaning = describe_code(finding.code)
    about = f"{finding.code}: {title}" + (f" ({finding.key})" if finding.key else "")
    parts = [meaning, f"Wanted: {finding.expected}" if finding.expected else "", finding.hint]
    parts.append(f"Source: {finding.source}" if finding.source else "")
    return {
        "id": finding.rule,
        "shortDescription": {"text": show_text(about)},
        "fullDescription": {"text": meaning},
        "helpUri": _RULES_PAGE,
        "help": {"text": "\n\n".join(show_text(part) for part in parts if part)},
        "defaultConfiguration": {"level": str(finding.severity)},
        "properties": {"tags": [finding.code]},
    }


def _locate(path: str, finding: Finding) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": finding.line or 1}  # services show nothing that has no line
    if finding.line and finding.column:
        region["startColumn"] = finding.column
    if finding.line and finding.excerpt:
        region["snippet"] = {"text": finding.excerpt}
    return {"artifactLocation": {"uri": write_uri(path)}, "region": region}


def _notify(path: str, finding: Finding) -> dict[str, Any]:
    return {
        "level": "error",
        "message": {"text": show_text(finding.message)},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": write_uri(path)}}}],
    }


def _write_message(finding: Finding) -> str:
    return "\n".join(show_text(part) for part in (finding.message, finding.hint) if part)


def _rank(result: dict[str, Any]) -> int:
    """Order of results where not all can be kept."""
    return 2 if "suppressions" in result else 0 if result["level"] == Severity.ERROR else 1
