"""Tables of the other commands as tables of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from mlperf_logging.reports._lines import count_of
from mlperf_logging.reports.html.model import Cell, Grid, Head
from mlperf_logging.tables import NAME, NOTES, NUMERIC, PROSE, TEXT, Column, Table

Mark = Callable[[str, Any], str]
"""Name of a column and value to the mark of a cell."""

MOST_ROWS = 5_000
"""Rows of one table at most; the others are counted."""

_UNITS = {"_minutes": "min", "_seconds": "s", "_kj": "kJ", "_per_second": "per s", "_per_minute": "per min"}
_MOST_CHOICES = 60
_ORDER_FIGURES = 9


def mark_nothing(name: str, value: Any) -> str:
    """No mark."""
    del name, value
    return ""


def make_grid(
    table: Table,
    identifier: str,
    *,
    mark: Mark = mark_nothing,
    only: Iterable[str] | None = None,
    title: str | None = None,
    looks: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    shown: Iterable[str] = (),
    hidden: Iterable[str] = (),
) -> Grid:
    """A table that the reader may sort, filter and choose columns of.

    Columns for programs only are hidden at first, and so are those that are empty. What all rows share stands below.

    Args:
        table: the table.
        identifier: its id in the page.
        mark: gives the marks of cells.
        only: the columns that the page has; None for all.
        title: what stands above it; None for the table's own title.
        looks: attributes of columns by name, where they are not those of the table.
        shown: columns for programs that are shown all the same.
        hidden: others that are hidden at first.
    """
    columns = [replace(column, **looks.get(column.name, {})) for column in table.columns]
    kept, wanted, unwanted = None if only is None else set(only), set(shown), set(hidden)
    held = [index for index, column in enumerate(columns) if kept is None or column.name in kept]
    heads, shared = [], []
    for index in held:
        column, values = columns[index], [row[index] for row in table.rows]
        texts = list(dict.fromkeys(map(column.write, values)))
        is_shared = column.said_once and len(texts) == 1 and len(values) > 1 and texts[0] != ""
        if is_shared:
            shared.append(f"{name_column(column).lower()}: {texts[0]}")
        is_meant = (column.priority is not None and column.name not in unwanted) or column.name in wanted
        is_hidden = not is_meant or is_shared or not any(texts)
        has_choices = column.kind in (TEXT, NAME) and 1 < len(texts) <= min(_MOST_CHOICES, len(values) / 2)
        heads.append(_make_head(column, hidden=is_hidden, choices=has_choices and not is_hidden))
    rows = [
        tuple([_make_cell(columns[index], row[index], mark) for index in held])
        for row in table.rows[:MOST_ROWS]
    ]
    notes = [f"In all rows: {', '.join(shared)}"] if shared else []
    if len(table.rows) > MOST_ROWS:
        notes.append(f"… and {count_of(len(table.rows) - MOST_ROWS, 'more row')}")
    return Grid(
        id=identifier,
        title=capitalize(table.title if title is None else title),
        heads=tuple(heads),
        rows=tuple(rows),
        notes=(*notes, *map(_write_note, table.footnotes)),
        empty=table.empty,
        sortable=True,
    )


def name_column(column: Column) -> str:
    """The name of a column for people, without its unit."""
    return capitalize(column.title or column.name.removesuffix(_find_suffix(column)).replace("_", " "))


def capitalize(text: str) -> str:
    """A text with a large first letter, as headings have it."""
    return text[:1].upper() + text[1:]


def _find_suffix(column: Column) -> str:
    return next((each for each in _UNITS if column.name.endswith(each)), "")


def _make_head(column: Column, *, hidden: bool, choices: bool) -> Head:
    unit = column.unit or _UNITS.get(_find_suffix(column), "")
    name = name_column(column)
    if name == "Minutes":  # a title for terminals, where the unit is the name
        name = "Time"
    return Head(
        name,
        unit,
        column.meaning,
        kind="number" if column.kind in NUMERIC else "prose" if column.kind in (NOTES, PROSE) else "",
        hidden=hidden,
        choices=choices,
    )


def _make_cell(column: Column, value: Any, mark: Mark) -> Cell:
    is_number = column.kind in NUMERIC and isinstance(value, (int, float)) and not isinstance(value, bool)
    return Cell(column.write(value), _shorten(value) if is_number else None, mark(column.name, value))


def _shorten(number: float) -> float:
    """A number with as many figures as its place in a column needs: each digit is in the page once per cell."""
    return float(f"{number:.{_ORDER_FIGURES}g}") if isinstance(number, float) else number


def _write_note(note: str | tuple[str, str]) -> str:
    return note if isinstance(note, str) else f"{note[0]}: {note[1]}"
