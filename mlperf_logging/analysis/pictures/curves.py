"""Curves of many runs, before they are drawn: which points, under which names, between which limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlperf_logging.analysis.curves import MOST_SHOWN, Limits, find_limits
from mlperf_logging.analysis.grouping import require_columns
from mlperf_logging.analysis.pictures.names import name_groups, name_run
from mlperf_logging.errors import UsageError
from mlperf_logging.markup import to_printable

if TYPE_CHECKING:
    import pandas as pd

AXES = ("progress", "epochs", "samples", "minutes")

MOST_SINGLE_RUNS = 12
"""So many runs of one system have a name each."""

MOST_SYSTEMS_BY_RUN = 8
"""Of more systems than these, the mean of each is drawn."""

MOST_NAMED = 24
"""Of more systems than these, one mean of all is drawn."""

_MARGIN = 0.06


@dataclass(frozen=True)
class ConvergenceStyle:
    """What is drawn.

    Attributes:
        x: "progress" (in the unit of the logs), "epochs", "samples" or "minutes".
        metric: which metric, where there are several; None where there is one without a name.
        by: columns that make a group of runs, drawn alike.
    """

    x: str = "progress"
    metric: str | None = None
    by: Sequence[str] = ("submitter", "system")

    def __post_init__(self) -> None:
        """Check the axis."""
        if self.x not in AXES:
            raise UsageError(f"unknown axis {self.x!r}; choose one of {', '.join(AXES)}")


@dataclass(frozen=True)
class Curves:
    """The curves of one picture.

    Attributes:
        rows: one row per point, those that no axis can show included.
        x: column of places.
        value: column of values.
        unit: what the places count: "epochs", "samples", "tokens", "steps" or "minutes".
        x_title: title of the horizontal axis.
        value_title: title of the vertical axis.
        names: the name of each run's curve, by its path.
        limits: the smallest and largest value that the vertical axis shows, and how many values lie outside.
        reach: places that the horizontal axis shows in any case, such as where the reference converges.
    """

    rows: pd.DataFrame
    x: str
    value: str
    unit: str
    x_title: str
    value_title: str
    names: Mapping[str, str]
    limits: Limits
    reach: tuple[float, ...] = ()

    @property
    def systems(self) -> list[str]:
        """The names of the curves, in the order of the legend."""
        return list(dict.fromkeys(self.names.values()))

    @property
    def description(self) -> str:
        """The curves in words."""
        runs, systems = len(self.names), len(self.systems)
        whose = f" of {systems:,} systems" if 1 < systems < runs else ""
        return f"Curves of {runs:,} run{'s' * (runs != 1)}{whose}: {self.value_title}, over {self.x_title}."

    @property
    def shown(self) -> pd.DataFrame:
        """The rows that an axis can show."""
        return self.rows[self.rows[self.value].abs() <= MOST_SHOWN]

    @property
    def below(self) -> pd.DataFrame:
        """The rows below the vertical axis."""
        return self.rows[self.rows[self.value] < self.limits.low]

    @property
    def above(self) -> pd.DataFrame:
        """The rows above the vertical axis."""
        return self.rows[self.rows[self.value] > self.limits.high]

    @property
    def ends(self) -> tuple[float, float]:
        """Where the vertical axis begins and ends, with some room around the curves."""
        low, high, _ = self.limits
        room = _MARGIN * (high - low or abs(high) or 1.0)
        return low - room, high + room

    @property
    def outside(self) -> str | None:
        """A sentence on the values outside the vertical axis, None where there are none."""
        count = self.limits.outside
        if not count:
            return None
        values = self.rows[self.value]
        far = values[(values < self.limits.low) | (values > self.limits.high)]
        shown = " to ".join(dict.fromkeys(f"{each:.4g}" for each in (far.min(), far.max())))
        verb = "lies" if count == 1 else "lie"
        return f"{count:,} of {len(values):,} values {verb} outside ({shown})"


def prepare_curves(
    table: pd.DataFrame, style: ConvergenceStyle, value: str, wanted: Sequence[float] = ()
) -> Curves:
    """The curves of one metric.

    Args:
        table: evaluations or series.
        style: what is drawn.
        value: column of values.
        wanted: values that the vertical axis shows in any case, such as a target.

    Raises:
        UsageError: a column is missing, nothing is left to draw, or the runs count in different units.
    """
    rows = _choose_rows(table, style, value)
    unit = style.x
    if style.x == "progress":
        found = rows["progress_unit"].dropna().unique()
        unit = str(found[0]) if len(found) else "progress"
    titles = {"minutes": "time since run_start (minutes)", "epochs": "epochs"}
    keys = " or ".join(map(str, rows["key"].dropna().unique()))
    return Curves(
        rows,
        style.x,
        value,
        unit,
        titles.get(unit, f"{unit} trained on"),
        to_printable(f"{style.metric or keys or 'quality'}, as logged"),
        _name_curves(rows, style.by),
        find_limits(rows[value], wanted),
    )


def _choose_rows(table: pd.DataFrame, style: ConvergenceStyle, value: str) -> pd.DataFrame:
    """The rows of one metric that have a place on the axis."""
    require_columns(table, ["path", value, "seed", "metric", "key", style.x, *style.by])
    metrics = list(table["metric"].dropna().unique())
    rows = table
    if style.metric is not None:
        rows = rows[rows["metric"] == style.metric]
    elif metrics:
        raise UsageError(f"the logs give several metrics ({', '.join(map(str, metrics))}); choose one")
    rows = rows.dropna(subset=[value, style.x])
    rows = rows[rows[style.x].abs() <= MOST_SHOWN]
    if rows.empty:
        others = [name for name in AXES if table[name].notna().any()]
        raise UsageError(
            f"the logs do not say {style.x}; choose another axis: {', '.join(others) or 'there is none'}"
        )
    if not (rows[value].abs() <= MOST_SHOWN).any():
        raise UsageError(f"no value can be drawn: all are beyond ± {MOST_SHOWN:g}")
    units = rows["progress_unit"].dropna().unique()
    if style.x == "progress" and len(units) > 1:
        raise UsageError(f"the runs count progress in {' and '.join(sorted(units))}; choose another axis")
    return rows


def _name_curves(rows: pd.DataFrame, by: Sequence[str]) -> dict[str, str]:
    """The name of each run's curve, by its path: that of its group, or of the run where a dozen runs are all there is."""
    firsts = rows.drop_duplicates("path")
    names = name_groups(firsts[list(by)].to_numpy().tolist()) if by else ["runs"] * len(firsts)
    if len(set(names)) == 1 and len(firsts) <= MOST_SINGLE_RUNS:
        names = [name_run(path, seed) for path, seed in zip(firsts["path"], firsts["seed"], strict=True)]
    return dict(zip(firsts["path"], names, strict=True))


def list_metrics(evaluations: pd.DataFrame, x: str) -> list[str | None]:
    """The metrics that can be drawn (None: of values without a name), or all where none can; first those of most logs."""
    shown = (evaluations["quality"].abs() <= MOST_SHOWN) & (evaluations[x].abs() <= MOST_SHOWN)
    rows = evaluations[shown] if shown.any() else evaluations
    counts = rows.groupby("metric", dropna=False, sort=False)["path"].nunique()
    names = counts.sort_values(ascending=False, kind="stable").index
    return [name if isinstance(name, str) else None for name in names]
