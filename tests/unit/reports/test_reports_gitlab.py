"""The code quality report of GitLab."""

from __future__ import annotations

import json

from mlperf_logging.reports import FileResult, ReportOptions
from mlperf_logging.reports.gitlab import Report


def test_an_issue_has_what_gitlab_wants(verdict, finding, write_report):
    """Each finding is an issue with description, check, fingerprint, severity and place."""
    warning = finding._replace(severity="warning", line=None, message="hm")
    issues = json.loads(write_report(Report(ReportOptions()), verdict._replace(findings=(finding, warning))))
    assert [set(issue) for issue in issues] == [
        {"description", "check_name", "fingerprint", "severity", "location"}
    ] * 2
    assert [(issue["severity"], issue["location"]["lines"]["begin"]) for issue in issues] == [
        ("major", 12),
        ("minor", 1),
    ]
    assert issues[0]["description"] == f"MLP304: {finding.message}"
    assert issues[0]["location"]["path"] == verdict.path


def test_fingerprints_are_stable_and_differ(verdict, finding, write_report):
    """A fingerprint stays when lines move, and tells repeats, rules and logs apart."""

    def fingerprints(path: str, *lines: int) -> list[str]:
        findings = tuple([finding._replace(line=line) for line in lines])
        text = write_report(Report(ReportOptions()), verdict._replace(path=path, findings=findings))
        return [issue["fingerprint"] for issue in json.loads(text)]

    assert fingerprints("a.txt", 1, 2) == fingerprints("a.txt", 11, 70)
    assert len({*fingerprints("a.txt", 1, 2), *fingerprints("b.txt", 1)}) == 3


def test_waived_is_left_out_and_unjudged_is_critical(passing, waived, unjudged, write_report):
    """A waived finding is no issue; a log that could not be judged is a critical one."""
    issues = json.loads(write_report(Report(ReportOptions()), FileResult(passing, (waived,)), unjudged))
    assert [issue["severity"] for issue in issues] == ["critical"]


def test_any_text_gives_a_document(nasty_verdict, write_report):
    """Texts of any kind give valid JSON."""
    assert len(json.loads(write_report(Report(ReportOptions()), nasty_verdict))) == 1
