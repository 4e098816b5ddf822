"""What the submissions set, side by side, with what the rules fix; differences are marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.analyses import HYPERPARAMETERS, analyze_runs
from mlperf_logging.reports._escape import crop
from mlperf_logging.reports._lines import count_of
from mlperf_logging.reports.html.charting import split_benchmarks
from mlperf_logging.reports.html.grids import MOST_ROWS
from mlperf_logging.reports.html.material import Page
from mlperf_logging.reports.html.model import Cell, Grid, Head, Section

if TYPE_CHECKING:
    import pandas as pd

_LONGEST_VALUE = 120
_MOST_GROUPS = 60
_ABOUT = (
    Head("Key", "", "the log key"),
    Head("Freedom", "", "what the rules leave open", choices=True),
    Head("Rule", "", "what the rules require of the value", kind="prose"),
    Head("Differs", "", "whether the submissions log different values", choices=True),
)


@dataclass(frozen=True)
class Hyperparameters:
    """What the submissions set.

    Attributes:
        grids: one table per benchmark: a row per key, a column per submission.
        notes: lines on what is left out.
    """

    grids: tuple[Grid, ...]
    notes: tuple[str, ...]


def make_hyperparameters(page: Page) -> Section | None:
    """The section; None where no log holds a hyperparameter."""
    made = analyze_runs(page.tables, [HYPERPARAMETERS], rules=page.material.rules)[HYPERPARAMETERS]
    if made.empty:
        return None
    groups, left_out = split_benchmarks(made)
    grids = [_pivot(f"hyperparameters-{number}", name, rows) for number, (name, rows) in enumerate(groups, 1)]
    return Section("hyperparameters", "Hyperparameters", Hyperparameters(tuple(grids), tuple(left_out)))


def _pivot(identifier: str, benchmark: str, rows: pd.DataFrame) -> Grid:
    """A row per key, those that differ first; a value is marked where it breaks a rule, or differs from the most frequent."""
    groups: dict[tuple[str, str], int] = {}
    keys: dict[str, dict[tuple[str, str], Any]] = {}
    for row in rows.itertuples(index=False):
        group = (_text(row.submitter), _text(row.system))
        groups.setdefault(group, len(groups))
        keys.setdefault(str(row.key), {})[group] = row
    shown = list(groups)[:_MOST_GROUPS]
    heads = (
        *_ABOUT,
        *[Head(" ".join(filter(None, group)) or "all runs", "", "as logged") for group in shown],
    )
    notes = []
    if len(groups) > len(shown):
        notes.append(f"… and {count_of(len(groups) - len(shown), 'more system')}")
    if len(keys) > MOST_ROWS:
        notes.append(f"… and {count_of(len(keys) - MOST_ROWS, 'more key')}")
    return Grid(
        id=identifier,
        title=benchmark,
        heads=heads,
        rows=tuple([_make_row(key, found, shown) for key, found in list(keys.items())[:MOST_ROWS]]),
        notes=tuple(notes),
        sortable=True,
    )


def _make_row(key: str, found: dict[tuple[str, str], Any], shown: list[tuple[str, str]]) -> tuple[Cell, ...]:
    first = next(iter(found.values()))
    values = [_text(row.value) for row in found.values()]
    usual = max(dict.fromkeys(values), key=values.count)
    differs = bool(first.differs)
    cells = []
    for group in shown:
        row = found.get(group)
        value = "" if row is None else _text(row.value)
        mark = ""
        if row is not None and bool(row.breaks_rule):
            mark = "bad"
        elif differs and value != usual:
            mark = "note"
        cells.append(Cell(crop(value, _LONGEST_VALUE) or "not logged", None, mark))
    return (
        Cell(key),
        Cell(_text(first.freedom)),
        Cell(_text(first.rule)),
        Cell("differs" if differs else "same"),
        *cells,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
