"""What results took as a chart: the energy or the cost of each, one bar per result."""

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
from mlperf_logging.analysis.grouping import require_columns
from mlperf_logging.analysis.pictures.names import name_groups
from mlperf_logging.errors import UsageError
from mlperf_logging.markup import to_printable

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

AMOUNTS = {
    "energy_kj": ("energy of the runs that count", "MJ", 1e-3),
    "cost_of_score": ("cost of a run as long as the score", "", 1.0),
    "cost_of_median_run": ("cost of the median run", "", 1.0),
    "cost_to_quality": ("cost up to the target", "", 1.0),
    "cost_of_all_runs": ("cost of all runs", "", 1.0),
    "cost_of_energy": ("cost of the energy", "", 1.0),
}
"""Columns that can be drawn: name for people, unit (of costs, the currency of the table), and factor to that unit."""


def chart_amounts(
    results: pd.DataFrame,
    value: str = "energy_kj",
    *,
    by: Sequence[str] = ("benchmark", "submitter", "system"),
    title: str = "",
) -> alt.LayerChart:
    """Chart the energy or a cost of each result, one bar per result; a pointer shows its score as well.

    Args:
        results: one row per result, as `mlperf score` gives them: the columns of `by`, a column of `AMOUNTS`,
            "score_minutes" and, of costs, "currency".
        value: the column.
        by: columns that name a result.
        title: above the chart; empty for none.

    Returns:
        The chart.

    Raises:
        UsageError: an unknown amount, a column is missing, no result has the amount, or the currencies differ.
    """
    import altair as alt

    if value not in AMOUNTS:
        raise UsageError(f"unknown amount {value!r}; choose from {', '.join(AMOUNTS)}")
    require_columns(results, [*by, value, "score_minutes", "currency"])
    known = results.dropna(subset=[value])
    if known.empty:
        raise UsageError(f"no result has a value of {value}")
    what, unit, factor = AMOUNTS[value]
    if not unit:
        currencies = list(known["currency"].dropna().unique())
        if len(currencies) > 1:
            raise UsageError(
                f"the results have costs in {' and '.join(map(str, currencies))}; choose one currency"
            )
        unit = to_printable(currencies[0]) if currencies else ""
    name = f"{what} ({unit})" if unit else what
    names = name_groups(known[list(by)].to_numpy().tolist())
    records = [
        {
            "row": row,
            "amount": round_figures(float(amount) * factor),
            "minutes": round_figures(float(minutes)),
        }
        for row, amount, minutes in zip(
            names, known[value], known["score_minutes"].astype(float), strict=True
        )
    ]
    rows = list(dict.fromkeys(names))
    bars = (
        alt.Chart(alt.InlineData(values=records))
        .mark_bar(color=COLORS[0], height={"band": 0.7})
        .encode(
            x=alt.X("amount:Q", title=name, scale=alt.Scale(zero=True), axis=make_axis()),
            y=encode_rows("row", rows),
            tooltip=[
                alt.Tooltip("row:N", title="result"),
                alt.Tooltip("amount:Q", title=name, format=NUMBER),
                alt.Tooltip("minutes:Q", title="score (minutes)", format=NUMBER),
            ],
        )
    )
    labels = (
        alt.Chart(alt.InlineData(values=records))
        .mark_text(color=INK, align="left", dx=4, clip=False)
        .encode(x="amount:Q", y=encode_rows("row", rows), text=alt.Text("amount:Q", format=",.4~r"))
    )
    largest, where = max(
        (float(amount) * factor, row) for row, amount in zip(names, known[value], strict=True)
    )
    styled: alt.LayerChart = style_chart(
        alt.layer(bars, labels),
        title,
        description=f"{name} of {len(records):,} results, at most {largest:,.4g} ({where}).",
        height=measure_rows(len(rows)),
    )
    return styled
