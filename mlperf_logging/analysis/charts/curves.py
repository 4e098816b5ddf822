"""Curves of runs as layers of a chart: lines, means of many systems, and what a pointer finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.charts.looks import INK, NUMBER, choose_looks, make_axis
from mlperf_logging.analysis.charts.packing import (
    describe_run,
    pack_points,
    pick_points,
    round_all,
    share_points,
)
from mlperf_logging.analysis.curves import average_curves
from mlperf_logging.analysis.pictures.curves import MOST_NAMED, MOST_SINGLE_RUNS, MOST_SYSTEMS_BY_RUN, Curves
from mlperf_logging.analysis.pictures.names import shorten_name

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

_MEASURES = {
    "epochs": "epochs",
    "samples": "samples",
    "minutes": "minutes since run_start",
    "line": "line in the log",
}
"""What a pointer shows of a point beside its place and its value: column, and its name for people."""

_TEXTS = {"curve": "curve", "system": "system", "run": "run", "seed": "seed"}
_ISOLATED, _POINTED = "isolated", "pointed"
_SHORT_NUMBER = "~s"
_ALL = "mean of all"
_FAINT_RUNS = 12
_MOST_LIT = 6000
RUNS = "runs"
"""Name of the data set with a row for each run, which the layers of a chart share."""


def pack_curves(
    curves: Curves, more: Mapping[str, Mapping[str, Any]] | None = None
) -> tuple[list[dict[str, Any]], list[str]]:
    """The data of a chart of curves, and notes on what was left out to keep it light.

    Args:
        curves: the curves.
        more: what else is held of a run, by its path.

    Returns:
        A row for each run, with its points as arrays: "x", "y" and the columns of `_MEASURES` that are known and not x.
    """
    rows = curves.shown
    extra = [name for name in _MEASURES if name not in {curves.x, curves.unit} and rows[name].notna().any()]
    names = {"x": curves.x, "y": curves.value, **{name: name for name in extra}}
    firsts = rows.drop_duplicates("path").to_dict("records")
    rows = rows.sort_values(curves.x, kind="stable")
    columns = {name: rows[column].to_numpy(dtype=float, na_value=nan) for name, column in names.items()}
    places = rows.groupby("path", sort=False).indices
    most = share_points(len(firsts))
    records = []
    for first in firsts:
        path = str(first["path"])
        kept = places[path][pick_points(columns["y"][places[path]], most)]
        records.append(
            {
                "curve": curves.names[path],
                **describe_run(first),
                **{name: round_all(column[kept]) for name, column in columns.items()},
                **(more or {}).get(path, {}),
            }
        )
    notes = []
    longest = max(map(len, places.values()))
    if longest > most:
        notes.append(
            f"of each run, at most {most:,} of up to {longest:,} points are drawn: "
            "the first, last, smallest and largest of each stretch"
        )
    if curves.outside is not None:
        notes.append(curves.outside)
    return records, notes


def layer_curves(curves: Curves, records: Sequence[Mapping[str, Any]]) -> list[alt.Chart]:
    """The layers that show curves: lines, means with their bands, and what lies outside.

    A click on a name in the legend isolates its runs; with the shift key, several names. Up to eight systems, each run
    is a line. Of more, each system is the mean of its runs with the band of their middle four fifths, and its runs
    stand faintly behind until it is isolated; more than two dozen have one mean of all.
    """
    import altair as alt

    isolated = alt.selection_point(name=_ISOLATED, fields=["curve"], bind="legend")
    places = encode_axes(curves)
    looks = choose_looks(curves.systems)
    points = _flatten(records)
    lines = points.mark_line(clip=True, strokeWidth=1.4).encode(**places, **looks, detail="run:N")
    is_few = len(records) <= MOST_SINGLE_RUNS
    if len(curves.systems) <= MOST_SYSTEMS_BY_RUN:
        seen = alt.condition(isolated, alt.value(0.9 if is_few else 0.5), alt.value(0.04))
        layers = [lines.encode(opacity=seen).add_params(isolated)]
    else:
        # So many lines lie on one another that each has to be fainter.
        opacity = min(max(_FAINT_RUNS / len(records), 0.03), 0.15)
        faint = points.mark_line(clip=True, strokeWidth=1, color=INK, opacity=opacity)
        only = {"param": _ISOLATED, "empty": False}
        layers = [
            faint.encode(**places, detail="run:N"),
            *_layer_means(curves, isolated, looks),
            lines.encode(opacity=alt.value(0.6)).transform_filter(only).add_params(isolated),
        ]
    dots = points.mark_circle(clip=True, size=16, opacity=0.9).encode(**places, color=looks["color"])
    layers += [dots.transform_filter({"param": _ISOLATED})] if is_few else []
    return [*layers, *_layer_outside(curves)]


def layer_pointer(curves: Curves, records: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """The layer that answers a pointer, to be the last: larger than what is seen, and seen where the pointer is.

    Of very many points none is seen: each move of the pointer would be a look at them all.
    """
    import altair as alt

    pointed = alt.selection_point(name=_POINTED, on="mouseover", clear="mouseout", empty=False)
    is_light = sum(len(record["x"]) for record in records) <= _MOST_LIT
    found: alt.Chart = _flatten(records).mark_circle(clip=True, size=110)
    encoded = found.encode(
        **encode_axes(curves),
        color=choose_looks(curves.systems)["color"],
        opacity=alt.condition(pointed, alt.value(0.8), alt.value(0)) if is_light else alt.value(0),
        tooltip=list_tooltips(curves, records[0]),
    )
    layer: alt.Chart = encoded.transform_filter({"param": _ISOLATED})
    return layer.add_params(pointed) if is_light else layer


def _flatten(records: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """A chart of the points of all runs."""
    import altair as alt

    chart: alt.Chart = alt.Chart(alt.NamedData(RUNS)).transform_flatten(
        [name for name, each in records[0].items() if isinstance(each, list)]
    )
    return chart


def encode_axes(curves: Curves, x: str = "x", y: str = "y") -> dict[str, Any]:
    """The two axes of curves, with titles and limits, for the fields of the data that stand on them."""
    import altair as alt

    is_large = curves.unit in {"samples", "tokens", "steps"}
    places = curves.shown[curves.x]
    reached = [float(places.min()), float(places.max()), *curves.reach]
    span = [min(reached), max(reached)]
    x_axis = make_axis(format=_SHORT_NUMBER) if is_large else make_axis()
    return {
        "x": alt.X(f"{x}:Q", title=curves.x_title, scale=alt.Scale(domain=span, zero=False), axis=x_axis),
        "y": alt.Y(
            f"{y}:Q",
            title=shorten_name(curves.value_title),
            scale=alt.Scale(domain=list(curves.ends), nice=False, zero=False),
        ),
    }


def list_tooltips(curves: Curves, record: Mapping[str, Any]) -> list[alt.Tooltip]:
    """What a pointer shows of a point."""
    import altair as alt

    texts = [alt.Tooltip(f"{name}:N", title=title) for name, title in _TEXTS.items() if name != "curve"]
    numbers = {"y": "value", "x": curves.unit if curves.unit != "minutes" else _MEASURES["minutes"]}
    numbers |= {name: title for name, title in _MEASURES.items() if name in record}
    return [
        *texts,
        *(
            alt.Tooltip(f"{name}:Q", title=title, format="d" if name == "line" else NUMBER)
            for name, title in numbers.items()
        ),
    ]


def _layer_means(curves: Curves, isolated: alt.Parameter, looks: Mapping[str, Any]) -> list[alt.Chart]:
    """The mean of each system, as far as half of its runs go, and the band of their middle four fifths."""
    import altair as alt

    rows = curves.shown
    is_many = len(curves.systems) > MOST_NAMED
    names = rows["path"].map(curves.names)
    groups = (
        [(_ALL, rows)] if is_many else [(str(name), each) for name, each in rows.groupby(names, sort=False)]
    )
    records = [_pack_mean(name, average_curves(each, curves.x, curves.value)) for name, each in groups]
    means = alt.Chart(alt.InlineData(values=records)).transform_flatten(["x", "y", "low", "high"])
    places = encode_axes(curves)
    band = means.mark_area(clip=True, opacity=0.18).encode(**encode_axes(curves, y="low"), y2="high:Q")
    line = means.mark_line(clip=True, strokeWidth=2).encode(**places)
    if is_many:
        return [band.encode(color=alt.value(INK)), line.encode(color=alt.value(INK))]
    seen = alt.condition(isolated, alt.value(0.95), alt.value(0.06))
    return [
        band.encode(color=looks["color"]).transform_filter({"param": _ISOLATED, "empty": False}),
        line.encode(**looks, opacity=seen),
    ]


def _pack_mean(name: str, mean: pd.DataFrame) -> dict[str, Any]:
    """The mean of several curves as far as half of them go, with its band as far as two do."""
    common = mean[mean["runs"] * 2 >= mean["runs"].max()]
    columns = {str(common.columns[0]): "x", "mean": "y", "low": "low", "high": "high"}
    return {"curve": name, **pack_points(common, columns)}


def _layer_outside(curves: Curves) -> list[alt.Chart]:
    """Triangles at the edge of the plot where values lie beyond it."""
    import altair as alt

    layers = []
    for rows, shape, edge in (
        (curves.below, "triangle-down", alt.value("height")),
        (curves.above, "triangle-up", alt.value(0)),
    ):
        if len(rows):
            records = [{"x": place} for place in round_all(rows[curves.x].unique())]
            marks = alt.Chart(alt.InlineData(values=records)).mark_point(
                shape=shape, filled=True, color=INK, size=40
            )
            layers.append(marks.encode(x=alt.X("x:Q"), y=edge))
    return layers
