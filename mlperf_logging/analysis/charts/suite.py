"""A suite as a chart: a bar for each normalized result, its runs as points, and the geometric mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlperf_logging.analysis.charts.looks import (
    COLORS,
    INK,
    NUMBER,
    encode_rows,
    make_axis,
    measure_rows,
    style_chart,
)
from mlperf_logging.analysis.charts.packing import round_figures
from mlperf_logging.analysis.pictures.names import name_run
from mlperf_logging.analysis.pictures.suite import AXIS_TITLE, SuiteBar, prepare_suite

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from mlperf_logging.scoring.suites import SuiteScore


def chart_suite(table: pd.DataFrame, scores: Sequence[SuiteScore], *, title: str = "") -> alt.LayerChart:
    """Chart the normalized results of a suite, bigger is better; a pointer shows run and time.

    Args:
        table: of `tabulate_suite`.
        scores: of the systems.
        title: above the chart; empty for none.

    Returns:
        The chart.

    Raises:
        UsageError: a column is missing, or nothing is normalized.
    """
    import altair as alt

    bars = prepare_suite(table, scores)
    names = [bar.name for bar in bars]
    rows = encode_rows("row", names)
    x = alt.X("value:Q", title=AXIS_TITLE, scale=alt.Scale(zero=True), axis=make_axis())
    records = [
        {"row": bar.name, "value": round_figures(bar.value), "is_mean": bar.runs is None} for bar in bars
    ]
    base = alt.Chart(alt.InlineData(values=records))
    found = base.mark_bar(height={"band": 0.7}, opacity=0.8).encode(
        x=x,
        y=rows,
        color=alt.condition("datum.is_mean", alt.value(COLORS[1]), alt.value(COLORS[0])),
        tooltip=[
            alt.Tooltip("row:N", title="result"),
            alt.Tooltip("value:Q", title="normalized", format=NUMBER),
        ],
    )
    labels = base.mark_text(color=INK, align="left", dx=4, dy=-9, clip=False).encode(
        x="value:Q", y=rows, text=alt.Text("value:Q", format=",.3~r")
    )
    points = (
        alt.Chart(alt.InlineData(values=[record for bar in bars for record in _pack_runs(bar)]))
        .mark_point(filled=False, size=34, strokeWidth=1.3, color=INK)
        .encode(
            x=x,
            y=rows,
            tooltip=[
                alt.Tooltip("row:N", title="result"),
                alt.Tooltip("run:N", title="run"),
                alt.Tooltip("minutes:Q", title="time to quality (minutes)", format=NUMBER),
                alt.Tooltip("value:Q", title="normalized", format=NUMBER),
            ],
        )
    )
    reference = (
        alt.Chart(alt.InlineData(values=[{"value": 1}]))
        .mark_rule(color=INK, strokeDash=[6, 3])
        .encode(x="value:Q")
    )
    styled: alt.LayerChart = style_chart(
        alt.layer(found, reference, points, labels),
        title,
        ["points: runs; dashed: the reference"],
        description=f"Normalized results of a suite: {', '.join(f'{bar.name} {bar.value:.3g}' for bar in bars)}.",
        height=measure_rows(len(names)),
    )
    return styled


def _pack_runs(bar: SuiteBar) -> list[dict[str, object]]:
    if bar.runs is None:
        return []
    return [
        {
            "row": bar.name,
            "run": name_run(row["path"], row["seed"]),
            "minutes": round_figures(float(row["quality_minutes"])),
            "value": round_figures(float(row["run_normalized"])),
        }
        for _, row in bar.runs.iterrows()
    ]
