"""Series as a chart: any number that logs repeat, against epochs, samples or minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlperf_logging.analysis.charts.curves import RUNS, layer_curves, layer_pointer, pack_curves
from mlperf_logging.analysis.charts.looks import style_chart
from mlperf_logging.analysis.pictures.curves import ConvergenceStyle, prepare_curves

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd


def chart_series(series: pd.DataFrame, style: ConvergenceStyle, *, title: str = "") -> alt.LayerChart:
    """Chart one series of each run, as `chart_convergence` charts curves.

    Args:
        series: the table of series, see `columns.SERIES_COLUMNS`.
        style: what is drawn; its metric is the series' name.
        title: above the chart; empty for none.

    Returns:
        The chart.

    Raises:
        UsageError: a column is missing, nothing is left to draw, or the runs count in different units.
    """
    import altair as alt

    curves = prepare_curves(series, style, "value")
    records, notes = pack_curves(curves)
    layers = [*layer_curves(curves, records), layer_pointer(curves, records)]
    chart = alt.layer(*layers, datasets={RUNS: records})
    styled: alt.LayerChart = style_chart(chart, title, notes, description=curves.description)
    return styled
