"""Parquet, for data frames."""

from __future__ import annotations

import io
from typing import Any

import pyarrow
import pyarrow.parquet

from mlperf_logging.reports.tables import BaseRenderer, Look, require_single
from mlperf_logging.tables import COUNT, FLAG, NUMBER, Document


class Renderer(BaseRenderer):
    """Numbers stay numbers, missing values stay missing."""

    single = True
    binary = True

    def render(self, document: Document, look: Look) -> bytes:
        """The file."""
        table = require_single("parquet", document)
        types = {NUMBER: pyarrow.float64(), COUNT: pyarrow.int64(), FLAG: pyarrow.bool_()}
        arrays = {}
        for index, column in enumerate(table.columns):
            values = [row[index] for row in table.rows]
            kind = types.get(column.kind, pyarrow.string())
            if kind == pyarrow.string():
                values = [_write_text(value) for value in values]
            arrays[column.name] = pyarrow.array(values, kind)
        file = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.table(arrays), file)
        return file.getvalue()


def _write_text(value: Any) -> str | None:
    text = "; ".join(value) if isinstance(value, tuple) else value
    return None if text is None else str(text).encode("utf-8", "backslashreplace").decode()
