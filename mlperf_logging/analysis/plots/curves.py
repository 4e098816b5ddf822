"""Curves of many runs: a line for each, or beyond eight systems a mean and a band for each, named where they end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlperf_logging.analysis.curves import MOST_SHOWN, average_curves, find_limits
from mlperf_logging.analysis.grouping import require_columns
from mlperf_logging.analysis.plots.looks import (
    LINES,
    MARKERS,
    MOST_IN_LEGEND,
    PLAIN,
    LineEnd,
    Look,
    choose_looks,
    name_groups,
    shorten_name,
    tidy,
    to_label,
)
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

AXES = ("progress", "epochs", "samples", "minutes")
MOST_SINGLE_RUNS = 12
_MOST_SYSTEMS_BY_RUN = 8
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


def choose_rows(table: pd.DataFrame, style: ConvergenceStyle, value: str) -> pd.DataFrame:
    """The rows of one metric that have a place on the axis; `UsageError` where there are none, or several metrics."""
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


def name_curves(rows: pd.DataFrame, by: Sequence[str]) -> dict[str, str]:
    """The name of each run's curve, by its path: that of its group, or of the run where a dozen runs are all there is."""
    firsts = rows.drop_duplicates("path")
    names = name_groups(firsts[list(by)].to_numpy().tolist()) if by else ["runs"] * len(firsts)
    if len(set(names)) == 1 and len(firsts) <= MOST_SINGLE_RUNS:
        names = [_name_run(path, seed) for path, seed in zip(firsts["path"], firsts["seed"], strict=True)]
    return dict(zip(firsts["path"], names, strict=True))


def choose_curve_looks(names: dict[str, str]) -> dict[str, Look]:
    """A look for each name; one for all of more than two dozen."""
    looks = choose_looks(names.values())
    if len(looks) == 1:
        return dict.fromkeys(looks, Look("#0072B2", LINES[0], MARKERS[0]))
    return dict.fromkeys(looks, PLAIN) if len(looks) > MOST_IN_LEGEND else looks


def draw_curves(
    axes: Axes, rows: pd.DataFrame, x: str, value: str, names: dict[str, str], looks: dict[str, Look]
) -> list[LineEnd]:
    """Draw the runs' curves, and give the ends of those that have a name, see `label_lines`.

    Up to eight systems, each run is a line. Of more, each system is the mean of its runs, as far as half of them go,
    and the band of their middle four fifths; more than two dozen are thin lines without a name, with one mean and band
    of them all.
    """
    rows = rows[rows[value].abs() <= MOST_SHOWN]
    runs = list(rows.groupby("path", sort=False))
    groups = rows.groupby(rows["path"].map(names), sort=False)
    alpha = 0.85 if len(runs) <= MOST_SINGLE_RUNS else 0.5
    if len(looks) > MOST_IN_LEGEND:
        for _, curve in runs:
            _draw_line(axes, curve, x, value, PLAIN, alpha=0.3)
        label = f"{len(runs)} runs of {len(looks)} systems"
        axes.plot([], [], color=PLAIN.color, linewidth=0.8, label=label)
        look = Look("#0072B2", LINES[0], "")
        return [_draw_band(axes, average_curves(rows, x, value), x, look, "mean of all")]
    ends = []
    for name, curves in groups:
        count = curves["path"].nunique()
        look, text = looks[str(name)], f"{name} ({count} runs)" if count > 1 else str(name)
        if len(looks) > _MOST_SYSTEMS_BY_RUN and count > 1:
            ends.append(_draw_band(axes, average_curves(curves, x, value), x, look, text))
        else:
            lines = [
                _draw_line(axes, curve, x, value, look, alpha)
                for _, curve in curves.groupby("path", sort=False)
            ]
            ends.append(LineEnd(text, look, *max(lines)))
    return ends


def set_limits(axes: Axes, rows: pd.DataFrame, x: str, value: str, wanted: Sequence[float] = ()) -> None:
    """Limit the vertical axis so that a few values far off do not flatten the curves; triangles mark where they are."""
    low, high, outside = find_limits(rows[value], wanted)
    room = _MARGIN * (high - low or abs(high) or 1.0)
    axes.set_ylim(low - room, high + room)
    if not outside:
        return
    for sign, edge, marker in ((-1, 0.015, "v"), (1, 0.985, "^")):
        beyond = rows[sign * rows[value] > sign * (low if sign < 0 else high)]
        axes.plot(
            beyond[x].to_numpy(dtype=float),
            [edge] * len(beyond),
            transform=axes.get_xaxis_transform(),
            linestyle="none",
            marker=marker,
            markersize=5,
            color="#222222",
            zorder=4,
        )
    far = rows[(rows[value] < low) | (rows[value] > high)][value]
    shown = " to ".join(dict.fromkeys(f"{each:.4g}" for each in (far.min(), far.max())))
    verb = "lies" if outside == 1 else "lie"
    axes.plot(
        [],
        [],
        linestyle="none",
        marker="v" if far.min() < low else "^",
        markersize=5,
        color="#222222",
        label=f"{outside:,} of {len(rows):,} values {verb} outside ({shown})",
    )


def label_axes(axes: Axes, rows: pd.DataFrame, style: ConvergenceStyle) -> None:
    """Write what each axis counts: progress with its unit, and the name of the metric, else its log key."""
    from matplotlib.ticker import EngFormatter

    unit = style.x
    if style.x == "progress":
        found = rows["progress_unit"].dropna().unique()
        unit = str(found[0]) if len(found) else "progress"
    names = {"minutes": "time since run_start (minutes)", "epochs": "epochs"}
    axes.set_xlabel(names.get(unit, f"{unit} trained on"))
    if unit in {"samples", "tokens", "steps"}:
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    keys = " or ".join(map(str, rows["key"].dropna().unique()))
    axes.set_ylabel(f"{to_label(style.metric or keys or 'quality')}, as logged")
    tidy(axes)


def _name_run(path: str, seed: object) -> str:
    file = str(path).replace("\\", "/").rpartition("/")[2]
    shown = f" (seed {shorten_name(seed, 20)})" if isinstance(seed, str) else ""
    return to_label(shorten_name(file.partition(".")[0]) + shown)


def _draw_line(
    axes: Axes, curve: pd.DataFrame, x: str, value: str, look: Look, alpha: float, width: float = 1.2
) -> tuple[float, float]:
    """Draw one run's curve; where it ends."""
    curve = curve.sort_values(x, kind="stable")
    place, values = curve[x].to_numpy(dtype=float), curve[value].to_numpy(dtype=float)
    axes.plot(
        place,
        values,
        color=look.color,
        linestyle=look.line,
        linewidth=width,
        alpha=alpha,
        zorder=2 + width / 4,
        marker=look.marker,
        markersize=3.5,
        markevery=max(1, len(curve) // 10),
    )
    return float(place[-1]), float(values[-1])


def _draw_band(axes: Axes, mean: pd.DataFrame, x: str, look: Look, name: str) -> LineEnd:
    """Draw the band and the mean of several runs: the mean as far as half of them go, the band as far as two do."""
    shared = mean[mean["runs"] > 1]
    axes.fill_between(
        shared[x].to_numpy(dtype=float),
        shared["low"].to_numpy(dtype=float),
        shared["high"].to_numpy(dtype=float),
        color=look.color,
        alpha=0.18,
        linewidth=0,
    )
    common = mean[mean["runs"] * 2 >= mean["runs"].max()]
    return LineEnd(name, look, *_draw_line(axes, common, x, "mean", look, alpha=0.95, width=2.2))
