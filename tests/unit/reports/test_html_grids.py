"""Tables of other commands as tables of the page."""

from __future__ import annotations

import pytest

from mlperf_logging.reports.html import grids
from mlperf_logging.reports.html.grids import make_grid
from mlperf_logging.reports.html.model import Cell
from mlperf_logging.tables import NAME, NOTES, NUMBER, TEXT, Column, Table, make_table

COLUMNS = (
    Column("system", NAME, "the system", priority=0),
    Column("ruleset", TEXT, "the round", priority=5, said_once=True),
    Column("run_minutes", NUMBER, "the time", "minutes", format=",.2f", priority=0, missing="none"),
    Column("init_minutes", NUMBER, "before the clock starts"),
    Column("energy_kj", NUMBER, "energy", "energy", unit="kJ", priority=1),
    Column("notes", NOTES, "what to know", priority=1),
)


def make_rows(*rows: tuple[object, ...]) -> Table:
    """A table of rows."""
    return make_table(
        "runs", COLUMNS, [dict(zip([each.name for each in COLUMNS], row, strict=False)) for row in rows]
    )


def test_heads_have_names_for_people_and_units() -> None:
    """A head is the title or the name without the unit, which stands beside it."""
    grid = make_grid(make_rows(("a", "r", 1.0, 2.0, 3.0)), "id")

    assert [(head.text, head.unit) for head in grid.heads] == [
        ("System", ""),
        ("Ruleset", ""),
        ("Time", "min"),
        ("Init", "min"),
        ("Energy", "kJ"),
        ("Notes", ""),
    ]
    assert [head.kind for head in grid.heads] == ["", "", "number", "number", "number", "prose"]


def test_columns_that_say_nothing_are_hidden_at_first() -> None:
    """Columns for programs, empty columns and those whose value all rows share are there, but hidden; the latter is said once."""
    grid = make_grid(make_rows(("a", "r", 1.0, 2.0), ("b", "r", 2.0, 3.0)), "id")

    assert [head.text for head in grid.heads if head.hidden] == ["Ruleset", "Init", "Energy", "Notes"]
    assert grid.notes == ("In all rows: ruleset: r",)


def test_cells_sort_by_their_numbers() -> None:
    """A number is shown as people read it and sorted by its value; what is missing sorts as text."""
    grid = make_grid(
        make_rows(("a", "r", 1234.5), ("b", "r", None)),
        "id",
        mark=lambda name, value: "bad" * (value is None),
    )

    assert [row[2] for row in grid.rows] == [Cell("1,234.50", 1234.5), Cell("none", None, "bad")]


def test_lists_of_values_are_for_columns_with_few() -> None:
    """A reader may filter by a value of a column where several rows have it, not where each has its own."""
    few = make_grid(make_rows(*[(f"system {number % 2}",) for number in range(6)]), "id")
    many = make_grid(make_rows(*[(f"system {number}",) for number in range(6)]), "id")

    assert [few.heads[0].choices, many.heads[0].choices] == [True, False]


def test_rows_are_limited_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows beyond the most that a table has are counted below it."""
    monkeypatch.setattr(grids, "MOST_ROWS", 2)
    grid = make_grid(make_rows(("a",), ("b",), ("c",)), "id")

    assert (len(grid.rows), grid.notes) == (2, ("… and 1 more row",))
