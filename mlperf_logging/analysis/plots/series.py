"""Series: any number that logs repeat, against epochs, samples or minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlperf_logging.analysis.pictures.curves import ConvergenceStyle, prepare_curves
from mlperf_logging.analysis.plots.curves import choose_curve_looks, draw_curves, label_axes, set_limits
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
    curves = prepare_curves(series, style, "value")
    ends = draw_curves(axes, curves, choose_curve_looks(curves.names))
    set_limits(axes, curves)
    label_axes(axes, curves)
    label_lines(axes, ends)
    put_legend(axes, below=True)
    return axes
