"""Parquet, for data frames."""

from __future__ import annotations

import io
import math
from typing import Any

import pyarrow
import pyarrow.parquet

from mlperf_logging.reports._escape import encodable_text
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
            arrays[encodable_text(column.name)] = _make_array(values, kind)
        file = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.table(arrays), file)
        return file.getvalue()


def _make_array(values: list[Any], kind: Any) -> Any:
    try:
        return pyarrow.array(values, kind)
    except (
        OverflowError,
        pyarrow.ArrowInvalid,
    ):  # whole numbers of more than 64 bits, or a text among numbers
        if any(isinstance(value, str) for value in values):
            return pyarrow.array([_write_text(value) for value in values], pyarrow.string())
        return pyarrow.array(
            [None if value is None else _to_float(value) for value in values], pyarrow.float64()
        )


def _to_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _write_text(value: Any) -> str | None:
    text = "; ".join(map(str, value)) if isinstance(value, tuple) else value
    return None if text is None else encodable_text(str(text))
