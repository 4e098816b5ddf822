"""JUnit XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from mlperf_logging.reports import FileResult, ReportOptions
from mlperf_logging.reports.junit import Report, show_xml


def read_xml(text: str) -> ET.Element:
    return ET.fromstring(text.encode())  # noqa: S314 - our own document


def test_suites_are_folders_and_cases_logs(verdict, passing, unjudged, write_report):
    """Logs of one folder are one suite's cases; heads count them by outcome."""
    root = read_xml(write_report(Report(ReportOptions()), verdict, unjudged, passing))
    assert root.tag == "testsuites"
    assert {name: root.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "3",
        "failures": "1",
        "errors": "1",
    }
    suites = {suite.get("name"): suite for suite in root}
    assert set(suites) == {"results/system", "other"}
    assert [case.get("name") for case in suites["results/system"]] == ["result_0.txt", "result_1.txt"]
    assert suites["results/system"].get("failures") == "1"
    assert suites["other"].get("errors") == "1"


def test_times_are_those_of_the_runs(verdict, passing, unjudged, write_report):
    """A case's time is its run's, in seconds; suites and the whole have the sums."""
    root = read_xml(write_report(Report(ReportOptions()), verdict, unjudged, passing))
    assert [case.get("time") for case in root.iter("testcase")] == ["60.000", "60.000", "0.000"]
    assert [each.get("time") for each in (root, *root)] == ["120.000", "120.000", "0.000"]


def test_failure_tells_the_findings(verdict, write_report):
    """A failing case holds one failure with the findings as text."""
    root = read_xml(write_report(Report(ReportOptions()), verdict))
    (failure,) = root.iter("failure")
    assert failure.get("type") == "MLP304"
    assert "opt_name is" in failure.get("message", "")
    assert "results/system/result_0.txt:12:3: error MLP304" in (failure.text or "")
    assert "expected: in {adamw}" in (failure.text or "")


def test_warnings_do_not_fail(verdict, finding, write_report):
    """A compliant log with a warning is a passing case; the warning stands in its output."""
    warned = verdict._replace(verdict="pass", findings=(finding._replace(severity="warning"),))
    root = read_xml(write_report(Report(ReportOptions()), warned))
    assert list(root.iter("failure")) == []
    assert "warning MLP304" in "".join(root.itertext())


def test_waived_findings_stand_in_the_output(passing, waived, write_report):
    """A waived finding does not fail its case; it is reported with its reason."""
    root = read_xml(write_report(Report(ReportOptions()), FileResult(passing, (waived,))))
    assert list(root.iter("failure")) == []
    (output,) = root.iter("system-out")
    assert "waived: MLP101 round.seed: agreed in review" in (output.text or "")


def test_any_text_is_well_formed(nasty_verdict, passing, write_report):
    """Whatever a log holds, the document is XML that says it."""
    root = read_xml(write_report(Report(ReportOptions()), nasty_verdict, passing))
    (failure,) = root.iter("failure")
    assert "]]> <b> & \"'` , : |" in (failure.text or "")
    assert "\\x1b[31m" in (failure.text or "")


def test_a_real_consumer_reads_it(verdict, passing, unjudged, nasty_verdict, write_report):
    """The junitparser package counts what we counted."""
    junitparser = pytest.importorskip("junitparser", reason="install the dev extra")
    text = write_report(Report(ReportOptions()), verdict, passing, unjudged, nasty_verdict)
    suites = junitparser.JUnitXml.fromstring(text.encode())
    cases = [case for suite in suites for case in suite]
    assert len(cases) == 4
    assert sum(isinstance(each, junitparser.Failure) for case in cases for each in case.result) == 2
    assert sum(isinstance(each, junitparser.Error) for case in cases for each in case.result) == 1
    before = (suites.tests, suites.failures, suites.errors)
    suites.update_statistics()
    assert (suites.tests, suites.failures, suites.errors) == before == (4, 2, 1)


def test_log_in_no_folder(passing, write_report):
    """A log named without a folder belongs to the suite of the current one."""
    root = read_xml(write_report(Report(ReportOptions()), passing._replace(path="a.txt")))
    assert [suite.get("name") for suite in root] == ["."]


def test_every_character_can_be_shown():
    """What XML 1.0 cannot hold is escaped; all else stays."""
    for code in [*range(0x300), 0xD7FF, 0xD800, 0xDFFF, 0xE000, 0xFFFD, 0xFFFE, 0xFFFF, 0x1F600]:
        shown = show_xml(chr(code))
        element = ET.fromstring(f"<a>{shown if shown not in '<&' else '.'}</a>".encode())  # noqa: S314
        assert element.text
    assert show_xml("tab\tline\n🎉ü") == "tab\tline\n🎉ü"


def test_failure_names_the_round_that_fits(verdict, finding, write_report):
    """Where a failing log is compliant under another round, that is the message of the failure."""
    hint = finding._replace(
        code="MLP112", rule="other-round", severity="warning", message="compliant under 2"
    )
    failed = verdict._replace(findings=(hint, finding), compliant_under=("2",))
    (failure,) = read_xml(write_report(Report(ReportOptions()), failed)).iter("failure")
    assert failure.get("message") == "1 error; compliant under 2"
