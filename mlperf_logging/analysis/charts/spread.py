"""Run-to-run spread as a chart: a box and every run as a point, one row per group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.charts.looks import COLORS, INK, NUMBER, encode_rows, measure_rows, style_chart
from mlperf_logging.analysis.charts.packing import describe_run, round_figures
from mlperf_logging.analysis.grouping import GROUP
from mlperf_logging.analysis.pictures.spread import Spread, SpreadGroup, prepare_spread

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

_SHARES = (95, 105), (90, 110)


def chart_spread(
    runs: pd.DataFrame,
    value: str = "run_minutes",
    *,
    by: Sequence[str] = GROUP,
    relative: bool = False,
    title: str = "",
) -> alt.LayerChart:
    """Chart how the runs of each group differ: every run a point, from four runs on a box.

    The box spans the middle half, its line is the median, its whiskers reach to the last run within 1.5 times the
    box (Tukey). Where the largest value is more than thirty times the smallest, the axis is logarithmic.

    Args:
        runs: one row per run, see `columns.RUN_COLUMNS`.
        value: the column.
        by: columns that make a group.
        relative: as a share of each group's median, with lines at ± 5 % and ± 10 %; groups of one run are left out.
        title: above the chart; empty for none.

    Returns:
        The chart.

    Raises:
        UsageError: a column is missing, or no group has a value to draw.
    """
    import altair as alt

    prepared = prepare_spread(runs, value, by=by, relative=relative)
    names = [group.name for group in prepared.groups]
    boxes = [
        {"group": group.name, **{key: round_figures(number) for key, number in group.box._asdict().items()}}
        for group in prepared.groups
        if group.box is not None
    ]
    points = [record for group in prepared.groups for record in _pack_runs(group, value)]
    layers = [*_layer_shares(prepared), *_layer_boxes(prepared, boxes, names)]
    y = encode_rows("group", names)
    found = (
        alt.Chart(alt.InlineData(values=points))
        .mark_point(filled=False, size=34, strokeWidth=1.3, color=COLORS[0])
        .encode(
            x=_encode_value(prepared, "value"),
            y=y,
            yOffset=alt.YOffset("offset:Q", scale=alt.Scale(domain=[-1.6, 1.6])),
            tooltip=[
                alt.Tooltip("group:N", title="group"),
                alt.Tooltip("run:N", title="run"),
                alt.Tooltip("seed:N", title="seed"),
                alt.Tooltip("value:Q", title=prepared.title, format=NUMBER),
                *([alt.Tooltip("own:Q", title=value, format=NUMBER)] if relative else []),
            ],
        )
    )
    notes = ["box: the middle half, with the median; whiskers: to the last run within 1.5 times the box"]
    if relative:
        notes.append("dashed: ± 5 %; dotted: ± 10 %")
    chart = alt.layer(*layers, found)
    styled: alt.LayerChart = style_chart(
        chart,
        title,
        notes if boxes else notes[1:],
        description=_describe(prepared),
        height=measure_rows(len(names)),
    )
    return styled


def _pack_runs(group: SpreadGroup, value: str) -> list[dict[str, Any]]:
    return [
        {
            "group": group.name,
            **describe_run(row),
            "value": round_figures(float(number)),
            "own": round_figures(float(row[value])),
            "offset": float(offset),
        }
        for (_, row), number, offset in zip(group.runs.iterrows(), group.values, group.offsets, strict=True)
    ]


def _encode_value(prepared: Spread, field: str) -> alt.X:
    import altair as alt

    is_log = prepared.is_logarithmic
    scale = alt.Scale(type="log", nice=False, padding=10) if is_log else alt.Scale(zero=False, padding=10)
    return alt.X(f"{field}:Q", title=prepared.title, scale=scale)


def _layer_shares(prepared: Spread) -> list[alt.Chart]:
    import altair as alt

    if not prepared.is_relative:
        return []
    return [
        alt.Chart(alt.InlineData(values=[{"low": each} for each in shares]))
        .mark_rule(color=INK, opacity=0.5, strokeDash=dash)
        .encode(x=_encode_value(prepared, "low"))
        for shares, dash in zip(_SHARES, ([6, 3], [2, 2]), strict=True)
    ]


def _layer_boxes(prepared: Spread, boxes: list[dict[str, Any]], names: Sequence[str]) -> list[alt.Chart]:
    import altair as alt

    if not boxes:
        return []
    base = alt.Chart(alt.InlineData(values=boxes)).encode(y=encode_rows("group", names))
    tooltip = [alt.Tooltip("group:N", title="group")] + [
        alt.Tooltip(f"{field}:Q", title=what, format=NUMBER)
        for field, what in (
            ("low", "lower whisker"),
            ("first", "first quartile"),
            ("median", "median"),
            ("third", "third quartile"),
            ("high", "upper whisker"),
        )
    ]
    return [
        base.mark_rule(color=INK, opacity=0.5).encode(x=_encode_value(prepared, "low"), x2="high:Q"),
        base.mark_bar(color=INK, opacity=0.16, size=14).encode(
            x=_encode_value(prepared, "first"), x2="third:Q", tooltip=tooltip
        ),
        base.mark_tick(color=INK, thickness=2, size=16).encode(x=_encode_value(prepared, "median")),
    ]


def _describe(prepared: Spread) -> str:
    count = sum(len(group.values) for group in prepared.groups)
    return (
        f"{prepared.title}: {count:,} run{'s' * (count != 1)} in {len(prepared.groups):,} "
        f"group{'s' * (len(prepared.groups) != 1)}, each run a point, with a box per group."
    )
