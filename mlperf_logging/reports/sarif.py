"""SARIF 2.1.0, the format that code-scanning services read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlperf_logging.events import Outcome, Severity
from mlperf_logging.reports import BaseReport, FileResult, ReportOptions, Totals
from mlperf_logging.reports._escape import encode_json, show_text

if TYPE_CHECKING:
    from mlperf_logging.compliance.findings import Finding, Verdict
    from mlperf_logging.compliance.waivers import Waiver

_VERSION = "2.1.0"
_SCHEMA = (
    f"https://docs.oasis-open.org/sarif/sarif/v{_VERSION}/errata01/os/schemas/sarif-schema-{_VERSION}.json"
)
_TOOL = "mlperf-check"
_DISTRIBUTION = "mlperf_logging"
_FINGERPRINT = "mlperfCheckFinding/v1"


class Report(BaseReport):
    """One SARIF run; waived findings are suppressed results, logs that could not be judged notifications."""

    description = "SARIF 2.1.0 for code-scanning services"

    def __init__(self, options: ReportOptions) -> None:
        super().__init__(options)
        self._rules: dict[str, tuple[int, dict[str, Any]]] = {}
        self._results: list[dict[str, Any]] = []
        self._notifications: list[dict[str, Any]] = []
        self._repeats: dict[str, int] = {}

    def add(self, result: FileResult) -> str:
        """Nothing yet: the rules come before the results."""
        verdict = result.verdict
        for finding in verdict.findings:
            if verdict.verdict == Outcome.UNJUDGED:
                self._notifications.append(_notify(verdict.path, finding))
            else:
                self._results.append(self._describe_result(verdict, finding))
        for finding, waiver in result.waived:
            self._results.append(self._describe_result(verdict, finding, waiver))
        return ""

    def end(self, totals: Totals) -> str:
        """The whole document."""
        driver: dict[str, Any] = {"name": _TOOL, "rules": [rule for _, rule in self._rules.values()]}
        driver |= _find_version()
        invocation: dict[str, Any] = {"executionSuccessful": totals.unjudged == 0}
        if self._notifications:
            invocation["toolExecutionNotifications"] = self._notifications
        run = {
            "tool": {"driver": driver},
            "invocations": [invocation],
            "columnKind": "unicodeCodePoints",
            "results": self._results,
        }
        return encode_json({"$schema": _SCHEMA, "version": _VERSION, "runs": [run]}) + "\n"

    def _describe_result(
        self, verdict: Verdict, finding: Finding, waiver: Waiver | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = {
            "ruleId": finding.rule,
            "ruleIndex": self._index_rule(finding),
            "level": str(finding.severity),
            "message": {"text": _write_message(finding)},
            "locations": [{"physicalLocation": _locate(verdict.path, finding)}],
            "partialFingerprints": {_FINGERPRINT: self._fingerprint(verdict.path, finding)},
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

    def _index_rule(self, finding: Finding) -> int:
        """Index of a finding's rule in the list of rules, where it is put when it is new."""
        if finding.rule not in self._rules:
            self._rules[finding.rule] = len(self._rules), _describe_rule(finding)
        index, rule = self._rules[finding.rule]
        if finding.severity == Severity.ERROR:
            rule["defaultConfiguration"]["level"] = "error"
        return index

    def _fingerprint(self, path: str, finding: Finding) -> str:
        """What stays the same when the log moves or gets lines above: rule, key, what was found, which one.

        The path itself is left out because services add it, the line because it changes.
        """
        from hashlib import sha256

        said = "\x1f".join((finding.code, finding.rule, finding.key or "", finding.found))
        print_ = sha256(said.encode("utf-8", "backslashreplace")).hexdigest()[:32]
        repeat = self._repeats[f"{path}\x1f{print_}"] = self._repeats.get(f"{path}\x1f{print_}", 0) + 1
        return f"{print_}:{repeat}"


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


def _find_version() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return {"version": version(_DISTRIBUTION)}
    except PackageNotFoundError:
        return {}
