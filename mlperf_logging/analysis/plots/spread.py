"""Run-to-run spread: a box and every run as a point, one row per group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.grouping import GROUP
from mlperf_logging.analysis.pictures.spread import Box, prepare_spread
from mlperf_logging.analysis.plots.looks import COLORS, label_rows, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_STRIP = 0.3
_BOX = 0.62


def draw_spread(
    axes: Axes,
    runs: pd.DataFrame,
    value: str = "run_minutes",
    *,
    by: Sequence[str] = GROUP,
    relative: bool = False,
) -> Axes:
    """Draw how the runs of each group differ: every run a point, from four runs on a box.

    The box spans the middle half, its line is the median, its whiskers reach to the last run within 1.5 times the
    box (Tukey). Where the largest value is more than thirty times the smallest, the axis is logarithmic.
    """
    prepared = prepare_spread(runs, value, by=by, relative=relative)
    for place, group in enumerate(prepared.groups):
        if group.box is not None:
            _draw_box(axes, place, group.box)
        axes.plot(
            group.values,
            place + group.offsets * _STRIP,
            linestyle="none",
            marker="o",
            markersize=3.8,
            markerfacecolor="none",
            markeredgecolor=COLORS[0],
            markeredgewidth=1.0,
            zorder=3,
        )
    label_rows(axes, [group.name for group in prepared.groups])
    if relative:
        for part, line in ((5, "dashed"), (10, "dotted")):
            for sign in (-1, 1):
                axes.axvline(
                    100 + sign * part,
                    color="#666666",
                    linestyle=line,
                    linewidth=1.0,
                    zorder=0.5,
                    label=f"± {part} %" if sign > 0 else None,
                )
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, frameon=False, fontsize="small")
    elif prepared.is_logarithmic:
        from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.10g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(prepared.title)
    tidy(axes)
    return axes


def _draw_box(axes: Axes, place: int, box: Box) -> None:
    gray: dict[str, Any] = {"color": "#666666", "linewidth": 0.8, "zorder": 1.5}
    axes.barh(
        [place],
        [box.third - box.first],
        left=[box.first],
        height=_BOX,
        facecolor="#E8E8E8",
        edgecolor="#666666",
        linewidth=0.8,
        zorder=2,
    )
    for end, side in ((box.low, box.first), (box.high, box.third)):
        axes.plot([end, side], [place, place], **gray)
        axes.plot([end, end], [place - _BOX / 4, place + _BOX / 4], **gray)
    axes.plot(
        [box.median] * 2,
        [place - _BOX / 2, place + _BOX / 2],
        color="black",
        linewidth=1.6,
        zorder=2.5,
        solid_capstyle="butt",
    )
