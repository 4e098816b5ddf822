"""Charts within a page that loads nothing from elsewhere: the libraries, the script that draws, and a chart's data.

A page has, in this order, for each chart an empty element with an id, and beside it
``<script type="application/json" class="chart-data" data-for="ID">`` with what `pack_chart` gives as JSON; then a script
with `bundle_libraries` and one with `read_drawing_script`. Both run under a content security policy without
``unsafe-eval``, since Vega's expressions are interpreted, and without ``unsafe-inline``: the hashes of the two are enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from mlperf_logging.analysis.charts.looks import NOTES

_LIBRARIES = "window.vegaEmbed = vegaEmbed; window.vegaLite = vegaLite; window.vega = vega;"
_MOST_SVG_MARKS = 6000
"""More points than these are drawn on a canvas, which is faster, as one picture."""


@lru_cache(maxsize=1)
def bundle_libraries() -> str:
    """Vega, Vega-Lite and Vega-Embed as one JavaScript of 0.9 MB, which puts them at ``window``."""
    import vl_convert

    return str(vl_convert.javascript_bundle(_LIBRARIES, vl_version=_find_version()))


@lru_cache(maxsize=1)
def read_drawing_script() -> str:
    """The JavaScript that draws the charts of a page, each when it comes into view.

    A chart's element gets a ``<p class="chart-note">`` for each note of the chart and a ``<div class="chart-plot">`` as wide
    as itself, and once it is drawn the attribute ``data-drawn``. What a pointer shows is in ``#vg-tooltip-element``, whose
    look is left to the page: it is shown while it has the class ``visible``.

    Text and lines take the color of the text around the chart, so a dark page or a print needs nothing else.
    ``window.mlperfCharts`` has ``drawAll()`` (a promise, before printing), ``drawWhenIdle()`` (the same, one by one),
    ``redraw()`` (after a change of colors other than by an attribute of ``<html>`` or the reader's settings) and ``charts``
    (by id, with Vega's ``view``).
    """
    return (files(__package__) / "drawing.js").read_text("utf-8")


def pack_chart(chart: Any) -> dict[str, Any]:
    """What a page holds of a chart, to be encoded as JSON.

    Args:
        chart: an Altair chart.

    Returns:
        Its definition in Vega-Lite ("spec") as wide as its element and without its title, for pages have headings; the
        "notes" on how it is drawn; and the "renderer", "svg" or for many points "canvas".
    """
    from altair import Undefined

    light = chart.copy(deep=False)
    datasets = {} if light.datasets is Undefined else dict(light.datasets)
    light.datasets = Undefined  # Altair would look at every number, which takes most of the time
    spec = light.to_dict(validate=False)  # the tests do it
    spec.setdefault("datasets", {}).update(datasets)
    notes = spec.get("usermeta", {}).get(NOTES, [])
    spec.pop("title", None)
    spec["width"] = "container"
    marks = sum(_count_points(row) for rows in spec.get("datasets", {}).values() for row in rows)
    return {"spec": spec, "notes": notes, "renderer": "canvas" if marks > _MOST_SVG_MARKS else "svg"}


def _count_points(row: Mapping[str, Any]) -> int:
    return max((len(value) for value in row.values() if isinstance(value, list)), default=1)


def _find_version() -> str:
    """The version of Vega-Lite that the charts are written for, as vl-convert names it."""
    import altair as alt

    return ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
