"""Counts over a call."""

from __future__ import annotations

from mlperf_logging.reports import FileResult
from mlperf_logging.reports._statistics import Statistics


def test_counts_by_verdict_code_and_key(verdict, passing, finding):
    """Findings are counted with the files they stand in, greatest first."""
    statistics = Statistics()
    other = finding._replace(code="MLP101", key=None, severity="warning")
    statistics.add(FileResult(verdict._replace(findings=(finding, finding, other))))
    statistics.add(FileResult(verdict))
    statistics.add(FileResult(passing))
    assert statistics.render().splitlines() == [
        "verdict  files",
        "───────  ─────",
        "fail         2",
        "pass         1",
        "",
        "code            findings  files",
        "──────────────  ────────  ─────",
        "MLP304 error           3      2",
        "MLP101 warning         1      1",
        "",
        "key       findings  files",
        "────────  ────────  ─────",
        "opt_name         3      2",
        "-                1      1",
    ]


def test_equal_counts_are_sorted_by_name(verdict, finding):
    """Ties are broken by name, so that two calls print the same."""
    statistics = Statistics()
    findings = tuple(finding._replace(key=key) for key in "cab")
    statistics.add(FileResult(verdict._replace(findings=findings)))
    keys = [line.split()[0] for line in statistics.render().splitlines()[-3:]]
    assert keys == ["a", "b", "c"]


def test_no_findings(passing):
    """Without findings only the verdicts are counted."""
    statistics = Statistics()
    statistics.add(FileResult(passing))
    assert statistics.render() == "verdict  files\n───────  ─────\npass         1\n"


def test_nasty_keys_stay_on_their_line(nasty_verdict):
    """A key with a line feed takes one line."""
    statistics = Statistics()
    statistics.add(FileResult(nasty_verdict))
    assert len(statistics.render().splitlines()) == 11
