"""The JSON document and the JSON lines."""

from __future__ import annotations

import json

import orjson

from mlperf_logging.reports import FileResult, ReportOptions
from mlperf_logging.reports.json import Report as JsonReport
from mlperf_logging.reports.jsonl import Report as JsonlReport
from mlperf_logging.runs.summary import RunSummary

FINDING_FIELDS = {
    "code",
    "rule",
    "severity",
    "key",
    "line",
    "column",
    "message",
    "expected",
    "found",
    "source",
}
FILE_FIELDS = {"path", "dialect", "usage", "ruleset", "division", "benchmark", "verdict", "findings", "run"}


def test_document_holds_the_contract(verdict, passing, unjudged, write_report):
    """The document has the schema's name, every file with its fields, and the totals."""
    document = json.loads(write_report(JsonReport(ReportOptions()), passing, verdict, unjudged))
    assert list(document) == ["schema", "files", "totals"]
    assert document["schema"] == "mlperf-check/1"
    assert document["totals"] == {"files": 3, "pass": 1, "fail": 1, "error": 1}
    assert [file["verdict"] for file in document["files"]] == ["pass", "fail", "error"]
    for file in document["files"]:
        assert set(file) >= FILE_FIELDS
        assert set(file["run"]) == {"start_ms", "stop_ms", "status", "minutes"}
        assert all(set(finding) >= FINDING_FIELDS for finding in file["findings"])


def test_document_without_files(write_report):
    """No log at all gives a whole document with zero totals."""
    document = json.loads(write_report(JsonReport(ReportOptions())))
    assert document == {
        "schema": "mlperf-check/1",
        "files": [],
        "totals": {"files": 0, "pass": 0, "fail": 0, "error": 0},
    }


def test_lines_are_the_document_s_files(verdict, passing, waived, write_report):
    """Each line is the file object that the document holds, written as soon as its log is there."""
    results = FileResult(passing, (waived,)), FileResult(verdict)
    report = JsonlReport(ReportOptions())
    lines = [report.add(result) for result in results]
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)
    document = json.loads(write_report(JsonReport(ReportOptions()), *results))
    assert [json.loads(line) for line in lines] == document["files"]


def test_waived_findings_are_kept_and_marked(passing, waived, write_report):
    """A waived finding stays in the document, with its reason; other findings bear no mark."""
    document = json.loads(write_report(JsonReport(ReportOptions()), FileResult(passing, (waived,))))
    (finding,) = document["files"][0]["findings"]
    assert finding["waived"] is True
    assert finding["reason"] == "agreed in review"
    assert finding["code"] == "MLP101"
    assert document["files"][0]["verdict"] == "pass"


def test_findings_that_count_bear_no_mark(verdict, write_report):
    """A finding that counts has no field about waivers."""
    document = json.loads(write_report(JsonReport(ReportOptions()), verdict))
    assert "waived" not in document["files"][0]["findings"][0]


def test_strict_readers_take_nasty_texts(nasty_verdict, nasty, write_report):
    """Lone surrogates become escapes as text, so that strict readers do not refuse the document."""
    document = orjson.loads(write_report(JsonReport(ReportOptions()), nasty_verdict))
    message = document["files"][0]["findings"][0]["message"]
    assert message == nasty.replace("\ud800", "\\ud800")


def test_numbers_that_json_lacks_become_null(verdict, write_report):
    """Infinite and undefined times are null, and huge whole numbers stay exact."""
    run = RunSummary(float("inf"), 10**30, None, float("nan"))
    document = json.loads(write_report(JsonReport(ReportOptions()), verdict._replace(run=run)))
    assert document["files"][0]["run"] == {
        "start_ms": None,
        "stop_ms": 10**30,
        "status": None,
        "minutes": None,
    }


def test_file_names_that_are_not_utf8(verdict, write_report):
    """A file name with bytes that are not UTF-8 can be told from others and read by strict readers."""
    path = b"r\xff.txt".decode("utf-8", "surrogateescape")
    document = orjson.loads(write_report(JsonReport(ReportOptions()), verdict._replace(path=path)))
    assert document["files"][0]["path"] == "r\\udcff.txt"
