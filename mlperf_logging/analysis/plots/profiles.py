"""What tasks spend their time on: stacked bars of shares, and a tree of how alike they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlperf_logging.analysis.plots.looks import COLORS, label_rows, put_legend_above, tidy

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes

_HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\", "----", "oo", "++++", "||||", "")
_FILLS = (*COLORS[:6], "#F0E442", "#BBBBBB", "#FFFFFF", "#000000")
_LEAF = 10.0
"""How far apart scipy places the leaves of a tree."""


def draw_shares(
    axes: Axes, shares: Sequence[Mapping[str, float | None]], names: Sequence[str], x_title: str
) -> Axes:
    """Draw one bar for each task, from 0 to 100 %.

    Args:
        axes: where.
        shares: of each task, share by part; parts come in the order of the first task, and None is no share.
        names: of the tasks, first on top.
        x_title: what the shares are shares of.
    """
    left = [0.0] * len(shares)
    for place, part in enumerate(shares[0]):
        widths = [100.0 * (each.get(part) or 0.0) for each in shares]
        if any(width >= 0.05 for width in widths):
            axes.barh(
                range(len(shares)),
                widths,
                left=left,
                height=0.72,
                label=part,
                color=_FILLS[place % len(_FILLS)],
                hatch=_HATCHES[place % len(_HATCHES)],
                edgecolor="black",
                linewidth=0.4,
            )
        left = [begin + width for begin, width in zip(left, widths, strict=True)]
    axes.set_xlim(0.0, 100.0)
    axes.set_xlabel(x_title)
    label_rows(axes, names)
    put_legend_above(axes)
    tidy(axes, grid="x")
    return axes


def draw_tree(axes: Axes, tree: np.ndarray) -> Axes:
    """Draw a tree of tasks to the right of their bars, whose rows are in the order of `order_tasks`.

    Args:
        axes: where.
        tree: from `mlperf_logging.analysis.profiles.join_tasks`.
    """
    from scipy.cluster.hierarchy import dendrogram

    drawn = dendrogram(tree, no_plot=True)
    for rows, distances in zip(drawn["icoord"], drawn["dcoord"], strict=True):
        axes.plot(distances, [row / _LEAF - 0.5 for row in rows], color=COLORS[0], linewidth=1.4)
    axes.set_xlim(0.0, 1.0)
    axes.set_xticks([0.0, 0.5, 1.0])
    axes.set_xlabel("distance of shares")
    count = len(drawn["leaves"])
    axes.set_ylim(count - 0.4, -0.6)
    axes.set_yticks([])
    tidy(axes, grid="x")
    return axes
