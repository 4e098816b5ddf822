"""Excel workbooks."""

from __future__ import annotations

import io
import math
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font

from mlperf_logging.errors import UsageError
from mlperf_logging.reports.tables import BaseRenderer, Look, plain_value
from mlperf_logging.tables import Document

_LONGEST_SHEET_NAME = 31
_WIDEST_COLUMN = 60
MOST_ROWS = 1_048_576
"""Rows of a sheet, by the format's specification."""


class Renderer(BaseRenderer):
    """One sheet per table, with a head that stays and filters."""

    binary = True

    def render(self, document: Document, look: Look) -> bytes:
        """The file."""
        book = Workbook()
        book.remove(book.active)
        for table in document.tables:
            if len(table.rows) >= MOST_ROWS:
                raise UsageError(
                    f"a sheet holds {MOST_ROWS - 1:,} rows below its head, not the {len(table.rows):,} of the "
                    f"table of {table.name}; use csv or parquet"
                )
            sheet = book.create_sheet(table.name[:_LONGEST_SHEET_NAME])
            for row in ([column.name for column in table.columns], *table.rows):
                sheet.append([_write_cell(value) for value in row])
                for cell in sheet[sheet.max_row]:
                    if isinstance(cell.value, str):
                        cell.data_type = "s"  # a name that begins with "=" is not a formula
            for cell in sheet[1]:
                cell.font = Font(bold=True)
            sheet.freeze_panes = "A2"
            sheet.auto_filter.ref = sheet.dimensions
            for cells in sheet.columns:
                widest = max(len(str(cell.value)) for cell in cells if cell.value is not None)
                sheet.column_dimensions[cells[0].column_letter].width = min(widest + 3, _WIDEST_COLUMN)
        file = io.BytesIO()
        book.save(file)
        return file.getvalue()


def _write_cell(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, float) and math.isinf(value):
        return str(value)
    plain = plain_value(value)
    return None if plain == "" else plain
