"""Series: any number that logs repeat, against epochs, samples or minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlperf_logging.analysis.plots.curves import (
    ConvergenceStyle,
    choose_curve_looks,
    choose_rows,
    draw_curves,
    label_axes,
    name_curves,
    set_limits,
)
from mlperf_logging.analysis.plots.looks import label_lines, put_legend

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def draw_series(axes: Axes, series: pd.DataFrame, style: ConvergenceStyle) -> Axes:
    """Draw one series of each run, as `draw_curves` draws curves.

    Args:
        axes: where to draw.
        series: the table of series.
        style: what is drawn; its metric is the series' name.

    Returns:
        The axes.

    Raises:
        UsageError: a column is missing, nothing is left to draw, or the runs count in different units.
    """
    rows = choose_rows(series, style, "value")
    names = name_curves(rows, style.by)
    ends = draw_curves(axes, rows, style.x, "value", names, choose_curve_looks(names))
    set_limits(axes, rows, style.x, "value")
    label_axes(axes, rows, style)
    label_lines(axes, ends)
    put_legend(axes, below=True)
    return axes
