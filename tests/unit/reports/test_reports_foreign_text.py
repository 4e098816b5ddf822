"""Texts of logs and rule files in every format: nothing hidden reaches a terminal or a file, and nothing is a formula."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from checkout import PROJECT

from mlperf_logging.cli.main import main
from mlperf_logging.compliance.findings import Finding, Verdict
from mlperf_logging.reports import FileResult, ReportOptions, Totals, list_formats, load_format
from mlperf_logging.reports._escape import encode_json, show_text
from mlperf_logging.reports.tables import Look, load_table_format
from mlperf_logging.tables import COUNT, NAME, NOTES, NUMBER, PROSE, Column, Document, Table, make_table

HOSTILE = "=cmd\x1b]0;title\x07\x1b[31mred\x9b2J\rCR\u202ebidi\ud800 <script> | `x` [link](y) $_{$"
FOLDER = PROJECT / "examples/submission/Example_Lab/results/example_8x/llama2_70b_lora"


def find_hidden(text: str) -> set[str]:
    """What in a report cannot be seen, but for line feeds and the tabs of XML."""
    return {letter for letter in text if not letter.isprintable() and letter not in "\n\t"}


def make_hostile() -> Table:
    """A table with the text in every place that a log or a rule file fills."""
    columns = [Column(HOSTILE, priority=0, title=HOSTILE)]
    columns += [Column(kind, kind, priority=0) for kind in (NAME, PROSE, NOTES)]
    record = {HOSTILE: HOSTILE, NAME: HOSTILE, PROSE: HOSTILE, NOTES: (HOSTILE, "second")}
    footnotes = (HOSTILE, (HOSTILE, HOSTILE))
    return make_table("things", columns, [record, record], title=HOSTILE, footnotes=footnotes)


@pytest.mark.parametrize("form", ["text", "csv", "markdown", "json"])
@pytest.mark.parametrize("width", [None, 40])
def test_tables_hide_nothing(form: str, width: int | None) -> None:
    """No escape code, carriage return, direction override or lone surrogate gets through."""
    table = make_hostile()
    document = Document(schema="x/1", tables=(table,), fields={"rows": table.records()}, notes=(HOSTILE,))

    written = load_table_format(form)().render(document, Look(width)).decode()

    assert "cmd" in written
    assert find_hidden(written) == set()


def test_csv_has_no_formulas_and_one_row_per_record() -> None:
    """A text that a spreadsheet would take for a formula begins with an apostrophe; negative numbers do not."""
    columns = [Column("text"), Column("number", NUMBER)]
    records = [{"text": text, "number": -1.5} for text in ("=1", "@SUM(1)", "+1", "-1", "a\rb", "plain")]
    document = Document(schema="x/1", tables=(make_table("things", columns, records),))

    written = load_table_format("csv")().render(document, Look()).decode()

    assert list(csv.reader(io.StringIO(written, newline=""))) == [
        ["text", "number"],
        *[[text, "-1.5"] for text in ("'=1", "'@SUM(1)", "'+1", "'-1", "a\\rb", "plain")],
    ]


def test_markdown_cells_stay_cells() -> None:
    """Bars, backslashes, tags, code and links of a text are written so that no reader takes them for markup."""
    document = Document(schema="x/1", tables=(make_table("t", [Column("a")], [{"a": "\\| <b> `c` [d](e)"}]),))

    assert load_table_format("markdown")().render(document, Look()).decode().splitlines()[2] == (
        r"| \\\| \<b> \`c\` \[d](e) |"
    )


def test_workbook_takes_any_text_and_number() -> None:
    """Texts that Excel cannot hold are written as escapes, in heads too, and no cell is a formula."""
    openpyxl = pytest.importorskip("openpyxl")
    document = Document(schema="x/1", tables=(make_hostile(),))

    book = openpyxl.load_workbook(io.BytesIO(load_table_format("xlsx")().render(document, Look())))

    assert {cell.data_type for row in book.active.iter_rows() for cell in row} == {"s"}
    assert [cell.value for cell in book.active["A"]] == [show_text(HOSTILE)] * 3


def test_parquet_takes_any_name_and_number() -> None:
    """Names that are not UTF-8 become escapes; whole numbers of more than 64 bits become floating."""
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = [Column("run\ud800", NAME), Column("large", COUNT), Column("huge", NUMBER)]
    records = [{"run\ud800": "log\udcff", "large": 2**70, "huge": 10**400}, {"large": 3}]
    document = Document(schema="x/1", tables=(make_table("things", columns, records),))

    table = parquet.read_table(io.BytesIO(load_table_format("parquet")().render(document, Look())))

    assert table.to_pylist() == [
        {"run\\ud800": "log\\udcff", "large": float(2**70), "huge": float("inf")},
        {"run\\ud800": None, "large": 3.0, "huge": None},
    ]


def test_parquet_takes_a_text_among_numbers() -> None:
    """A column in which some logs have numbers and one has a text becomes texts."""
    parquet = pytest.importorskip("pyarrow.parquet")
    records = [{"number": 0.5}, {"number": '"bfloat16"'}, {}]
    document = Document(schema="x/1", tables=(make_table("things", [Column("number", NUMBER)], records),))

    table = parquet.read_table(io.BytesIO(load_table_format("parquet")().render(document, Look())))

    assert table["number"].to_pylist() == ["0.5", '"bfloat16"', None]


def test_json_is_seen_and_lossless() -> None:
    """What cannot be seen is an escape of JSON, from which a reader makes the same text."""
    text = "\x9b2J \u202e \U000e0001 é 🎉"

    written = encode_json({"a": text})

    assert find_hidden(written) == set()
    assert json.loads(written) == {"a": text}


@pytest.mark.parametrize("form", list_formats())
@pytest.mark.parametrize("group_by", ["file", "rule"])
def test_reports_hide_nothing(form: str, group_by: str, verdict: Verdict, finding: Finding) -> None:
    """Path, identity and every field of a finding are shown with nothing hidden in them."""
    texts = dict.fromkeys(
        ("code", "rule", "key", "message", "expected", "found", "source", "hint", "excerpt")
    )
    bad = finding._replace(**dict.fromkeys(texts, HOSTILE))
    judged = dict.fromkeys(("path", "dialect", "ruleset", "ruleset_reason", "division", "benchmark"), HOSTILE)
    result = FileResult(verdict._replace(findings=(bad, bad._replace(line=None)), **judged))
    report = load_format(form)(ReportOptions(group_by=group_by))
    totals = Totals().plus(result)

    written = report.begin() + report.announce(HOSTILE, bad) + report.add(result) + report.end(totals)

    assert find_hidden(written + report.summarize_job(totals)) == set()


def test_dollars_in_names_are_no_formula(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A system whose name holds dollar signs is drawn, not read as a formula."""
    pytest.importorskip("matplotlib")
    system = tmp_path / "Lab" / "results" / "cost_$_{$"
    system.mkdir(parents=True)
    (system / "llama2_70b_lora").symlink_to(FOLDER)
    picture = tmp_path / "rcp.svg"

    assert main(["plot", "rcp", str(system / "llama2_70b_lora"), "-o", str(picture)]) == 0
    assert main(["rcp", str(system / "llama2_70b_lora"), "--plot", str(picture)]) == 0
    assert picture.stat().st_size > 1000
    assert "Traceback" not in capsys.readouterr().err
