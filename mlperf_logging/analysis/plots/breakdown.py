"""Where the time of runs goes: one bar per run, initialization to the left of the clock's start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlperf_logging.analysis.pictures.breakdown import BEFORE, PARTS, X_TITLE, prepare_breakdown
from mlperf_logging.analysis.plots.looks import label_rows, put_legend_above, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_FILLS = {
    "train_minutes": ("#0072B2", ""),
    "eval_minutes": ("#E69F00", "////"),
    "idle_minutes": ("#999999", "xxxx"),
}
"""Color and hatch of each part."""


def draw_breakdown(
    axes: Axes, runs: pd.DataFrame, *, by: Sequence[str] = ("submitter", "system", "path")
) -> Axes:
    """Draw one bar per run: training, evaluation and the rest from 0 on, initialization to the left of it."""
    prepared = prepare_breakdown(runs, by=by)
    places = range(len(prepared.names))
    column, label = BEFORE
    before = prepared.minutes[column].to_numpy(dtype=float)
    if before.any():
        axes.barh(
            places,
            -before,
            height=0.72,
            label=label,
            color="#FFFFFF",
            hatch="....",
            edgecolor="#555555",
            linewidth=0.6,
        )
    left = before * 0.0
    for column, label in PARTS.items():
        color, hatch = _FILLS[column]
        width = prepared.minutes[column].to_numpy(dtype=float)
        axes.barh(
            places,
            width,
            left=left,
            height=0.72,
            label=label,
            color=color,
            hatch=hatch,
            edgecolor="black",
            linewidth=0.4,
        )
        left = left + width
    axes.set_xlim(-1.04 * before.max() - 0.01 * left.max(), 1.02 * left.max())
    axes.axvline(0.0, color="black", linewidth=0.9)
    label_rows(axes, prepared.names)
    axes.set_xlabel(X_TITLE)
    put_legend_above(axes)
    tidy(axes, grid="x")
    return axes
