"""Values that the report tests share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mlperf_logging.compliance.findings import Finding, Verdict
from mlperf_logging.compliance.waivers import WaivedFinding, Waiver
from mlperf_logging.reports import BaseReport, FileResult, Totals
from mlperf_logging.runs.summary import RunSummary

NASTY = "a\nb\r\x1b[31m%0A ::error:: ]]> <b> & \"'` , : | \x00\x07\u202e\ud800 🎉 ##[error]"


@pytest.fixture
def nasty() -> str:
    """A text with everything that some format gives a meaning to."""
    return NASTY


@pytest.fixture
def finding() -> Finding:
    """An ordinary finding about a value."""
    return Finding(
        code="MLP304",
        rule="round.opt_name",
        severity="error",
        key="opt_name",
        line=12,
        column=3,
        message='opt_name is "lamb", but `in {adamw}` is required',
        expected="in {adamw}",
        found='"lamb"',
        source="the written rules",
        hint="Log the optimizer that was used.",
        excerpt=':::MLLOG {"time_ms": 1, "key": "opt_name", "value": "lamb", "metadata": {"lineno": 7}}',
    )


@pytest.fixture
def verdict(finding: Finding) -> Verdict:
    """A log that fails by one finding."""
    return Verdict(
        path="results/system/result_0.txt",
        dialect="mllog",
        usage="training",
        ruleset="9.9.9",
        ruleset_reason="asked for",
        division="closed",
        benchmark="knitting",
        verdict="fail",
        findings=(finding,),
        run=RunSummary(1_000, 61_000, "success", 1.0),
        event_count=42,
    )


@pytest.fixture
def passing(verdict: Verdict) -> Verdict:
    """A compliant log without findings."""
    return verdict._replace(path="results/system/result_1.txt", verdict="pass", findings=())


@pytest.fixture
def unjudged(verdict: Verdict) -> Verdict:
    """A log that could not be read."""
    trouble = Finding("MLP000", "unreadable-log", "error", None, None, None, "the gzip data breaks off")
    return verdict._replace(
        path="other/broken.txt.gz", ruleset=None, verdict="error", findings=(trouble,), run=RunSummary()
    )


@pytest.fixture
def waived(finding: Finding) -> WaivedFinding:
    """A finding that a waiver covers."""
    missing = finding._replace(
        code="MLP101", rule="round.seed", key="seed", line=None, column=None, excerpt=""
    )
    return WaivedFinding(missing, Waiver("MLP101", "*", "agreed in review", "2999-12-31", 3))


@pytest.fixture
def nasty_verdict(verdict: Verdict, finding: Finding) -> Verdict:
    """A log whose every text is nasty."""
    worst = finding._replace(
        rule=NASTY,
        key=NASTY,
        message=NASTY,
        expected=NASTY,
        found=NASTY,
        source=NASTY,
        hint=NASTY,
        excerpt=NASTY,
    )
    return verdict._replace(path=f"dir\n,:%/{NASTY}", benchmark=NASTY, findings=(worst,))


@pytest.fixture
def every_kind(
    verdict: Verdict, passing: Verdict, unjudged: Verdict, nasty_verdict: Verdict, waived: WaivedFinding
) -> list[FileResult]:
    """Logs of every kind: compliant with waived findings, failing, of nasty texts, unreadable."""
    nasty_waived = waived._replace(finding=nasty_verdict.findings[0])
    return [
        FileResult(passing, (waived,)),
        FileResult(verdict),
        FileResult(nasty_verdict, (nasty_waived,)),
        FileResult(unjudged),
    ]


@pytest.fixture
def write_report() -> Callable[..., str]:
    """Gives everything that a report writes about some logs."""
    return _write_report


def _write_report(report: BaseReport, *results: FileResult | Verdict) -> str:
    totals = Totals()
    parts = [report.begin()]
    for result in results:
        full = result if isinstance(result, FileResult) else FileResult(result)
        totals = totals.plus(full)
        parts.append(report.add(full))
    return "".join([*parts, report.end(totals)])
