"""Tables of records as files."""

from __future__ import annotations

import io
import math
import sys

import pytest

from mlperf_logging import UsageError
from mlperf_logging.cli.tabular import TABLE_FORMATS, is_binary, render_records

COLUMNS = ("name", "minutes", "passed", "empty")
RECORDS = [
    {"name": "a, b", "minutes": 1.23456789, "passed": True, "empty": None},
    {"name": "=1+1", "minutes": None, "passed": False, "empty": None},
    {"name": "c|d\n", "minutes": 3, "passed": None, "empty": None},
]


def test_csv_quotes_and_leaves_empty() -> None:
    """Texts with commas are quoted, missing values are empty, numbers keep all their digits."""
    text = render_records(RECORDS, COLUMNS, "csv").decode()

    assert text.splitlines()[:3] == ["name,minutes,passed,empty", '"a, b",1.23456789,true,', "=1+1,,false,"]


def test_markdown_is_for_people() -> None:
    """Numbers are rounded, empty columns left out, and nothing breaks the table."""
    text = render_records(RECORDS, COLUMNS, "markdown").decode()

    assert text.splitlines() == [
        "| name | minutes | passed |",
        "| --- | ---: | --- |",
        "| a, b | 1.23457 | true |",
        "| =1+1 |  | false |",
        "| c\\|d  | 3 |  |",
    ]


def test_parquet_keeps_kinds() -> None:
    """Numbers stay numbers, also where whole ones are among them; missing values stay missing."""
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(io.BytesIO(render_records(RECORDS, COLUMNS, "parquet")))

    assert table["minutes"].to_pylist() == [1.23456789, None, 3.0]
    assert table["passed"].to_pylist() == [True, False, None]
    assert table["empty"].to_pylist() == [None, None, None]


def test_parquet_writes_mixed_kinds_as_text() -> None:
    """A column of texts and numbers is a column of texts."""
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(io.BytesIO(render_records([{"x": 1}, {"x": "two"}], ["x"], "parquet")))

    assert table["x"].to_pylist() == ["1", "two"]


def test_excel_takes_no_text_for_a_formula() -> None:
    """A name that begins with "=" stays a name; numbers JSON does not have become text or nothing."""
    openpyxl = pytest.importorskip("openpyxl")
    records = [*RECORDS, {"name": "\x07bell", "minutes": math.inf}, {"name": "none", "minutes": math.nan}]
    book = openpyxl.load_workbook(io.BytesIO(render_records(records, COLUMNS, "xlsx")))
    rows = list(book.active.iter_rows(values_only=True))

    assert rows[0] == COLUMNS
    assert rows[2][0] == "=1+1"
    assert book.active["A3"].data_type == "s"
    assert (rows[4][:2], rows[5][:2]) == (("bell", "inf"), ("none", None))


@pytest.mark.parametrize(("form", "library"), [("parquet", "pyarrow"), ("xlsx", "openpyxl")])
def test_missing_library_is_said(form: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the library is not installed, the message says what to install."""
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(UsageError, match=rf"--format {form} needs {library}; install it with: pip install"):
        render_records(RECORDS, COLUMNS, form)


def test_binary_formats_are_known() -> None:
    """Formats that are of no use on a terminal."""
    assert {form for form in TABLE_FORMATS if is_binary(form)} == {"parquet", "xlsx"}


@pytest.mark.parametrize("form", TABLE_FORMATS)
def test_no_records_are_a_table_without_rows(form: str) -> None:
    """Nothing to show is an empty table, not an error."""
    if form == "parquet":
        pytest.importorskip("pyarrow")
    if form == "xlsx":
        pytest.importorskip("openpyxl")
    assert render_records([], COLUMNS, form)
