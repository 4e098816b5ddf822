"""How charts look: one palette and one ink, which do on light and on dark paper alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.pictures.names import shorten_name
from mlperf_logging.markup import to_printable

if TYPE_CHECKING:
    import altair as alt


INK: Any = {"expr": "ink"}
"""Color of all text and of lines that belong to no system: the parameter `ink` of each chart, which is the color of the
text around the chart unless it is set."""

COLORS = ("#0089A5", "#C7330F", "#969933", "#CC64D3", "#237737", "#0698FE", "#996A74")
"""Colors of systems and runs. Each has a contrast of at least 3 to white and to near-black, and any two differ for
people who see no red, green or blue as for others (`tests/unit/analysis/test_charts_looks.py` holds them to that)."""

REFERENCE_COLOR = "#237737"
"""Color of what the reference allows."""

DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 3], [4, 1], [10, 2, 2, 2, 2, 2])

WIDTH, HEIGHT = 640, 320
"""Size of a chart's plot in pixels; a page may stretch it to its own width."""

NUMBER = ",.7~r"
"""Format of numbers that a pointer shows: with as many figures as the data holds."""

_FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
TITLE, NOTES = "title", "notes"
"""Where a chart keeps its title and its notes in its `usermeta`."""

_NARROW = 560
_TICK_WIDTH = 90
_LABEL_SHARE = 0.36
_LONGEST_LINE = 90
_NOTE_SIZE = 12


def choose_scales(names: Iterable[str]) -> tuple[alt.Scale, alt.Scale]:
    """Scales of color and of dashes for names, in their order; the first 49 differ in at least one of the two."""
    import altair as alt

    domain = list(dict.fromkeys(names))
    colors = [COLORS[index % len(COLORS)] for index in range(len(domain))]
    dashes = [list(DASHES[(index + index // len(COLORS)) % len(DASHES)]) for index in range(len(domain))]
    return alt.Scale(domain=domain, range=colors), alt.Scale(domain=domain, range=dashes)


def choose_looks(names: Sequence[str]) -> dict[str, Any]:
    """Color and dashes by the field `curve`, with a legend where there are several names."""
    import altair as alt

    colors, dashes = choose_scales(names)
    legend = make_legend() if len(names) > 1 else None
    return {
        "color": alt.Color("curve:N", scale=colors, legend=legend),
        "strokeDash": alt.StrokeDash("curve:N", scale=dashes, legend=legend),
    }


def make_legend(symbol: str = "stroke", columns: int = 2, *, shortens: bool = True) -> alt.Legend:
    """A legend below the chart, in several columns where there is room; it may shorten long names."""
    import altair as alt

    limit = alt.expr(f"width > {_NARROW} ? width / {columns} - 40 : width - 40")
    return alt.Legend(
        title=None,
        orient="bottom",
        direction="vertical",
        columns=alt.expr(f"width > {_NARROW} ? {columns} : 1"),
        labelLimit=limit if shortens else 0,
        symbolType=symbol,
        symbolOpacity=1,
        symbolSize=400 if symbol == "stroke" else 120,
        symbolStrokeWidth=2.2 if symbol == "stroke" else 0.8,
        symbolLimit=0,
    )


def make_axis(**more: Any) -> alt.Axis:
    """A horizontal axis of numbers with as many ticks as its labels leave room for."""
    import altair as alt

    return alt.Axis(tickCount=alt.expr(f"ceil(width / {_TICK_WIDTH})"), **more)


def encode_rows(field: str, names: Sequence[str]) -> alt.Y:
    """A vertical axis with one row per name, the first on top."""
    import altair as alt

    limit = alt.expr(f"isValid(containerSize()[0]) ? max(80, containerSize()[0] * {_LABEL_SHARE}) : 320")
    axis = alt.Axis(labelLimit=limit, labelOverlap=False, grid=False, ticks=False)
    return alt.Y(f"{field}:N", title=None, sort=list(names), scale=alt.Scale(domain=list(names)), axis=axis)


def measure_rows(count: int) -> float:
    """Height in pixels of a plot with so many rows."""
    return max(70.0, count * (26.0 if count <= 14 else 21.0 if count <= 40 else 17.0))


def style_chart(
    chart: Any, title: str, notes: Sequence[str] = (), *, description: str, height: float = HEIGHT
) -> Any:
    """A chart with title, notes below the title, alternative text, size and looks.

    Args:
        chart: the chart or layers.
        title: what the chart shows; empty for none, where a page writes its own.
        notes: what a reader must know of how it is drawn, a line each; also in the chart's `usermeta`, for pages.
        description: the chart in words, for those who do not see it.
        height: height of the plot in pixels.
    """
    lines = [line for note in notes for line in wrap(note, _LONGEST_LINE)]
    head: dict[str, Any] = {}
    if title:
        head = {"title": {"text": shorten_name(to_printable(title), _LONGEST_LINE), "subtitle": lines}}
    elif lines:
        head = {"title": {"text": lines, "fontSize": _NOTE_SIZE, "fontWeight": "normal"}}
    sized = chart.properties(
        **head,
        description=description,
        width=WIDTH,
        height=height,
        usermeta={NOTES: list(notes), TITLE: title},
    )
    return sized.configure(**make_config())


def make_config() -> dict[str, Any]:
    """The configuration of Vega-Lite that all charts share."""
    ink: dict[str, Any] = {"labelColor": INK, "titleColor": INK}
    return {
        "params": [{"name": "ink", "value": "currentColor"}],
        "background": "transparent",
        "font": _FONT,
        "view": {"stroke": None},
        "title": {
            "color": INK,
            "subtitleColor": INK,
            "anchor": "start",
            "frame": "group",
            "fontSize": 14,
            "fontWeight": 600,
            "subtitleFontSize": _NOTE_SIZE,
            "subtitlePadding": 4,
            "offset": 10,
        },
        "axis": {
            **ink,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "titlePadding": 8,
            "domainColor": INK,
            "domainOpacity": 0.4,
            "tickColor": INK,
            "tickOpacity": 0.4,
            "gridColor": INK,
            "gridOpacity": 0.1,
            "labelOverlap": "greedy",
        },
        "legend": {
            **ink,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "rowPadding": 3,
        },
        "text": {"color": INK, "fontSize": 12},
        "rule": {"color": INK},
    }
