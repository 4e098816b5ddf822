"""The report for people."""

from __future__ import annotations

import pytest

from mlperf_logging.reports import FileResult, ReportOptions
from mlperf_logging.reports.text import Report


def test_block_of_a_failing_log(verdict, write_report):
    """A finding shows place, severity, code, rule, message, record with carets, expected, found and fix."""
    assert write_report(Report(ReportOptions(width=120)), verdict).splitlines() == [
        "results/system/result_0.txt: not compliant, 1 error "
        "[training 9.9.9 closed knitting, 1.00 minutes; asked for]",
        "  results/system/result_0.txt:12:3: error MLP304 round.opt_name",
        '    opt_name is "lamb", but `in {adamw}` is required',
        '      :::MLLOG {"time_ms": 1, "key": "opt_name", "value": "lamb", "metadata": {"lineno": 7}}',
        "                                                          ^^^^^^",
        "    expected: in {adamw}",
        '    found:    "lamb"',
        "    fix:      Log the optimizer that was used.",
        "",
        "1 file: 1 not compliant (1 error)",
    ]


def test_passing_log_is_one_line(passing, write_report):
    """A compliant log without findings takes one line that names ruleset and minutes."""
    text = write_report(Report(ReportOptions()), passing)
    assert text == (
        "results/system/result_1.txt: compliant [training 9.9.9 closed knitting, 1.00 minutes]\n"
        "1 file: 1 compliant\n"
    )


def test_passing_logs_stand_close_failing_ones_apart(verdict, passing, write_report):
    """Blank lines separate blocks, not the one-line entries of compliant logs."""
    lines = write_report(Report(ReportOptions()), passing, passing, verdict, passing).split("\n")
    starts = [index for index, line in enumerate(lines) if line.startswith("results/")]
    assert [starts[0], starts[1], starts[2]] == [0, 1, 2]
    assert lines[starts[3] - 1] == ""


def test_unreadable_log_says_so(unjudged, write_report):
    """A log that could not be judged is neither compliant nor not."""
    text = write_report(Report(ReportOptions()), unjudged)
    assert text.startswith("other/broken.txt.gz: not judged, 1 error\n")
    assert "the gzip data breaks off" in text


def test_waived_findings_are_counted(passing, waived, write_report):
    """A waived finding is not shown but counted for its file and in the totals."""
    text = write_report(Report(ReportOptions()), FileResult(passing, (waived,)))
    assert text.startswith("results/system/result_1.txt: compliant, 1 waived [")
    assert text.endswith("1 file: 1 compliant (1 waived)\n")


def test_quiet_gives_totals_only(verdict, passing, write_report):
    """With quiet, the line of totals is all."""
    text = write_report(Report(ReportOptions(quiet=True)), verdict, passing)
    assert text == "2 files: 1 compliant, 1 not compliant (1 error)\n"


@pytest.mark.parametrize(("count", "shown"), [(20, 20), (21, 3), (500, 3)])
def test_many_findings_of_one_rule_are_folded(verdict, finding, write_report, count, shown):
    """More than twenty findings of one rule in one log show as three and a count."""
    many = tuple(finding._replace(line=line) for line in range(1, count + 1))
    text = write_report(Report(ReportOptions()), verdict._replace(findings=many))
    assert text.count("expected: in {adamw}") == shown
    assert (f"… and {count - shown:,} more of MLP304 round.opt_name" in text) == (shown < count)


def test_verbose_unfolds(verdict, finding, write_report):
    """With verbose, every finding shows."""
    many = tuple(finding._replace(line=line) for line in range(1, 101))
    text = write_report(Report(ReportOptions(verbose=True)), verdict._replace(findings=many))
    assert text.count("expected: in {adamw}") == 100


def test_folding_leaves_other_rules_alone(verdict, finding, write_report):
    """A finding of another rule among many of one is shown."""
    many = [finding._replace(line=line) for line in range(1, 101)]
    many.insert(50, finding._replace(rule="round.lonely", line=50))
    text = write_report(Report(ReportOptions()), verdict._replace(findings=tuple(many)))
    assert "round.lonely" in text


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_record_stays_within_the_width(verdict, finding, write_report, width):
    """A long record is cropped around the blamed value, which stays whole with its carets below."""
    excerpt = (
        f':::MLLOG {{"namespace": "{"x" * 500}", "value": "lamb", "metadata": {{"note": "{"y" * 500}"}}}}'
    )
    text = write_report(
        Report(ReportOptions(width=width)), verdict._replace(findings=(finding._replace(excerpt=excerpt),))
    )
    record, carets = text.splitlines()[3:5]
    assert len(record) <= width
    assert record[carets.index("^") : carets.rindex("^") + 1] == '"lamb"'
    assert record.lstrip().startswith("…")
    assert record.endswith("…")


def test_color_only_on_request(verdict, write_report):
    """Escape codes appear with color and not without."""
    assert "\033[" in write_report(Report(ReportOptions(color=True)), verdict)
    assert "\033[" not in write_report(Report(ReportOptions(color=False)), verdict)


def test_color_adds_nothing_but_escape_codes(verdict, passing, write_report):
    """Without its escape codes the colored report is the plain one."""
    import re

    colored = write_report(Report(ReportOptions(color=True)), verdict, passing)
    assert re.sub(r"\033\[[0-9;]*m", "", colored) == write_report(Report(ReportOptions()), verdict, passing)


def test_log_cannot_forge_lines(nasty_verdict, write_report):
    """A line feed in a log's text is shown as an escape, so that no line of the report is the log's."""
    lines = write_report(Report(ReportOptions()), nasty_verdict).splitlines()
    assert len(lines) == 10
    assert not any(line.startswith(("b\r", "b\\r")) for line in lines)
