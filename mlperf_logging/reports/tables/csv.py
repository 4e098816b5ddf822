"""Comma-separated values."""

from __future__ import annotations

import csv
import io
from typing import Any

from mlperf_logging.reports.tables import BaseRenderer, Look, plain_value, require_single
from mlperf_logging.tables import Document

_FORMULA_SIGNS = ("=", "+", "-", "@")


class Renderer(BaseRenderer):
    """One row per record, all digits of every number."""

    single = True

    def render(self, document: Document, look: Look) -> bytes:
        """The table, its column names first."""
        table = require_single("csv", document)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        names = [column.name for column in table.columns]
        writer.writerows([[_write_cell(value) for value in row] for row in (names, *table.rows)])
        return text.getvalue().encode("utf-8", "backslashreplace")


def _write_cell(value: Any) -> Any:
    """A value; a text that a spreadsheet would take for a formula begins with an apostrophe."""
    value = plain_value(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_SIGNS) else value
