"""Markdown, for issues, pages and pull requests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mlperf_logging.reports.tables import BaseRenderer, Look, plain_value
from mlperf_logging.tables import NUMERIC, Document, Table

_MARKUP = re.compile(r"[\\|`\[]|<(?=[A-Za-z/!?])")


class Renderer(BaseRenderer):
    """Columns that hold nothing are left out, numbers are rounded; several tables get a heading each."""

    def render(self, document: Document, look: Look) -> bytes:
        """The tables, a blank line between them."""
        parts = [_render_table(table) for table in document.tables]
        if len(parts) > 1:
            parts = [f"## {table.name}\n\n{part}" for table, part in zip(document.tables, parts, strict=True)]
        return "\n".join(parts).encode("utf-8", "backslashreplace")


def _render_table(table: Table) -> str:
    kept = [
        index
        for index in range(len(table.columns))
        if any(plain_value(row[index]) != "" for row in table.rows)
    ]
    columns = [table.columns[index] for index in kept]
    rules = ["---:" if column.kind in NUMERIC else "---" for column in columns]
    rows = [[_write_cell(row[index]) for index in kept] for row in table.rows]
    head = [_write_cell(column.name) for column in columns]
    return "".join(f"{_join(line)}\n" for line in [head, rules, *rows])


def _join(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _write_cell(value: Any) -> str:
    value = plain_value(value.replace("\n", " ") if isinstance(value, str) else value)
    text = f"{value:.6g}" if isinstance(value, float) and abs(value) < 1e6 else str(value)
    return _MARKUP.sub(r"\\\g<0>", text)
