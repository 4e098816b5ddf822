"""Where the time of runs goes: one bar per run, initialization to the left of the clock's start."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlperf_logging.analysis.grouping import require_columns
from mlperf_logging.analysis.pictures.names import name_groups
from mlperf_logging.analysis.plots.looks import label_rows, tidy
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

PARTS = {
    "train_minutes": ("training", "#0072B2", ""),
    "eval_minutes": ("evaluation", "#E69F00", "////"),
    "idle_minutes": ("neither of the two", "#999999", "xxxx"),
}
"""Columns that are drawn from the clock's start on: name in the legend, color, hatch."""

BEFORE = ("init_minutes", "initialization, not timed", "#FFFFFF", "....")


def draw_breakdown(
    axes: Axes, runs: pd.DataFrame, *, by: Sequence[str] = ("submitter", "system", "path")
) -> Axes:
    """Draw one bar per run: training, evaluation and the rest from 0 on, initialization to the left of it."""
    require_columns(runs, [*by, *PARTS, BEFORE[0]])
    parts = runs[[BEFORE[0], *PARTS]]
    is_finite = ~parts.isin([math.inf, -math.inf]).any(axis=1)
    known = runs[is_finite & parts[list(PARTS)].notna().any(axis=1)]
    if known.empty:
        raise UsageError("no run shows where its time went: none logs run_start and run_stop")
    places = range(len(known))
    before = known[BEFORE[0]].fillna(0.0).to_numpy(dtype=float)
    if before.any():
        axes.barh(
            places,
            -before,
            height=0.72,
            label=BEFORE[1],
            color=BEFORE[2],
            hatch=BEFORE[3],
            edgecolor="#555555",
            linewidth=0.6,
        )
    left = known["train_minutes"].to_numpy(dtype=float) * 0.0
    left[left != left] = 0.0  # noqa: PLR0124 - NaN alone differs from itself
    for column, (label, color, hatch) in PARTS.items():
        width = known[column].fillna(0.0).to_numpy(dtype=float)
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
    label_rows(axes, _name_rows(known, by))
    axes.set_xlabel("time since run_start (minutes)")
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=4,
        frameon=False,
        fontsize="small",
        borderaxespad=0.2,
    )
    tidy(axes, grid="x")
    return axes


def _name_rows(runs: pd.DataFrame, by: Sequence[str]) -> list[str]:
    parts = []
    for _, row in runs.iterrows():
        found = [row[name] for name in by]
        if "path" in by:
            place = list(by).index("path")
            file = str(found[place]).replace("\\", "/").rpartition("/")[2]
            found[place] = file.partition(".")[0]
        parts.append(found)
    return name_groups(parts)
