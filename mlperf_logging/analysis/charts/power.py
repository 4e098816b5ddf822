"""Power and energy over the time of runs as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlperf_logging.analysis.charts.looks import INK, NUMBER, choose_looks, make_axis, style_chart
from mlperf_logging.analysis.charts.packing import pack_points, pick_points, share_points
from mlperf_logging.analysis.pictures.power import QUANTITIES, X_TITLE, PowerLine, prepare_power

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd


def chart_power(
    power: pd.DataFrame, quantity: str = "watts", *, by: str = "run", title: str = ""
) -> alt.LayerChart:
    """Chart power or energy over time, a line for each run or each measured part.

    Args:
        power: one row per reading, see `tabulate_power`.
        quantity: "watts" or "energy_kj".
        by: "run" or "part".
        title: above the chart; empty for none.

    Returns:
        The chart.

    Raises:
        UsageError: an unknown quantity, a column is missing, or there is no reading.
    """
    import altair as alt

    lines = prepare_power(power, quantity, by)
    y_title = QUANTITIES[quantity][0]
    most = share_points(len(lines))
    records = [_pack(line, most) for line in lines]
    longest = max(len(line.rows) for line in lines)
    notes = []
    if longest > most:
        notes = [f"of each line, at most {most:,} of up to {longest:,} readings are drawn"]
    isolated = alt.selection_point(name="isolated", fields=["curve"], bind="legend")
    looks = choose_looks([line.name for line in lines])
    data = alt.Chart(alt.InlineData(values=records)).transform_flatten(["x", "y"])
    curve = data.mark_line(
        strokeWidth=1.5,
        interpolate="step-before" if quantity == "watts" else "linear",
        tooltip={"content": "encoding"},
    ).encode(
        x=alt.X("x:Q", title=X_TITLE, axis=make_axis()),
        y=alt.Y("y:Q", title=y_title, scale=alt.Scale(zero=True)),
        **looks,
        opacity=alt.condition(isolated, alt.value(0.9), alt.value(0.05)),
        tooltip=alt.Tooltip("curve:N", title=by),
    )
    points = (
        data.mark_circle(size=50, opacity=0)
        .encode(
            x="x:Q",
            y="y:Q",
            tooltip=[
                alt.Tooltip("curve:N", title=by),
                alt.Tooltip("x:Q", title="minutes since run_start", format=NUMBER),
                alt.Tooltip("y:Q", title=y_title, format=NUMBER),
            ],
        )
        .transform_filter({"param": "isolated"})
    )
    clock = alt.Chart(alt.InlineData(values=[{"x": 0}])).mark_rule(color=INK).encode(x="x:Q")
    chart = alt.layer(clock, curve.add_params(isolated), points)
    styled: alt.LayerChart = style_chart(chart, title, notes, description=_describe(lines, y_title, by))
    return styled


def _pack(line: PowerLine, most: int) -> dict[str, object]:
    kept = line.rows.iloc[pick_points(line.rows["amount"].to_numpy(dtype=float), most)]
    return {"curve": line.name, **pack_points(kept, {"minutes": "x", "amount": "y"})}


def _describe(lines: Sequence[PowerLine], y_title: str, by: str) -> str:
    highest = max(float(line.rows["amount"].max()) for line in lines)
    return (
        f"{y_title}, of {len(lines):,} {by}{'s' * (len(lines) != 1)}, over {X_TITLE}; at most {highest:.4g}."
    )
