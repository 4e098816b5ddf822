"""Convergence curves: quality against epochs, samples or minutes, with the target and the reference's band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlperf_logging.analysis.grouping import require_columns
from mlperf_logging.analysis.plots.looks import (
    LINES,
    MARKERS,
    MOST_IN_LEGEND,
    PLAIN,
    Look,
    choose_looks,
    name_groups,
    put_legend,
    shorten_name,
    tidy,
    to_label,
)
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from mlperf_logging.analysis.references import ReferenceRange

AXES = ("progress", "epochs", "samples", "minutes")
_MOST_SINGLE_RUNS = 12


@dataclass(frozen=True)
class ConvergenceStyle:
    """What is drawn.

    Attributes:
        x: "progress" (in the unit of the logs), "epochs", "samples" or "minutes".
        metric: which metric, where an evaluation gives several; None where it gives one.
        by: columns that make a group of runs, drawn alike.
    """

    x: str = "progress"
    metric: str | None = None
    by: Sequence[str] = ("submitter", "system")

    def __post_init__(self) -> None:
        """Check the axis."""
        if self.x not in AXES:
            raise UsageError(f"unknown axis {self.x!r}; choose one of {', '.join(AXES)}")


def draw_convergence(
    axes: Axes,
    evaluations: pd.DataFrame,
    style: ConvergenceStyle | None = None,
    *,
    reference: ReferenceRange | None = None,
) -> Axes:
    """Draw one curve per run. A larger marker shows the first evaluation that meets the target.

    Up to twelve runs of one system each get a line and marker of their own; more, or several systems, share that of
    their system.

    Args:
        axes: where to draw.
        evaluations: the table of evaluations of one benchmark.
        style: what is drawn; None for the defaults of `ConvergenceStyle`.
        reference: where the reference converges, in the unit of the x axis; None for nothing.

    Returns:
        The axes.

    Raises:
        UsageError: a column is missing, nothing is left to draw, or the runs count in different units.
    """
    chosen = style or ConvergenceStyle()
    require_columns(evaluations, ["path", "quality", "seed", "metric", "meets_target", chosen.x, *chosen.by])
    rows = _choose_rows(evaluations, chosen)
    runs = [(path, curve) for path, curve in rows.groupby("path", sort=False)]
    names = name_groups([[curve[name].iloc[0] for name in chosen.by] for _, curve in runs])
    if len(set(names)) == 1 and len(runs) <= _MOST_SINGLE_RUNS:
        names = _name_runs(runs)
    looks = choose_looks(names)
    if len(set(names)) == 1:
        looks = {names[0]: Look("#0072B2", LINES[0], MARKERS[0])}
    is_many = len(looks) > MOST_IN_LEGEND
    counts = {name: names.count(name) for name in looks}
    seen: set[str] = set()
    for (_, curve), name in zip(runs, names, strict=True):
        look = PLAIN if is_many else looks[name]
        label = None if name in seen or is_many else _describe_group(name, counts[name])
        seen.add(name)
        _draw_curve(axes, curve, chosen.x, look, label, alpha=0.85 if len(runs) <= _MOST_SINGLE_RUNS else 0.5)
    if is_many:
        axes.plot([], [], color=PLAIN.color, label=f"{len(runs)} runs of {len(looks)} systems")
    if rows["meets_target"].fillna(value=False).astype(bool).any():
        axes.plot(
            [],
            [],
            color="#333333",
            marker="o",
            markersize=7,
            markerfacecolor="white",
            markeredgewidth=1.4,
            linestyle="none",
            label="first to meet the target",
        )
    _draw_target(axes, rows)
    if reference is not None:
        axes.axvspan(
            reference.smallest,
            reference.mean,
            color="#009E73",
            alpha=0.15,
            hatch="///",
            linewidth=0,
            label=f"reference at batch {reference.batch_size:,.0f}:\nsmallest accepted mean to mean",
        )
    _label(axes, rows, chosen)
    put_legend(axes)
    return axes


def _choose_rows(evaluations: pd.DataFrame, style: ConvergenceStyle) -> pd.DataFrame:
    metrics = list(evaluations["metric"].dropna().unique())
    rows = evaluations
    if style.metric is not None:
        rows = rows[rows["metric"] == style.metric]
    elif metrics:
        raise UsageError(f"the evaluations give several metrics ({', '.join(map(str, metrics))}); choose one")
    rows = rows.dropna(subset=["quality", style.x])
    if rows.empty:
        others = [name for name in AXES if evaluations[name].notna().any()]
        raise UsageError(
            f"the logs do not say {style.x}; choose another axis: {', '.join(others) or 'there is none'}"
        )
    units = rows["progress_unit"].dropna().unique()
    if style.x == "progress" and len(units) > 1:
        raise UsageError(f"the runs count progress in {' and '.join(sorted(units))}; choose another axis")
    return rows


def _name_runs(runs: Sequence[tuple[str, pd.DataFrame]]) -> list[str]:
    names = []
    for path, curve in runs:
        seed = curve["seed"].iloc[0]
        file = str(path).replace("\\", "/").rpartition("/")[2]
        shown = f" (seed {shorten_name(seed, 20)})" if isinstance(seed, str) else ""
        names.append(to_label(shorten_name(file.partition(".")[0]) + shown))
    return names


def _describe_group(name: str, count: int) -> str:
    return name if count == 1 else f"{name} ({count} runs)"


def _draw_curve(axes: Axes, curve: pd.DataFrame, x: str, look: Look, label: str | None, alpha: float) -> None:
    curve = curve.sort_values([x, "evaluation"])
    place, quality = curve[x].to_numpy(dtype=float), curve["quality"].to_numpy(dtype=float)
    every = max(1, len(curve) // 10)
    axes.plot(
        place,
        quality,
        color=look.color,
        linestyle=look.line,
        linewidth=1.2,
        alpha=alpha,
        label=label,
        marker=look.marker,
        markersize=3.5,
        markevery=every,
    )
    met = curve[curve["meets_target"].fillna(value=False).astype(bool)]
    if len(met):
        axes.plot(
            [float(met[x].iloc[0])],
            [float(met["quality"].iloc[0])],
            color=look.color,
            alpha=1.0,
            marker=look.marker or "o",
            markersize=7,
            markerfacecolor="white",
            markeredgewidth=1.4,
            linestyle="none",
            zorder=3,
        )


def _draw_target(axes: Axes, rows: pd.DataFrame) -> None:
    targets = rows[["target_value", "target_direction"]].dropna().drop_duplicates()
    for value, direction in targets.itertuples(index=False):
        axes.axhline(
            value, color="black", linestyle=(0, (6, 3)), linewidth=1.1, label=f"target: {direction} {value:g}"
        )


def _label(axes: Axes, rows: pd.DataFrame, style: ConvergenceStyle) -> None:
    from matplotlib.ticker import EngFormatter

    unit = style.x
    if style.x == "progress":
        found = rows["progress_unit"].dropna().unique()
        unit = str(found[0]) if len(found) else "progress"
    names = {"minutes": "time since run_start (minutes)", "epochs": "epochs"}
    axes.set_xlabel(names.get(unit, f"{unit} trained on"))
    if unit in {"samples", "tokens", "steps"}:
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set_ylabel(
        f"{to_label(style.metric)}, as logged" if style.metric is not None else "quality, as logged"
    )
    tidy(axes)
