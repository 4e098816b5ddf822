"""A suite: a bar for each normalized result, its runs as points, and the geometric mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlperf_logging.analysis.pictures.suite import AXIS_TITLE, prepare_suite
from mlperf_logging.analysis.plots.looks import COLORS, label_rows, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from mlperf_logging.scoring.suites import SuiteScore

_HEIGHT = 0.62


def draw_suite(axes: Axes, table: pd.DataFrame, scores: Sequence[SuiteScore]) -> Axes:
    """Draw the normalized results of a suite, bigger is better; the runs are points, the reference is a line at 1.

    Args:
        axes: where to draw.
        table: of `tabulate_suite`.
        scores: of the systems.

    Returns:
        The axes.

    Raises:
        UsageError: a column is missing, or nothing is normalized.
    """
    bars = prepare_suite(table, scores)
    for place, bar in enumerate(bars):
        is_mean = bar.runs is None
        axes.barh(
            [place],
            [bar.value],
            height=_HEIGHT,
            facecolor="#666666" if is_mean else "#BFD9EA",
            edgecolor="black" if is_mean else COLORS[0],
            hatch="///" if is_mean else None,
            linewidth=0.8,
        )
        values = [] if bar.runs is None else bar.runs["run_normalized"].to_list()
        axes.plot(
            values,
            [place] * len(values),
            linestyle="none",
            marker="o",
            markersize=3.8,
            markerfacecolor="none",
            markeredgecolor="black",
            markeredgewidth=0.9,
            zorder=3,
        )
        axes.annotate(
            f"{bar.value:.3g}",
            (max([bar.value, *values]), place),
            xytext=(6, 0),
            textcoords="offset points",
            verticalalignment="center",
            fontsize="small",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        )
    axes.axvline(1.0, color="black", linestyle="dashed", linewidth=1.0)
    axes.set_xlim(0.0, axes.get_xlim()[1] * 1.12)
    label_rows(axes, [bar.name for bar in bars])
    axes.set_xlabel(AXIS_TITLE)
    tidy(axes, grid="x")
    return axes
