"""Where the time of runs goes as a chart: one bar per run, initialization to the left of the clock's start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.charts.looks import (
    COLORS,
    INK,
    NUMBER,
    encode_rows,
    make_axis,
    make_legend,
    measure_rows,
    style_chart,
)
from mlperf_logging.analysis.charts.packing import round_figures
from mlperf_logging.analysis.pictures.breakdown import BEFORE, PARTS, X_TITLE, TimeRows, prepare_breakdown

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

MOST_ROWS = 60
"""Of more runs, each system has one bar: the mean of its runs."""

_FILLS = {
    BEFORE[1]: "transparent",
    "training": COLORS[0],
    "evaluation": COLORS[2],
    "neither of the two": "#80808055",
}
"""Colors that differ in lightness as well; what is not timed is hollow."""


def chart_breakdown(
    runs: pd.DataFrame, *, by: Sequence[str] = ("submitter", "system", "path"), title: str = ""
) -> alt.LayerChart:
    """Chart one bar per run, or of more than sixty runs one per system: training, evaluation and the rest from 0 on.

    Initialization, which is not timed, is to the left of 0.

    Args:
        runs: one row per run, see `columns.RUN_COLUMNS`.
        by: columns that name a run.
        title: above the chart; empty for none.

    Returns:
        The chart.

    Raises:
        UsageError: a column is missing, or no run shows where its time went.
    """
    import altair as alt

    prepared = prepare_breakdown(runs, by=by, most_rows=MOST_ROWS)
    names = list(dict.fromkeys(prepared.names))
    records = _pack_parts(prepared)
    scale = alt.Scale(domain=list(_FILLS), range=list(_FILLS.values()))
    bars = (
        alt.Chart(alt.InlineData(values=records))
        .mark_bar(stroke=INK, strokeOpacity=0.6, strokeWidth=0.7)
        .encode(
            x=alt.X("start:Q", title=X_TITLE, axis=make_axis()),
            x2="stop:Q",
            y=encode_rows("row", names),
            color=alt.Color("part:N", scale=scale, legend=make_legend("square", 4, shortens=False)),
            tooltip=[
                alt.Tooltip("row:N", title="run" if not prepared.note else "system"),
                alt.Tooltip("part:N", title="part"),
                alt.Tooltip("minutes:Q", title="minutes", format=NUMBER),
                alt.Tooltip("share:Q", title="share of the run", format=".1%"),
            ],
        )
    )
    clock = alt.Chart(alt.InlineData(values=[{"start": 0}])).mark_rule(color=INK).encode(x="start:Q")
    styled: alt.LayerChart = style_chart(
        alt.layer(bars, clock),
        title,
        [prepared.note] if prepared.note else [],
        description=_describe(prepared),
        height=measure_rows(len(names)),
    )
    return styled


def _pack_parts(prepared: TimeRows) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    column, before = BEFORE
    for name, (_, row) in zip(prepared.names, prepared.minutes.iterrows(), strict=True):
        whole = sum(float(row[part]) for part in PARTS)
        if row[column]:
            records.append(_pack_part(name, before, -float(row[column]), float(row[column]), None))
        start = 0.0
        for part, what in PARTS.items():
            minutes = float(row[part])
            if minutes:
                records.append(_pack_part(name, what, start, minutes, minutes / whole))
            start += minutes
    return records


def _pack_part(name: str, part: str, start: float, minutes: float, share: float | None) -> dict[str, Any]:
    places = {"start": start, "stop": start + minutes, "minutes": minutes}
    packed = {key: round_figures(number) for key, number in places.items()}
    return {"row": name, "part": part, **packed, "share": None if share is None else round_figures(share, 4)}


def _describe(prepared: TimeRows) -> str:
    totals = {what: float(prepared.minutes[part].sum()) for part, what in PARTS.items()}
    whole = sum(totals.values()) or 1.0
    shares = ", ".join(f"{total / whole:.0%} {what}" for what, total in totals.items())
    return f"Where the time goes, in {len(prepared.names):,} rows: {shares} of the timed minutes."
