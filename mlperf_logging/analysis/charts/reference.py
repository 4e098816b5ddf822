"""A submission against the reference convergence points as a chart, with the margin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlperf_logging.analysis.charts.looks import COLORS, INK, NUMBER, REFERENCE_COLOR, style_chart
from mlperf_logging.analysis.charts.packing import round_figures
from mlperf_logging.analysis.pictures.reference import X_TITLE, ReferencePicture, prepare_reference

if TYPE_CHECKING:
    import altair as alt

    from mlperf_logging.scoring.rcp.points import ReferenceTable
    from mlperf_logging.scoring.rcp.test import ConvergenceCheck

_ACCENT = COLORS[1]
_CROSS = "M-0.7,-0.7L0.7,0.7M-0.7,0.7L0.7,-0.7"


def chart_reference(
    check: ConvergenceCheck, table: ReferenceTable | None = None, *, title: str = ""
) -> alt.LayerChart:
    """Chart where a submission converged, the reference points, and the smallest acceptable mean.

    Filled squares on a line are the points that count, hollow ones those that were pruned; the dashed line is the
    smallest acceptable mean. The submission's runs are crosses, its mean a diamond, and the bar below it is the smallest
    acceptable mean of its batch size: between the two is the margin.

    Args:
        check: the submission and what it was judged against.
        table: the reference runs themselves, drawn as small dots; None leaves them out.
        title: above the chart; empty for none.

    Returns:
        The chart.
    """
    import altair as alt

    picture = prepare_reference(check, table)
    layers = [*_layer_between(picture), *_layer_points(picture), *_layer_submission(picture)]
    notes = [
        "squares: reference means (hollow: pruned); dots: reference runs; dashed: smallest acceptable mean",
        "; ".join(
            filter(None, [f"crosses: {picture.converged_text}", picture.mean_text, picture.smallest_text])
        ),
    ]
    if picture.margin_text:
        notes.append(f"{picture.margin_text} to the smallest acceptable mean")
    description = f"{picture.y_title}, over batch sizes. {notes[1].removeprefix('crosses: ').capitalize()}."
    if picture.margin_text:
        description += f" {picture.margin_text.capitalize()}."
    styled: alt.LayerChart = style_chart(alt.layer(*layers), title, notes, description=description)
    return styled


def _encode(picture: ReferencePicture, field: str = "y") -> dict[str, alt.X | alt.Y]:
    import altair as alt

    return {
        "x": alt.X(
            "x:Q",
            title=X_TITLE,
            scale=alt.Scale(type="log", base=2, nice=False, padding=16),
            axis=alt.Axis(values=picture.sizes, format=",d", labelOverlap="greedy", labelSeparation=6),
        ),
        "y": alt.Y(f"{field}:Q", title=picture.y_title, scale=alt.Scale(zero=False)),
    }


def _make(rows: list[dict[str, float | int | None]]) -> alt.Chart:
    import altair as alt

    rounded = [
        {name: round_figures(float(each)) for name, each in row.items() if each is not None} for row in rows
    ]
    return alt.Chart(alt.InlineData(values=rounded))


def _layer_between(picture: ReferencePicture) -> list[alt.Chart]:
    if not picture.lines:
        return []
    data = _make([{"x": size, "y": mean, "low": low} for size, mean, low in picture.lines])
    return [
        data.mark_area(color=REFERENCE_COLOR, opacity=0.14).encode(**_encode(picture), y2="low:Q"),
        data.mark_line(color=INK, strokeWidth=1.4).encode(**_encode(picture)),
        data.mark_line(color=INK, strokeWidth=1.2, strokeDash=[6, 4], opacity=0.7).encode(
            **_encode(picture, "low")
        ),
    ]


def _layer_points(picture: ReferencePicture) -> list[alt.Chart]:
    import altair as alt

    layers = []
    if picture.runs:
        runs = _make([{"x": size, "y": run} for size, run in picture.runs])
        layers.append(runs.mark_circle(color=INK, opacity=0.3, size=10).encode(**_encode(picture)))
    for points, filled in ((picture.aside, False), (picture.counting, True)):
        if points:
            data = _make(
                [
                    {"x": each.batch_size, "y": each.mean, "deviation": each.deviation, "runs": each.kept}
                    for each in points
                ]
            )
            marks = data.mark_point(
                shape="square", color=INK, filled=filled, size=60, opacity=1 if filled else 0.6
            )
            layers.append(
                marks.encode(
                    **_encode(picture),
                    tooltip=[
                        alt.Tooltip("x:Q", title="batch size", format=","),
                        alt.Tooltip("y:Q", title=f"reference mean ({picture.unit})", format=NUMBER),
                        alt.Tooltip("deviation:Q", title="standard deviation", format=NUMBER),
                        alt.Tooltip("runs:Q", title="runs that count"),
                    ],
                )
            )
    return layers


def _layer_submission(picture: ReferencePicture) -> list[alt.Chart]:
    import altair as alt

    size = picture.batch_size
    shown = [alt.Tooltip("y:Q", title=f"converged at ({picture.unit})", format=NUMBER)]
    layers = [
        _make([{"x": size, "y": run} for run in picture.converged])
        .mark_point(shape=_CROSS, filled=False, color=_ACCENT, size=60, strokeWidth=1.4)
        .encode(**_encode(picture), tooltip=shown)
    ]
    if picture.smallest is not None:
        bar = _make([{"x": size, "y": picture.smallest}])
        what = [alt.Tooltip("y:Q", title=f"smallest acceptable mean ({picture.unit})", format=NUMBER)]
        marks = bar.mark_tick(color=_ACCENT, orient="horizontal", thickness=3, size=30)
        layers.append(marks.encode(**_encode(picture), tooltip=what))
    if picture.mean is not None and picture.smallest is not None:
        between = _make([{"x": size, "y": picture.mean, "low": picture.smallest}])
        layers.append(
            between.mark_rule(color=_ACCENT, strokeWidth=1.6).encode(**_encode(picture), y2="low:Q")
        )
    if picture.mean is not None:
        mean = _make([{"x": size, "y": picture.mean}])
        what = [alt.Tooltip("y:Q", title=f"mean of the submission ({picture.unit})", format=NUMBER)]
        marks = mean.mark_point(shape="diamond", color=_ACCENT, filled=True, size=150, opacity=1, stroke=INK)
        layers.append(marks.encode(**_encode(picture), tooltip=what))
    return layers
