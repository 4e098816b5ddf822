"""The report for people, by rule: many findings in few lines, and nothing lost on request."""

from __future__ import annotations

import re

import pytest

from mlperf_logging.reports import RULE, ReportOptions
from mlperf_logging.reports.text import Report, shorten_path

BY_RULE = ReportOptions(group_by=RULE)


@pytest.fixture
def missing(finding):
    """Makes a finding about a key that is not logged."""

    def make(key: str):
        return finding._replace(
            code="MLP301",
            rule=f"common.{key}",
            key=key,
            line=None,
            column=None,
            message=f"{key} is required but not logged",
            expected="exactly one",
            found="logged 0 times",
            hint="Log it.",
            excerpt="",
        )

    return make


def many(verdict, findings, count):
    """That many logs with the same findings."""
    return [verdict._replace(path=f"round/result_{number}.txt", findings=findings) for number in range(count)]


def test_same_finding_is_shown_once_with_its_count(verdict, write_report):
    """A finding in many logs takes one block that names its count, the first logs, and how to fix it."""
    report = write_report(Report(BY_RULE), *many(verdict, verdict.findings, 30))

    assert report.splitlines()[:8] == [
        "error MLP304 in 30 of 30 logs",
        '    round.opt_name: opt_name is "lamb", but `in {adamw}` is required',
        '      :::MLLOG {"time_ms": 1, "key": "opt_name", "value": "lamb", "metadata": {"lineno": 7}}',
        "                                                          ^^^^^^",
        "    expected: in {adamw}",
        '    found:    "lamb"',
        "    at:       round/result_0.txt:12:3, round/result_1.txt:12:3 and 28 more",
        "    fix:      Log the optimizer that was used.",
    ]


def test_rules_that_blame_the_same_logs_stand_together(verdict, missing, write_report):
    """Nine missing keys in 195 logs take a line each and share the logs and the fix."""
    keys = [f"key_{number}" for number in range(9)]
    report = write_report(Report(BY_RULE), *many(verdict, tuple(map(missing, keys)), 195))
    lines = report.splitlines()

    assert lines[0] == "error MLP301 in 195 of 195 logs, 9 rules"
    assert all(
        f"    common.{key}: {key} is required but not logged (expected: exactly one)" in lines for key in keys
    )
    assert lines.count("    fix:      Log it.") == 1
    assert len(lines) < 25
    assert lines[-1] == "195 files: 195 not compliant (1,755 errors)"


def test_frequent_findings_come_first(verdict, passing, missing, write_report):
    """The finding of the most logs leads; errors stand before warnings."""
    rare, often, warning = missing("rare"), missing("often"), missing("mild")._replace(severity="warning")
    logs = [*many(verdict, (warning, often), 5), verdict._replace(findings=(rare,)), passing]
    report = write_report(Report(BY_RULE), *logs)

    assert re.findall(r"in (\d) of 7 logs\n    common\.(\w+)", report) == [
        ("5", "often"),
        ("1", "rare"),
        ("5", "mild"),
    ]


def test_other_messages_of_a_rule_are_counted(verdict, finding, write_report):
    """Of a rule that says something else of each log, three messages show, and the number of the others."""
    logs = [
        verdict._replace(path=f"{number}.txt", findings=(finding._replace(message=f"it is {number}"),))
        for number in range(10)
    ]
    report = write_report(Report(BY_RULE), *logs)

    assert report.count("round.opt_name: it is ") == 3
    assert "… and 7 other messages (--verbose shows all)" in report


def test_verbose_names_every_log(verdict, missing, write_report):
    """With verbose, every place of every rule is there."""
    report = write_report(
        Report(ReportOptions(group_by=RULE, verbose=True)), *many(verdict, (missing("a"), missing("b")), 30)
    )

    assert all(report.count(f"at:       round/result_{number}.txt\n") == 2 for number in range(30))


def test_table_counts_the_logs_of_each_judge(verdict, passing, unjudged, write_report):
    """Below the findings, the logs of each round and benchmark are counted."""
    report = write_report(Report(BY_RULE), verdict, passing, unjudged)

    assert re.search(r"training 9\.9\.9 +closed +knitting +2 +1 +1\n", report)
    assert report.endswith("3 files: 1 compliant, 1 not compliant, 1 not judged (2 errors)\n")


def test_quiet_gives_totals_only(verdict, passing, write_report):
    """With quiet, the line of totals is all."""
    report = write_report(Report(ReportOptions(group_by=RULE, quiet=True)), verdict, passing)

    assert report == "2 files: 1 compliant, 1 not compliant (1 error)\n"


@pytest.mark.parametrize("by", ["file", "rule"])
@pytest.mark.parametrize("cause", ["no-events", "common.submission_benchmark"])
def test_consequences_of_an_empty_log_are_folded(by, cause, verdict, missing, write_report):
    """A log without events or benchmark shows that, and one line for all that is missing because of it."""
    first = missing("submission_benchmark")._replace(rule=cause, message="this is the cause")
    findings = (first, *[missing(f"key_{number}") for number in range(28)])
    log = verdict._replace(benchmark=None, findings=findings)
    folded = write_report(Report(ReportOptions(group_by=by)), log)
    verbose = write_report(Report(ReportOptions(group_by=by, verbose=True)), log)

    assert "this is the cause" in folded
    assert "key_7" not in folded
    assert "… and 28 more that follow from it" in folded
    assert "1 not compliant (29 errors)" in folded
    assert all(f"key_{number} is required" in verbose for number in range(28))


def test_log_of_a_benchmark_folds_nothing(verdict, missing, write_report):
    """Where the benchmark is known, what is missing is shown key by key."""
    findings = tuple(missing(f"key_{number}") for number in range(28))

    assert "key_7 is required" in write_report(Report(ReportOptions()), verdict._replace(findings=findings))


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/home/me/round/a.txt", "round/a.txt"),
        ("/home/other/a.txt", "/home/other/a.txt"),
        ("/home/me2/a.txt", "/home/me2/a.txt"),
        ("./a.txt", "./a.txt"),
        ("-", "-"),
    ],
)
def test_paths_are_seen_from_the_working_folder(path, shown, verdict, write_report):
    """A path below the working folder is shown as seen from there, any other as it was named."""
    assert shorten_path(path, "/home/me") == shown
    report = write_report(Report(ReportOptions(folder="/home/me")), verdict._replace(path=path))
    assert report.startswith(f"{shown}: not compliant")


def test_log_cannot_forge_lines(nasty_verdict, write_report):
    """No text of a log begins a line, whatever it holds."""
    lines = write_report(Report(BY_RULE), nasty_verdict).splitlines()

    assert not any(line.startswith(("b\r", "b\\r", "::error")) for line in lines)
    assert "\x1b" not in "".join(lines)


def test_other_rounds_stand_before_all_findings(verdict, missing, finding, write_report):
    """That logs are compliant under another round is said first, though it is a warning and of fewer logs."""
    hint = finding._replace(code="MLP112", rule="other-round", severity="warning", line=None, excerpt="")
    logs = many(verdict, (missing("seed"),), 9)
    logs[3] = logs[3]._replace(findings=(hint, missing("seed")))
    assert write_report(Report(BY_RULE), *logs).startswith("warning MLP112 in 1 of 9 logs\n")
