"""The code quality report that GitLab shows in merge requests."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from mlperf_logging.events import Outcome, Severity
from mlperf_logging.reports import BaseReport, FileResult, ReportOptions, Totals
from mlperf_logging.reports._escape import encode_json, show_text
from mlperf_logging.reports._places import Fingerprints, RepositoryPaths


class Report(BaseReport):
    """A list of issues; what waivers cover is left out, a log that could not be judged is a critical issue."""

    description = "code quality report of GitLab"

    def __init__(self, options: ReportOptions) -> None:
        super().__init__(options)
        self._issues: list[dict[str, Any]] = []
        self._paths = RepositoryPaths(options.workspace)
        self._fingerprints = Fingerprints()

    def add(self, result: FileResult) -> str:
        """Nothing yet: the report is one list."""
        path = self._paths.relate(result.verdict.path)
        unjudged = result.verdict.verdict == Outcome.UNJUDGED
        for finding in result.verdict.findings:
            digest, repeat = self._fingerprints.identify(path, finding)
            mark = f"{path}\x1f{digest}\x1f{repeat}".encode("utf-8", "backslashreplace")
            severity = "major" if finding.severity == Severity.ERROR else "minor"
            self._issues.append(
                {
                    "description": show_text(f"{finding.code}: {finding.message}"),
                    "check_name": show_text(finding.rule),
                    "fingerprint": sha256(mark).hexdigest(),
                    "severity": "critical" if unjudged else severity,
                    "location": {"path": path, "lines": {"begin": finding.line or 1}},
                }
            )
        return ""

    def end(self, totals: Totals) -> str:
        """The whole list."""
        return encode_json(self._issues) + "\n"
