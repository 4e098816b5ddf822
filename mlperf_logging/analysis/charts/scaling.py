"""Scaling as a chart: efficiency over accelerators, with the ideal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.charts.looks import INK, NUMBER, choose_looks, style_chart
from mlperf_logging.analysis.charts.packing import round_figures
from mlperf_logging.analysis.pictures.scaling import (
    EFFICIENCY_TITLE,
    SIZE_TITLE,
    ScalingGroup,
    prepare_scaling,
    starts_at_zero,
)

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

_SHOWN = {
    "runs": "runs",
    "mean_minutes": "mean time (minutes)",
    "speedup": "speedup",
    "efficiency": "efficiency",
    "efficiency_low": "efficiency, lower end",
    "efficiency_high": "efficiency, upper end",
    "learning_efficiency": "learning efficiency",
    "speed_efficiency": "speed efficiency",
}
"""Columns that a pointer shows, by their names for people."""


def chart_scaling(
    scaling: pd.DataFrame,
    *,
    size: str = "accelerators",
    by: Sequence[str] = ("benchmark", "submitter", "accelerator_model"),
    title: str = "",
) -> alt.LayerChart:
    """Chart efficiency over the number of accelerators: the whole, and what larger batches leave of it.

    Efficiency 1 is ideal. The solid line with its interval is what was measured; the thin dotted line is the part that
    learning leaves, so that the gap between the two is the machine's.

    Args:
        scaling: the table of scaling, see `describe_scaling`.
        size: the column with the number of accelerators.
        by: columns that make a group.
        title: above the chart; empty for none.

    Returns:
        The chart.

    Raises:
        UsageError: a column is missing, or there is nothing to draw.
    """
    import altair as alt

    groups = prepare_scaling(scaling, size, by)
    records = [record for group in groups for record in _pack_sizes(group, size)]
    looks = choose_looks([group.name for group in groups])
    isolated = alt.selection_point(name="isolated", fields=["curve"], bind="legend")
    low = min(
        each
        for record in records
        for each in (record["efficiency_low"], record["efficiency"])
        if each is not None
    )
    sizes = sorted({record["size"] for record in records})
    x = alt.X(
        "size:Q",
        title=SIZE_TITLE,
        scale=alt.Scale(type="log", base=2, nice=False, padding=16),
        axis=alt.Axis(values=sizes, format=",d"),
    )

    def encode_y(field: str) -> alt.Y:
        scale = alt.Scale(zero=starts_at_zero(low))
        return alt.Y(f"{field}:Q", title=EFFICIENCY_TITLE, scale=scale)

    data = alt.Chart(alt.InlineData(values=records))
    seen = alt.condition(isolated, alt.value(1), alt.value(0.06))
    ideal = alt.Chart(alt.InlineData(values=[{"efficiency": 1}])).mark_rule(color=INK, strokeDash=[7, 4])
    lines = data.mark_line(strokeWidth=1.6).encode(x, encode_y("efficiency"), **looks, opacity=seen)
    learning = data.mark_line(strokeWidth=1.2, strokeDash=[1, 3], point={"filled": False, "size": 30}).encode(
        x, encode_y("learning_efficiency"), color=looks["color"], opacity=seen
    )
    intervals = data.mark_rule(strokeWidth=1.4).encode(
        x, encode_y("efficiency_low"), y2="efficiency_high:Q", color=looks["color"], opacity=seen
    )
    points = data.mark_circle(size=60).encode(
        x,
        encode_y("efficiency"),
        color=looks["color"],
        opacity=seen,
        tooltip=[
            alt.Tooltip("curve:N", title="group"),
            alt.Tooltip("size:Q", title=SIZE_TITLE, format=",d"),
            *(alt.Tooltip(f"{name}:Q", title=what, format=NUMBER) for name, what in _SHOWN.items()),
        ],
    )
    layers = [
        ideal.encode(encode_y("efficiency")),
        lines.add_params(isolated),
        learning.transform_filter("isValid(datum.learning_efficiency)"),
        intervals.transform_filter("isValid(datum.efficiency_low)"),
        points,
    ]
    notes = ["dashed: ideal; dotted with hollow markers: what larger batches leave (learning alone)"]
    styled: alt.LayerChart = style_chart(
        alt.layer(*layers), title, notes, description=_describe(groups, sizes)
    )
    return styled


def _pack_sizes(group: ScalingGroup, size: str) -> list[dict[str, Any]]:
    return [
        {
            "curve": group.name,
            "size": round_figures(float(row[size])),
            **{name: round_figures(float(row[name])) for name in _SHOWN},
        }
        for _, row in group.rows.iterrows()
    ]


def _describe(groups: Sequence[ScalingGroup], sizes: Sequence[float]) -> str:
    count = len(groups)
    return (
        f"Efficiency of {count:,} group{'s' * (count != 1)} over {sizes[0]:,.0f} to {sizes[-1]:,.0f} accelerators; "
        "1 is ideal: twice the accelerators, half the time."
    )
