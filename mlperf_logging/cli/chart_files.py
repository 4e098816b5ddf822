"""The pictures of `mlperf plot` as interactive charts: a page that opens anywhere, or the definition in Vega-Lite."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import altair as alt

HTML_LIBRARIES = ("numpy", "pandas", "scipy", "altair", "itables", "jinja2", "vl_convert")
JSON_LIBRARIES = ("numpy", "pandas", "scipy", "altair")


class CaptionedChart(NamedTuple):
    """A chart and what people read above it on a page.

    Attributes:
        caption: what it shows; empty where the page's title says it.
        chart: the chart.
    """

    caption: str
    chart: alt.LayerChart


def render_chart_page(title: str, what: str, charts: Sequence[CaptionedChart], notes: Sequence[str]) -> bytes:
    """A page of charts as the bytes of an HTML file.

    Args:
        title: of the page.
        what: what its charts show.
        charts: the charts.
        notes: lines on what is left out.
    """
    from mlperf_logging.reports.html.charting import make_chart
    from mlperf_logging.reports.html.model import Gallery, ReportModel, Section
    from mlperf_logging.reports.html.rendering import render_page

    made = [
        make_chart(f"chart-{place}", each.caption or what, each.chart) for place, each in enumerate(charts, 1)
    ]
    content = Gallery(charts=tuple(made), notes=tuple(notes))
    section = Section("charts", "Charts" if len(made) > 1 else "Chart", content)
    return render_page(ReportModel(title=title, sections=(section,))).encode()


def render_definition(charts: Sequence[CaptionedChart]) -> bytes:
    """A chart's definition in Vega-Lite as the bytes of a JSON file.

    Raises:
        UsageError: there are several charts, which one definition does not hold.
    """
    if len(charts) > 1:
        known = ", ".join(each.caption for each in charts)
        raise UsageError(
            f"a file in Vega-Lite holds one chart, not {len(charts)}; choose one with --metric: {known}"
        )
    return (json.dumps(charts[0].chart.to_dict(), ensure_ascii=True, allow_nan=False) + "\n").encode()
