"""What a command answers, as values: documents of tables, before a format gives them a look."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlperf_logging.frames import DataFrame

TEXT, NAME, PROSE, NOTES = "text", "name", "prose", "notes"
NUMBER, COUNT, FLAG = "number", "count", "flag"
NUMERIC = (NUMBER, COUNT)


@dataclass(frozen=True)
class Column:
    """One column of a table. Values are texts, numbers, truth values, tuples of texts, or None for what is not known.

    Attributes:
        name: its name for programs.
        kind: "text" (words that stay whole), "name" (may be shortened in its middle), "prose" (wraps between
            words), "notes" (sentences that go below the table), "number", "count" or "flag".
        meaning: what it contains.
        title: its head for people; the name where empty.
        unit: of its numbers, for people.
        format: how people read a value: a format specification such as ",.3f", or a function to text; four figures
            for numbers where empty.
        priority: 0 is always shown to people; on a narrow terminal the highest is hidden first; None is for programs only.
        said_once: a value that all rows share is shown above the table, not in each row.
        missing: what people read where the value is None.
    """

    name: str
    kind: str = TEXT
    meaning: str = ""
    title: str = ""
    unit: str = ""
    format: str | Callable[[Any], str] = ""
    priority: int | None = None
    said_once: bool = False
    missing: str = ""

    @property
    def align(self) -> str:
        """Numbers are right-aligned, everything else left-aligned."""
        return "right" if self.kind in NUMERIC else "left"

    def write(self, value: Any) -> str:
        """A value as people read it."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return self.missing
        if callable(self.format):
            return self.format(value)
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, (int, float)):
            return format(value, self.format) if self.format else show_number(value)
        return "; ".join(value) if isinstance(value, tuple) else str(value)


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under columns.

    Attributes:
        name: its name for programs: a sheet, a heading.
        columns: the columns, in order.
        rows: one value for each column.
        title: a line above it for people.
        footnotes: lines below it for people; a pair is a fact's name and the fact.
        empty: what people read where there is no row.
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    title: str = ""
    footnotes: tuple[str | tuple[str, str], ...] = ()
    empty: str = ""

    def records(self) -> list[dict[str, Any]]:
        """The rows as objects for JSON, from column name to value."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def to_frame(self) -> DataFrame:
        """The rows as a table of pandas, under the columns' names for programs.

        Raises:
            UsageError: pandas is not installed.
        """
        from mlperf_logging.frames import make_frame

        return make_frame({column.name: column.kind for column in self.columns}, self.rows)

    def _repr_html_(self) -> str:
        """The table for notebooks: the columns that people see, its first rows, and its footnotes."""
        from mlperf_logging.markup import write_grid, write_title

        places = [place for place, column in enumerate(self.columns) if column.priority is not None]
        shown = [self.columns[place] for place in places]
        rows = [
            [column.write(row[place]) for place, column in zip(places, shown, strict=True)]
            for row in self.rows
        ]
        heads = [f"{each.title or each.name}{f' ({each.unit})' if each.unit else ''}" for each in shown]
        numeric = [place for place, column in enumerate(shown) if column.align == "right"]
        notes = [note if isinstance(note, str) else ": ".join(note) for note in self.footnotes]
        title = write_title(self.title or self.name)
        return title + write_grid(
            heads, rows, numeric, notes if self.rows else [self.empty or "no rows", *notes]
        )


@dataclass(frozen=True, kw_only=True)
class Document:
    """What one call of a command answers.

    Attributes:
        schema: name and number of its JSON form.
        tables: what it shows, in order.
        fields: the fields of its JSON form.
        notes: lines below all tables for people.
    """

    schema: str
    tables: tuple[Table, ...]
    fields: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def make_table(
    name: str, columns: Iterable[Column], records: Iterable[Mapping[str, Any]], **more: Any
) -> Table:
    """A table of records, from column name to value; what is left out is not known. `more` goes to `Table`."""
    held = tuple(columns)
    rows = tuple([tuple([record.get(column.name) for column in held]) for record in records])
    return Table(name=name, columns=held, rows=rows, **more)


def pick(value: object, *names: str) -> dict[str, Any]:
    """Attributes of an object by name, as part of a record; None for each where there is no object."""
    return {name: getattr(value, name) if value is not None else None for name in names}


def show_number(value: float | None, digits: int = 4) -> str:
    """A number for people: four figures, thousands apart, nothing if it is not known."""
    if value is None or not math.isfinite(value):
        return ""
    if float(value).is_integer():
        return f"{int(value):,}"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    if places <= 0:
        return f"{round(value):,}"
    return f"{value:,.{min(places, 6)}f}"


def show_nonzero(value: float) -> str:
    """A count for people: nothing if there is none."""
    return show_number(value) if value else ""
