"""Comma-separated values."""

from __future__ import annotations

import csv
import io

from mlperf_logging.reports.tables import BaseRenderer, Look, plain_value, require_single
from mlperf_logging.tables import Document


class Renderer(BaseRenderer):
    """One row per record, all digits of every number."""

    single = True

    def render(self, document: Document, look: Look) -> bytes:
        """The table, its column names first."""
        table = require_single("csv", document)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([column.name for column in table.columns])
        writer.writerows([[plain_value(value) for value in row] for row in table.rows])
        return text.getvalue().encode("utf-8", "backslashreplace")
