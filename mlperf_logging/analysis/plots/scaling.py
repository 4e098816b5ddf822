"""Scaling: speedup over accelerators, with the ideal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlperf_logging.analysis.pictures.scaling import (
    EFFICIENCY_TITLE,
    SIZE_TITLE,
    prepare_scaling,
    starts_at_zero,
)
from mlperf_logging.analysis.plots.looks import LineEnd, choose_looks, label_lines, put_legend, thin_out, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_CLOSEST_TICKS = 1.3


def draw_scaling(
    axes: Axes,
    scaling: pd.DataFrame,
    *,
    size: str = "accelerators",
    by: Sequence[str] = ("benchmark", "submitter", "accelerator_model"),
) -> Axes:
    """Draw efficiency over the number of accelerators: the whole, and what larger batches leave of it.

    Efficiency 1 (dashed) is ideal. The solid line with its interval is what was measured; the thin dotted line is the
    part that learning leaves, so that the gap between the two is the machine's.
    """
    groups = prepare_scaling(scaling, size, by)
    looks = choose_looks([group.name for group in groups])
    axes.axhline(1.0, color="black", linestyle=(0, (6, 3)), linewidth=1.1, label="ideal")
    ends = []
    for name, rows in groups:
        look = looks[name]
        place = rows[size].to_numpy(dtype=float)
        middle = rows["efficiency"].to_numpy(dtype=float)
        below = (middle - rows["efficiency_low"].to_numpy(dtype=float)).clip(min=0.0)
        above = (rows["efficiency_high"].to_numpy(dtype=float) - middle).clip(min=0.0)
        below[below != below] = 0.0  # noqa: PLR0124 - NaN alone differs from itself
        above[above != above] = 0.0  # noqa: PLR0124
        axes.errorbar(
            place,
            middle,
            yerr=[below, above],
            color=look.color,
            linestyle=look.line,
            marker=look.marker,
            markersize=5.5,
            linewidth=1.4,
            capsize=3,
        )
        ends.append(LineEnd(name, look, float(place[-1]), float(middle[-1])))
        learning = rows["learning_efficiency"].to_numpy(dtype=float)
        axes.plot(
            place,
            learning,
            color=look.color,
            linestyle="dotted",
            linewidth=1.0,
            marker=look.marker,
            markersize=4,
            markerfacecolor="white",
        )
    axes.plot(
        [],
        [],
        color="#555555",
        linestyle="dotted",
        marker="o",
        markerfacecolor="white",
        label="learning alone",
    )
    sizes = thin_out(sorted({float(each) for each in scaling[size]}), _CLOSEST_TICKS)
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes)
    axes.set_xticklabels([f"{each:,.0f}" for each in sizes])
    axes.minorticks_off()
    if starts_at_zero(axes.get_ylim()[0]):
        axes.set_ylim(bottom=0.0)
    axes.set_xlabel(SIZE_TITLE)
    axes.set_ylabel(EFFICIENCY_TITLE)
    tidy(axes)
    label_lines(axes, ends)
    put_legend(axes, below=True)
    return axes
