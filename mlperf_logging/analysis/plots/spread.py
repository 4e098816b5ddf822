"""Run-to-run spread: a box and every run as a point, one row per group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.grouping import GROUP, require_columns, split_groups
from mlperf_logging.analysis.pictures.names import name_groups
from mlperf_logging.analysis.plots.looks import COLORS, label_rows, tidy
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes

_FEWEST_FOR_BOX = 4
_STRIP = 0.3
_BOX = 0.62
_LARGEST_RATIO = 30.0


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
    require_columns(runs, [*by, value])
    groups = [
        (group, rows[value].to_numpy(dtype=float))
        for group, rows in split_groups(runs.dropna(subset=[value]), by)
    ]
    if relative:
        groups = [(group, values) for group, values in groups if len(values) > 1]
    if not groups:
        raise UsageError(f"no group has {'two runs' if relative else 'a run'} with a value of {value}")
    names = name_groups([list(group.values()) for group, _ in groups])
    for place, (_, values) in enumerate(groups):
        _draw_row(axes, place, _relate(values) if relative else values)
    label_rows(axes, [f"{name} ({len(values)})" for name, (_, values) in zip(names, groups, strict=True)])
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
    elif _spans_orders(runs[value]):
        from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.10g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(f"{value.replace('_', ' ')}, % of the group's median" if relative else _describe(value))
    tidy(axes)
    return axes


def _spans_orders(values: pd.Series) -> bool:
    """Whether values are so far apart that most would lie on one another on an ordinary axis."""
    known = values.dropna().astype(float)
    return bool(known.min() > 0 and known.max() / known.min() > _LARGEST_RATIO)


def _draw_row(axes: Axes, place: int, values: np.ndarray) -> None:
    import numpy as np

    if len(values) >= _FEWEST_FOR_BOX:
        _draw_box(axes, place, values)
    ordered = np.sort(values)
    # Neighbors in value are spread over the row, always in the same way: no chance is needed to part them.
    offsets = ((np.arange(len(ordered)) * 2) % 5 - 2) / 2 * _STRIP if len(ordered) > 1 else np.zeros(1)
    axes.plot(
        ordered,
        place + offsets,
        linestyle="none",
        marker="o",
        markersize=3.8,
        markerfacecolor="none",
        markeredgecolor=COLORS[0],
        markeredgewidth=1.0,
        zorder=3,
    )


def _draw_box(axes: Axes, place: int, values: np.ndarray) -> None:
    # Axes.boxplot would load pyplot.
    from matplotlib.cbook import boxplot_stats

    (box,) = boxplot_stats(values, whis=1.5)
    gray: dict[str, Any] = {"color": "#666666", "linewidth": 0.8, "zorder": 1.5}
    axes.barh(
        [place],
        [box["q3"] - box["q1"]],
        left=[box["q1"]],
        height=_BOX,
        facecolor="#E8E8E8",
        edgecolor="#666666",
        linewidth=0.8,
        zorder=2,
    )
    for end, side in ((box["whislo"], box["q1"]), (box["whishi"], box["q3"])):
        axes.plot([end, side], [place, place], **gray)
        axes.plot([end, end], [place - _BOX / 4, place + _BOX / 4], **gray)
    axes.plot(
        [box["med"]] * 2,
        [place - _BOX / 2, place + _BOX / 2],
        color="black",
        linewidth=1.6,
        zorder=2.5,
        solid_capstyle="butt",
    )


def _relate(values: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.asarray(values / np.median(values) * 100)


def _describe(value: str) -> str:
    """A column's name as the label of an axis: its unit in brackets."""
    for unit in ("minutes", "seconds"):
        if value.endswith(f"_{unit}"):
            name = value.removesuffix(f"_{unit}").replace("_", " ")
            return f"{name} time ({unit})" if "time" not in name else f"{name} ({unit})"
    return value.replace("_", " ")
