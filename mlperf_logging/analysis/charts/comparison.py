"""A comparison of two systems or rounds as a chart: by how much one is faster, and how certain that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.charts.looks import COLORS, INK, NUMBER, encode_rows, measure_rows, style_chart
from mlperf_logging.analysis.charts.packing import round_figures
from mlperf_logging.analysis.grouping import require_columns
from mlperf_logging.analysis.pictures.names import name_groups, shorten_name
from mlperf_logging.errors import UsageError
from mlperf_logging.markup import to_printable

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

_SHOWN = {
    "speedup": "speedup",
    "speedup_low": "speedup, lower end",
    "speedup_high": "speedup, upper end",
    "p_value": "p-value (Mann-Whitney)",
    "share_of_pairs_b_smaller": "share of pairs in which B is smaller",
}
"""Columns that a pointer shows, by their names for people."""

_VERDICTS = {
    "B is faster": (COLORS[0], "triangle-right"),
    "A is faster": (COLORS[1], "triangle-left"),
    "not certain": (COLORS[6], "circle"),
}
_FASTER, _SLOWER, _UNCERTAIN = _VERDICTS
"""What the interval of the speedup says; without one, as of single runs, nothing is certain."""


def chart_comparison(
    comparison: pd.DataFrame, side_a: str, side_b: str, *, by: Sequence[str] = ("benchmark",), title: str = ""
) -> alt.LayerChart:
    """Chart how many times faster B is than A, one row per benchmark, with the interval of the speedup.

    Args:
        comparison: the table of `compare_systems`, of systems, submitters or rounds.
        side_a: what A is, for people.
        side_b: what B is.
        by: columns that make a row.
        title: above the chart; empty for none.

    Returns:
        The chart.

    Raises:
        UsageError: a column is missing, or no row has a speedup.
    """
    import altair as alt

    require_columns(comparison, [*by, *_SHOWN, "mean_a", "mean_b", "runs_a", "runs_b"])
    known = comparison[comparison["speedup"].gt(0) & comparison["speedup"].lt(math.inf)]
    if known.empty:
        raise UsageError("no benchmark has runs on both sides, so there is no comparison to draw")
    names = name_groups(known[list(by)].to_numpy().tolist())
    first, second = (to_printable(shorten_name(side)) for side in (side_a, side_b))
    records = [_pack(name, row) for name, (_, row) in zip(names, known.iterrows(), strict=True)]
    colors, shapes = (
        alt.Scale(domain=list(_VERDICTS), range=[looks[place] for looks in _VERDICTS.values()])
        for place in (0, 1)
    )
    color = alt.Color("verdict:N", scale=colors, legend=None)
    data = alt.Chart(alt.InlineData(values=records)).encode(y=encode_rows("row", names), color=color)
    scale = alt.Scale(type="log", nice=False, padding=16)
    x_title = "speedup: mean of A over mean of B (logarithmic)"
    tooltip = [
        alt.Tooltip("row:N", title="row"),
        alt.Tooltip("mean_a:Q", title="mean of A", format=NUMBER),
        alt.Tooltip("mean_b:Q", title="mean of B", format=NUMBER),
        alt.Tooltip("runs_a:Q", title="runs of A"),
        alt.Tooltip("runs_b:Q", title="runs of B"),
        *(alt.Tooltip(f"{name}:Q", title=what, format=".4~r") for name, what in _SHOWN.items()),
        alt.Tooltip("verdict:N", title="so"),
    ]
    even = alt.Chart(alt.InlineData(values=[{"speedup": 1}])).mark_rule(color=INK, strokeDash=[7, 4])
    ends = data.mark_rule(strokeWidth=2.2).encode(
        x=alt.X("speedup_low:Q", title=x_title, scale=scale), x2="speedup_high:Q"
    )
    has_ends = any(record["speedup_low"] is not None for record in records)
    layers = [
        even.encode(x=alt.X("speedup:Q", title=x_title, scale=scale)),
        *([ends.transform_filter("isValid(datum.speedup_low)")] if has_ends else []),
        data.mark_point(filled=True, size=80, opacity=1).encode(
            x=alt.X("speedup:Q", title=x_title, scale=scale),
            shape=alt.Shape("verdict:N", scale=shapes, legend=None),
            tooltip=tooltip,
        ),
    ]
    notes = [
        f"A: {first}",
        f"B: {second}",
        "right of the dashed line, B is faster; a circle: that is not certain",
    ]
    styled: alt.LayerChart = style_chart(
        alt.layer(*layers),
        title,
        notes,
        description=_describe(records, first, second),
        height=measure_rows(len(names)),
    )
    return styled


def _pack(name: str, row: pd.Series) -> dict[str, Any]:
    low, high = float(row["speedup_low"]), float(row["speedup_high"])
    verdict = _FASTER if low > 1 else _SLOWER if high < 1 else _UNCERTAIN
    numbers = ("mean_a", "mean_b", "runs_a", "runs_b", *_SHOWN)
    return {"row": name, "verdict": verdict, **{each: round_figures(float(row[each])) for each in numbers}}


def _describe(records: Sequence[dict[str, Any]], first: str, second: str) -> str:
    parts = [f"{record['row']}: {record['speedup']:.3g}" for record in records[:12]]
    more = f", and {len(records) - 12:,} more" if len(records) > 12 else ""
    return f"How many times faster {second} (B) is than {first} (A): {', '.join(parts)}{more}."
