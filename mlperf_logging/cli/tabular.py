"""Tables of records as files: CSV, Markdown, Parquet and Excel; one row a record, units in the column names."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlperf_logging.errors import UsageError

Records = Sequence[Mapping[str, Any]]
"""Rows; all have the same columns, in the same order. Values are texts, numbers, truth values or None."""


def render_records(records: Records, columns: Sequence[str], form: str) -> bytes:
    """Records as the bytes of a file.

    Args:
        records: the rows.
        columns: the columns, in order.
        form: one of `TABLE_FORMATS`.

    Raises:
        UsageError: the library that writes this format is not installed.
    """
    return _WRITERS[form](records, columns)


def is_binary(form: str) -> bool:
    """Whether a format is of no use on a terminal.

    Args:
        form: one of `TABLE_FORMATS`.
    """
    return form in ("parquet", "xlsx")


def _write_csv(records: Records, columns: Sequence[str]) -> bytes:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[_plain(record.get(column)) for column in columns] for record in records])
    return text.getvalue().encode("utf-8", "backslashreplace")


def _write_markdown(records: Records, columns: Sequence[str]) -> bytes:
    """For people: columns that hold nothing are left out, and numbers are rounded."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    columns = [column for column in columns if any(_plain(record.get(column)) != "" for record in records)]
    numeric = [any(_is_number(record.get(column)) for record in records) for column in columns]
    lines = [line(columns), line(["---:" if each else "---" for each in numeric])]
    for record in records:
        cells = [_round_number(record.get(column)) for column in columns]
        lines.append(line([cell.replace("|", "\\|").replace("\n", " ") for cell in cells]))
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def _write_parquet(records: Records, columns: Sequence[str]) -> bytes:
    import io

    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UsageError(_missing("pyarrow", "parquet")) from None
    table = pyarrow.table(
        {column: pyarrow.array(_one_kind([record.get(column) for record in records])) for column in columns}
    )
    file = io.BytesIO()
    pyarrow.parquet.write_table(table, file)
    return file.getvalue()


def _write_xlsx(records: Records, columns: Sequence[str]) -> bytes:
    import io

    try:
        import openpyxl
        from openpyxl.styles import Font
    except ImportError:
        raise UsageError(_missing("openpyxl", "xlsx")) from None
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(list(columns))
    for record in records:
        sheet.append([_for_sheet(record.get(column)) for column in columns])
        for cell in sheet[sheet.max_row]:
            if isinstance(cell.value, str):
                cell.data_type = "s"  # a name that begins with "=" is no formula
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    for index, column in enumerate(columns, 1):
        widest = max([len(column), *[len(str(_plain(record.get(column)))) for record in records]])
        sheet.column_dimensions[openpyxl.utils.get_column_letter(index)].width = min(widest + 2, 60)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


_WRITERS: dict[str, Callable[[Records, Sequence[str]], bytes]] = {
    "csv": _write_csv,
    "markdown": _write_markdown,
    "parquet": _write_parquet,
    "xlsx": _write_xlsx,
}
TABLE_FORMATS = tuple(_WRITERS)


def _missing(library: str, form: str) -> str:
    return f"--format {form} needs {library}; install it with: pip install 'mlperf_logging[analysis]'"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value).lower() if isinstance(value, bool) else value


def _round_number(value: Any) -> str:
    value = _plain(value)
    return f"{value:.6g}" if isinstance(value, float) and abs(value) < 1e6 else str(value)


def _for_sheet(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if isinstance(value, str):  # a cell cannot hold control characters
        return "".join(letter for letter in value if letter >= " " or letter in "\t\n")
    return value


def _one_kind(values: list[Any]) -> list[Any]:
    """Numbers as numbers of one kind, anything mixed as text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return [None if value is None else float(value) for value in values]
    if len(kinds) > 1:
        return [None if value is None else str(value) for value in values]
    return values
