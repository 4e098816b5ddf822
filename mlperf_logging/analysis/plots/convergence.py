"""Convergence curves: quality against epochs, samples or minutes, with the target and the reference's band."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlperf_logging.analysis.grouping import require_columns
from mlperf_logging.analysis.plots.curves import (
    MOST_SINGLE_RUNS,
    ConvergenceStyle,
    choose_curve_looks,
    choose_rows,
    draw_curves,
    label_axes,
    name_curves,
    set_limits,
)
from mlperf_logging.analysis.plots.looks import PLAIN, LineEnd, Look, label_lines, put_legend

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from mlperf_logging.analysis.references import ReferenceRange

_TARGET = Look("black", (0, (6, 3)), "")


def draw_convergence(
    axes: Axes,
    evaluations: pd.DataFrame,
    style: ConvergenceStyle | None = None,
    *,
    reference: ReferenceRange | None = None,
) -> Axes:
    """Draw the runs' curves as `draw_curves` does; a hollow marker shows each run's first evaluation that meets the target.

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
    require_columns(evaluations, ["meets_target", "target_value", "target_direction"])
    rows = choose_rows(evaluations, chosen, "quality")
    names = name_curves(rows, chosen.by)
    looks = choose_curve_looks(names)
    ends = draw_curves(axes, rows, chosen.x, "quality", names, looks)
    met = rows[rows["meets_target"].fillna(value=False).astype(bool)].sort_values([chosen.x, "evaluation"])
    size = 7.0 if len(names) <= MOST_SINGLE_RUNS else 5.0
    for path, first in met.drop_duplicates("path").set_index("path").iterrows():
        look = looks[names[str(path)]]
        _mark(axes, [float(first[chosen.x])], [float(first["quality"])], look, size)
    if len(met):
        _mark(axes, [], [], PLAIN, size, label="first to meet the target")
    targets = rows[["target_value", "target_direction"]].dropna().drop_duplicates()
    for value, direction in targets.itertuples(index=False):
        axes.axhline(value, color=_TARGET.color, linestyle=_TARGET.line, linewidth=1.1)
        ends.append(LineEnd(f"target: {direction} {value:g}", _TARGET, 0.0, float(value)))
    if reference is not None:
        axes.axvspan(
            reference.smallest,
            reference.mean,
            color="#009E73",
            alpha=0.15,
            hatch="///",
            linewidth=0,
            label=f"reference at batch {reference.batch_size:,.0f}: smallest accepted mean to mean",
        )
    set_limits(axes, rows, chosen.x, "quality", [float(each) for each in targets["target_value"]])
    label_axes(axes, rows, chosen)
    label_lines(axes, ends)
    put_legend(axes, below=True)
    return axes


def _mark(
    axes: Axes, x: list[float], y: list[float], look: Look, size: float, label: str | None = None
) -> None:
    """Draw hollow markers."""
    axes.plot(
        x,
        y,
        color=look.color,
        marker=look.marker or "o",
        markersize=size,
        markerfacecolor="white",
        markeredgewidth=1.3,
        linestyle="none",
        zorder=3,
        label=label,
    )
