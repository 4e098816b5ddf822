"""Tables of the other commands as tables of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mlperf_logging.reports.html.model import Cell, Grid, Head
from mlperf_logging.tables import NAME, NUMERIC, TEXT, Column, Table

Mark = Callable[[str, Any], str]
"""Name of a column and value to the mark of a cell."""

_UNITS = {"_minutes": "min", "_seconds": "s", "_kj": "kJ", "_per_second": "1/s"}
_MOST_CHOICES = 60


def make_grid(
    table: Table, identifier: str, *, mark: Mark = lambda name, value: "", leave_out: Iterable[str] = ()
) -> Grid:
    """A table that the reader may sort, filter and choose columns of; those for programs only are hidden at first."""
    held = [index for index, column in enumerate(table.columns) if column.name not in set(leave_out)]
    known = {index: {row[index] for row in table.rows if isinstance(row[index], str)} for index in held}
    heads = tuple([_make_head(table.columns[index], known[index]) for index in held])
    rows = tuple(
        [tuple([_make_cell(table.columns[index], row[index], mark) for index in held]) for row in table.rows]
    )
    return Grid(id=identifier, title=table.title, heads=heads, rows=rows, empty=table.empty, sortable=True)


def _make_head(column: Column, values: set[str]) -> Head:
    suffix = next((each for each in _UNITS if column.name.endswith(each)), "")
    unit = column.unit or _UNITS.get(suffix, "")
    text = column.title or column.name.removesuffix(suffix).replace("_", " ")
    return Head(
        text[:1].upper() + text[1:],
        unit if unit != column.title else "",
        column.meaning,
        column.kind in NUMERIC,
        column.priority is None,
        column.kind in (TEXT, NAME) and 1 < len(values) <= _MOST_CHOICES,
    )


def _make_cell(column: Column, value: Any, mark: Mark) -> Cell:
    order = value if column.kind in NUMERIC and isinstance(value, (int, float)) else None
    return Cell(column.write(value), order, mark(column.name, value))
