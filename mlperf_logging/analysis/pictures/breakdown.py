"""Where the time of runs goes, before it is drawn: one row of parts for each run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.grouping import require_columns
from mlperf_logging.analysis.pictures.names import name_groups
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

PARTS = {"train_minutes": "training", "eval_minutes": "evaluation", "idle_minutes": "neither of the two"}
"""Columns that are drawn from the clock's start on, and their names for people."""

BEFORE = ("init_minutes", "initialization, not timed")
"""The column that is drawn to the left of the clock's start, and its name for people."""

X_TITLE = "time since run_start (minutes)"


@dataclass(frozen=True)
class TimeRows:
    """Where the time of runs goes.

    Attributes:
        names: of the rows, first on top.
        minutes: a row for each, with the columns of `PARTS` and `BEFORE`; 0 where the log does not say.
        note: what a reader must know of the rows; empty for nothing.
    """

    names: list[str]
    minutes: pd.DataFrame
    note: str = ""


def prepare_breakdown(
    runs: pd.DataFrame, *, by: Sequence[str] = ("submitter", "system", "path"), most_rows: int | None = None
) -> TimeRows:
    """Where the time of each run goes.

    Args:
        runs: one row per run.
        by: columns that name a run.
        most_rows: if there are more runs, a row is the mean of those that agree in the columns of `by` other than the path.

    Raises:
        UsageError: a column is missing, or no run shows where its time went.
    """
    columns = [BEFORE[0], *PARTS]
    require_columns(runs, [*by, *columns])
    parts = runs[columns]
    is_finite = ~parts.isin([math.inf, -math.inf]).any(axis=1)
    known = runs[is_finite & parts[list(PARTS)].notna().any(axis=1)]
    if known.empty:
        raise UsageError("no run shows where its time went: none logs run_start and run_stop")
    if most_rows is None or len(known) <= most_rows:
        return TimeRows(_name_rows(known, by), known[columns].fillna(0.0).reset_index(drop=True))
    shared = [name for name in by if name != "path"]
    filled = known.assign(**{name: known[name].fillna(0.0) for name in columns})
    groups = list(filled.groupby(shared, dropna=False, sort=False)) if shared else [((), filled)]
    means = [group[columns].mean() for _, group in groups]
    names = name_groups([list(values) for values, _ in groups]) if shared else ["all"]
    import pandas as pd

    return TimeRows(
        [f"{name} ({len(group)})" for name, (_, group) in zip(names, groups, strict=True)],
        pd.DataFrame(means).reset_index(drop=True),
        "each bar is the mean of the runs of a system; their number is in brackets",
    )


def _name_rows(runs: pd.DataFrame, by: Sequence[str]) -> list[str]:
    parts: list[list[Any]] = []
    for _, row in runs.iterrows():
        found = [row[name] for name in by]
        if "path" in by:
            place = list(by).index("path")
            file = str(found[place]).replace("\\", "/").rpartition("/")[2]
            found[place] = file.partition(".")[0]
        parts.append(found)
    return name_groups(parts)
