"""Convergence curves as a chart: quality against epochs, samples or minutes, with the target and the reference's band."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlperf_logging.analysis.charts.curves import RUNS, encode_axes, layer_curves, layer_pointer, pack_curves
from mlperf_logging.analysis.charts.looks import INK, NUMBER, REFERENCE_COLOR, choose_looks, style_chart
from mlperf_logging.analysis.charts.packing import round_figures
from mlperf_logging.analysis.pictures.convergence import (
    QUALITY,
    Convergence,
    describe_reference,
    prepare_convergence,
)

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from mlperf_logging.analysis.pictures.curves import ConvergenceStyle, Curves
    from mlperf_logging.analysis.references import ReferenceRange


def chart_convergence(
    evaluations: pd.DataFrame,
    style: ConvergenceStyle | None = None,
    *,
    reference: ReferenceRange | None = None,
    title: str = "",
) -> alt.LayerChart:
    """Chart the runs' curves; a hollow marker shows each run's first evaluation that meets the target.

    A pointer shows system, run, seed, value, progress and the line in the log of a point; a click on a name in the legend
    isolates its runs.

    Args:
        evaluations: the table of evaluations of one benchmark, see `columns.EVALUATION_COLUMNS`.
        style: what is drawn; None for the defaults of `ConvergenceStyle`.
        reference: where the reference converges, in the unit of the x axis; None for nothing.
        title: above the chart; empty for none.

    Returns:
        The chart.

    Raises:
        UsageError: a column is missing, nothing is left to draw, or the runs count in different units.
    """
    import altair as alt

    prepared = prepare_convergence(evaluations, style)
    curves = prepared.curves
    if reference is not None:
        prepared = replace(prepared, curves=replace(curves, reach=(reference.smallest, reference.mean)))
        curves = prepared.curves
    firsts = {
        str(path): {"met_x": round_figures(float(row[curves.x])), "met_y": round_figures(float(row[QUALITY]))}
        for path, row in prepared.met.iterrows()
    }
    records, notes = pack_curves(curves, firsts)
    layers = [
        *_layer_reference(curves, reference),
        *layer_curves(curves, records),
        *_layer_met(prepared),
        *_layer_targets(prepared),
        layer_pointer(curves, records),
    ]
    legend = [f"dashed: {target.text}" for target in prepared.targets]
    if firsts:
        legend.append("hollow markers: first to meet it")
    if reference is not None:
        legend.append(f"green band: {describe_reference(reference)}, smallest accepted mean to mean")
    chart = alt.layer(*layers, datasets={RUNS: records})
    notes = ["; ".join(legend), *notes] if legend else notes
    styled: alt.LayerChart = style_chart(chart, title, notes, description=_describe(prepared, reference))
    return styled


def _layer_reference(curves: Curves, reference: ReferenceRange | None) -> list[alt.Chart]:
    import altair as alt

    if reference is None:
        return []
    row = {
        "band": describe_reference(reference),
        "x": round_figures(reference.smallest),
        "x2": round_figures(reference.mean),
    }
    band = alt.Chart(alt.InlineData(values=[row])).mark_rect(color=REFERENCE_COLOR, opacity=0.16)
    return [
        band.encode(
            x=encode_axes(curves)["x"],
            x2="x2:Q",
            tooltip=[
                alt.Tooltip("band:N", title="band"),
                alt.Tooltip("x:Q", title=f"smallest accepted mean ({reference.unit})", format=NUMBER),
                alt.Tooltip("x2:Q", title=f"mean of the reference ({reference.unit})", format=NUMBER),
            ],
        )
    ]


def _layer_met(prepared: Convergence) -> list[alt.Chart]:
    import altair as alt

    if prepared.met.empty:
        return []
    marks = alt.Chart(alt.NamedData(RUNS)).mark_point(clip=True, filled=False, size=45, strokeWidth=1.6)
    return [
        marks.encode(
            **encode_axes(prepared.curves, "met_x", "met_y"),
            color=choose_looks(prepared.curves.systems)["color"],
        )
        .transform_filter("isValid(datum.met_x)")
        .transform_filter({"param": "isolated"})
    ]


def _layer_targets(prepared: Convergence) -> list[alt.Chart]:
    import altair as alt

    if not prepared.targets:
        return []
    rows = [{"y": target.value, "target": target.text} for target in prepared.targets]
    rules = alt.Chart(alt.InlineData(values=rows)).mark_rule(color=INK, strokeDash=[7, 4], strokeWidth=1.3)
    return [rules.encode(y="y:Q", tooltip=alt.Tooltip("target:N", title=" "))]


def _describe(prepared: Convergence, reference: ReferenceRange | None) -> str:
    runs = len(prepared.curves.names)
    parts = [prepared.curves.description]
    parts += [f"{target.text.capitalize()}." for target in prepared.targets]
    if prepared.targets and runs > 1:
        parts.append(f"{len(prepared.met):,} of the runs meet it.")
    if reference is not None:
        parts.append(
            f"The reference is accepted from a mean of {reference.smallest:,.6g} {reference.unit} on, "
            f"and has a mean of {reference.mean:,.6g}."
        )
    return " ".join(parts)
