"""Documents of tables as files: every format takes every document, and texts that mean something to a program."""

from __future__ import annotations

import io
import json
import math
import sys
from typing import Any

import pytest

from mlperf_logging import UsageError
from mlperf_logging.reports.tables import Look, list_table_formats, load_table_format
from mlperf_logging.tables import COUNT, FLAG, NOTES, NUMBER, TEXT, Column, Document, Table, make_table

COLUMNS = (
    Column("name", priority=0),
    Column("minutes", NUMBER, priority=0),
    Column("passed", FLAG),
    Column("empty"),
    Column("models", COUNT),
    Column("notes", NOTES),
)
RECORDS: list[dict[str, Any]] = [
    {"name": "a, b", "minutes": 1.23456789, "passed": True, "notes": ("one", "two")},
    {"name": "=1+1", "passed": False},
    {"name": "c|d\n", "minutes": 3, "models": 7},
]


def write(form: str, *records: dict[str, Any]) -> bytes:
    """The records in a format."""
    return render(form, make_table("things", COLUMNS, records))


def render(form: str, *tables: Table) -> bytes:
    """Tables in a format."""
    document = Document(schema="things/1", tables=tables, fields={"things": 3})
    return load_table_format(form)().render(document, Look())


def test_csv_quotes_and_leaves_empty() -> None:
    """Texts with commas are quoted, missing values are empty, numbers keep all their digits."""
    assert write("csv", *RECORDS).decode().splitlines()[:3] == [
        "name,minutes,passed,empty,models,notes",
        '"a, b",1.23456789,true,,,one; two',
        "'=1+1,,false,,,",
    ]


def test_markdown_is_for_people() -> None:
    """Numbers are rounded, empty columns left out, and nothing breaks the table."""
    assert write("markdown", *RECORDS).decode().splitlines() == [
        "| name | minutes | passed | models | notes |",
        "| --- | ---: | --- | ---: | --- |",
        "| a, b | 1.23457 | true |  | one; two |",
        "| =1+1 |  | false |  |  |",
        "| c\\|d  | 3 |  | 7 |  |",
    ]


def test_several_tables_get_headings() -> None:
    """In Markdown each of several tables has a heading; a workbook has a sheet for each."""
    tables = [make_table(name, COLUMNS, RECORDS) for name in ("one", "two")]
    book = pytest.importorskip("openpyxl").load_workbook(io.BytesIO(render("xlsx", *tables)))

    assert render("markdown", *tables).decode().count("## ") == 2
    assert book.sheetnames == ["one", "two"]


def test_a_sheet_has_room_for_a_million_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table with more rows than a sheet takes is refused, with the formats that take it."""
    monkeypatch.setattr("mlperf_logging.reports.tables.xlsx.MOST_ROWS", 4)
    assert write("xlsx", *RECORDS)
    monkeypatch.setattr("mlperf_logging.reports.tables.xlsx.MOST_ROWS", 3)
    with pytest.raises(
        UsageError, match="2 rows below its head, not the 3 of the table of things; use csv or"
    ):
        write("xlsx", *RECORDS)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_one_table_is_not_several(form: str) -> None:
    """A format of one table says so where there are several."""
    tables = [make_table(name, COLUMNS, RECORDS) for name in ("one", "two")]

    with pytest.raises(UsageError, match=f"{form} holds one table, not one, two"):
        render(form, *tables)


def test_json_is_the_document() -> None:
    """JSON holds the schema and the fields of the command; what is not a number is null."""
    document = Document(schema="things/1", tables=(), fields={"mean": math.inf, "name": "\ud800"})
    written = load_table_format("json")().render(document, Look())

    assert json.loads(written) == {"schema": "things/1", "mean": None, "name": "\\ud800"}


def test_parquet_keeps_kinds() -> None:
    """Numbers stay numbers, also where whole ones are among them; missing values stay missing."""
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(io.BytesIO(write("parquet", *RECORDS)))

    assert table["minutes"].to_pylist() == [1.23456789, None, 3.0]
    assert table["passed"].to_pylist() == [True, False, None]
    assert table["empty"].to_pylist() == [None, None, None]
    assert [str(field.type) for field in table.schema] == [
        "string",
        "double",
        "bool",
        "string",
        "int64",
        "string",
    ]


def test_excel_takes_no_text_for_a_formula() -> None:
    """A name that begins with "=" stays a name; numbers JSON does not have become text or nothing."""
    openpyxl = pytest.importorskip("openpyxl")
    records = [*RECORDS, {"name": "\x07bell", "minutes": math.inf}, {"name": "none", "minutes": math.nan}]
    book = openpyxl.load_workbook(io.BytesIO(write("xlsx", *records)))
    rows = list(book.active.iter_rows(values_only=True))

    assert rows[0] == tuple(column.name for column in COLUMNS)
    assert rows[2][0] == "=1+1"
    assert book.active["A3"].data_type == "s"
    assert (rows[4][:2], rows[5][:2]) == (("\\x07bell", "inf"), ("none", None))


@pytest.mark.parametrize(("form", "library"), [("parquet", "pyarrow"), ("xlsx", "openpyxl")])
def test_missing_library_is_said(form: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the library is not installed, the message says what to install."""
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"mlperf_logging.reports.tables.{form}", raising=False)

    with pytest.raises(
        UsageError, match=rf"--format {form} needs {library}, which is not installed; install it"
    ):
        write(form, *RECORDS)


def test_no_records_are_a_table_without_rows() -> None:
    """Nothing to show is an empty table in every format, not an error."""
    pytest.importorskip("pyarrow")
    pytest.importorskip("openpyxl")

    assert all(write(form) for form in list_table_formats())


def test_text_says_once_what_rows_share() -> None:
    """A column that all rows share is in the title; without its values, a column is left out."""
    columns = (
        Column("name", priority=0),
        Column("system", TEXT, priority=0, said_once=True),
        Column("minutes", NUMBER, unit="min", priority=0),
        Column("empty", priority=0),
    )
    records = [{"name": name, "system": "box", "minutes": 12.3456} for name in ("first", "second")]
    table = make_table("runs", columns, records, title="two runs", footnotes=("below", ("fact", "yes")))

    assert render("text", table).decode().splitlines() == [
        "two runs, system box",
        "name    minutes",
        "            min",
        "──────  ───────",
        "first     12.35",
        "second    12.35",
        "",
        "below",
        "fact   yes",
    ]
