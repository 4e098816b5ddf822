"""Tables as files: CSV, Parquet, Excel, Markdown, JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

from mlperf_logging.cli.tabular import render_records
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

BINARY = ("parquet", "xlsx")
SINGLE = ("csv", "parquet")
"""Formats that hold one table."""

_SHEET_LETTERS = 31


def render_frames(tables: Mapping[str, pd.DataFrame], form: str) -> bytes:
    """Tables in a format for programs.

    Args:
        tables: name to table.
        form: "csv", "markdown", "parquet" or "xlsx".

    Raises:
        UsageError: the format holds one table and there are several, or the library for it is missing.
    """
    if form in SINGLE and len(tables) != 1:
        raise UsageError(
            f"{form} holds one table, not {', '.join(tables)}; choose one with --table, or use xlsx"
        )
    if form in ("csv", "markdown"):
        parts = [
            render_records(list_records(table), [str(name) for name in table.columns], form)
            for table in tables.values()
        ]
        if len(parts) == 1:
            return parts[0]
        return b"\n".join(
            b"## %s\n\n%s" % (name.encode(), part) for name, part in zip(tables, parts, strict=True)
        )
    buffer = BytesIO()
    try:
        if form == "parquet":
            next(iter(tables.values())).to_parquet(buffer, index=False)
        else:
            _write_workbook(tables, buffer)
    except ImportError as trouble:
        raise UsageError(
            f"{form} needs a library that is not installed ({trouble.name}); install mlperf_logging[analysis]"
        ) from None
    return buffer.getvalue()


def list_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as JSON values; what is missing or no number is null.

    Args:
        table: any table.
    """
    return [
        {str(name): _to_json(value) for name, value in row.items()} for row in table.to_dict(orient="records")
    ]


def _to_json(value: Any) -> Any:
    import pandas as pd

    if isinstance(value, list):
        return [_to_json(part) for part in value]
    if pd.isna(value):
        return None
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_workbook(tables: Mapping[str, pd.DataFrame], buffer: BytesIO) -> None:
    import pandas as pd

    with pd.ExcelWriter(buffer, engine="openpyxl") as writer:
        for name, table in tables.items():
            sheet = name[:_SHEET_LETTERS]
            table.map(_tame).to_excel(writer, sheet_name=sheet, index=False)
            shown = writer.sheets[sheet]
            shown.freeze_panes = "A2"
            if len(table.columns):
                shown.auto_filter.ref = shown.dimensions
            for column, title in zip(shown.columns, table.columns, strict=False):
                shown.column_dimensions[column[0].column_letter].width = min(40, len(str(title)) + 3)


def _tame(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula, or cannot hold, made harmless."""
    if not isinstance(value, str):
        return value
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    text = ILLEGAL_CHARACTERS_RE.sub("�", value)
    return f"'{text}" if text[:1] in "=+@" and len(text) > 1 else text
