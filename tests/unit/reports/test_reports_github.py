"""Annotations for GitHub Actions."""

from __future__ import annotations

import re

import pytest

from mlperf_logging.reports import FileResult, ReportOptions, Totals
from mlperf_logging.reports.github import Report, escape_message, escape_property


def read_command(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as the runner reads it: command, properties, message."""
    found = re.fullmatch(r"::(\w+)(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)", line)
    assert found, line
    properties = dict(part.split("=", 1) for part in found[2].split(",")) if found[2] else {}
    return found[1], {name: unescape(text) for name, text in properties.items()}, unescape(found[3])


def unescape(text: str) -> str:
    for code, letter in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, letter)
    return text


def test_annotation_of_a_finding(verdict):
    """A finding is an error command with file, line, column, title, message and details."""
    (line,) = Report(ReportOptions()).add(FileResult(verdict)).splitlines()
    command, properties, message = read_command(line)
    assert command == "error"
    assert properties == {"file": verdict.path, "line": "12", "col": "3", "title": "MLP304 round.opt_name"}
    assert message.splitlines() == [
        verdict.findings[0].message,
        "expected: in {adamw}",
        'found: "lamb"',
        "fix: Log the optimizer that was used.",
    ]


def test_warning_and_missing_line(passing, waived):
    """A warning is a warning command, and what has no line names the file only."""
    warning = waived.finding._replace(severity="warning")
    (line,) = Report(ReportOptions()).add(FileResult(passing._replace(findings=(warning,)))).splitlines()
    command, properties, _ = read_command(line)
    assert command == "warning"
    assert set(properties) == {"file", "title"}


def test_nasty_texts_stay_in_their_command(nasty_verdict, passing, write_report):
    """No text of a log can end its command or begin another."""
    lines = write_report(Report(ReportOptions()), nasty_verdict, passing).split("\n")
    commands = [line for line in lines if line.startswith("::")]
    assert [read_command(line)[0] for line in commands] == ["error", "group", "endgroup"]
    _, properties, _ = read_command(commands[0])
    assert properties["file"].startswith("dir\\n,:%/a\\nb")
    assert not any(line.lstrip().startswith(("::error", "::group")) for line in lines if line not in commands)
    assert not any("##[" in line for line in lines if line not in commands)


@pytest.mark.parametrize("text", ["100%", "%0A", "a\r\nb", "::stop-commands::x", "a:b,c=d", "plain"])
def test_escapes_are_undone_by_the_runner(text):
    """What the runner makes of an escaped text is the text."""
    assert unescape(escape_message(text)) == text
    assert unescape(escape_property(text)) == text
    assert not set(escape_property(text)) & set(":,\r\n")


def test_group_names_every_log(verdict, passing, unjudged, write_report):
    """The totals head a group with one line a log."""
    lines = write_report(Report(ReportOptions()), verdict, passing, unjudged).splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("::group::"))
    assert "1 of 3 files compliant" in lines[start]
    assert [line.split(":")[0] for line in lines[start + 1 : -1]] == [
        f"- {each.path}" for each in (verdict, passing, unjudged)
    ]
    assert lines[-1] == "::endgroup::"


def test_many_findings_are_folded(verdict, finding):
    """Hundreds of findings of one rule give three annotations and a count."""
    many = tuple(finding._replace(line=line) for line in range(1, 301))
    lines = Report(ReportOptions()).add(FileResult(verdict._replace(findings=many))).splitlines()
    assert [line.startswith("::error") for line in lines] == [True, True, True, False]
    assert "297 more" in lines[-1]


def summarize(*results: FileResult) -> str:
    report, totals = Report(ReportOptions()), Totals()
    for result in results:
        report.add(result)
        totals = totals.plus(result)
    return report.summarize_job(totals)


def test_summary_of_compliant_logs_is_a_headline(passing):
    """When all is well, the job's page gets one line."""
    assert summarize(FileResult(passing)) == "### mlperf-check: 1 of 1 file compliant\n"


def test_summary_tables(verdict, passing, waived):
    """The job's page lists the logs with findings and the findings."""
    page = summarize(FileResult(verdict), FileResult(passing, (waived,)))
    assert page.count("\n|---") == 2
    assert "result&#95;0.txt | fail |" in page
    assert "result&#95;1.txt | pass | training 9.9.9 closed knitting, 1.00 minutes | 0 | 0 | 1 |" in page


def test_summary_cells_hold_any_text(nasty_verdict):
    """Pipes, tags and line feeds of a log do not break the tables or become markup."""
    page = summarize(FileResult(nasty_verdict))
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows[:3]} == {7}
    assert {row.count("|") for row in rows[3:]} == {6}
    assert "<b>" not in page


def test_summary_stays_below_a_mebibyte(nasty_verdict, finding, nasty):
    """GitHub refuses pages of more than a mebibyte; thousands of findings stay below it."""
    findings = tuple(
        finding._replace(rule=f"rule{number}", message="|" * 5000, line=number) for number in range(5000)
    )
    page = summarize(*[FileResult(nasty_verdict._replace(findings=findings)) for _ in range(3)])
    assert len(page.encode()) < 1 << 20
    assert "more rows" in page
