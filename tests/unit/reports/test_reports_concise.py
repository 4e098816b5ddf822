"""One line per finding."""

from __future__ import annotations

from mlperf_logging.reports import FileResult, ReportOptions
from mlperf_logging.reports.concise import Report


def test_a_finding_is_one_line(verdict, finding, write_report):
    """Each line has place, code and text; a warning says so; what has no place stands at 1:1."""
    findings = (finding, finding._replace(severity="warning", line=None, column=None, message="two\nlines"))
    assert write_report(Report(ReportOptions()), verdict._replace(findings=findings)).splitlines() == [
        f"results/system/result_0.txt:12:3: MLP304 {finding.message}",
        "results/system/result_0.txt:1:1: MLP304 warning: two\\nlines",
    ]


def test_equal_findings_of_two_logs_are_two_lines(verdict, write_report):
    """What two logs have alike is a line for each."""
    text = write_report(Report(ReportOptions()), verdict, verdict._replace(path="other.txt"))
    assert [line.partition(":")[0] for line in text.splitlines()] == [verdict.path, "other.txt"]


def test_compliant_and_waived_are_no_lines(passing, waived, write_report):
    """A log without findings that count gives nothing."""
    assert write_report(Report(ReportOptions()), FileResult(passing, (waived,))) == ""


def test_paths_are_seen_from_the_working_folder(verdict, finding, write_report):
    """Paths below the working folder are shortened, as in the report for people."""
    long = verdict._replace(path=f"/home/x/{verdict.path}")
    assert write_report(Report(ReportOptions(folder="/home/x")), long).startswith(f"{verdict.path}:12:3: ")


def test_announced_findings_come_once(verdict, finding):
    """What was announced during the run does not come again."""
    report = Report(ReportOptions())
    assert report.announce(verdict.path, finding)
    assert report.add(FileResult(verdict)) == ""
