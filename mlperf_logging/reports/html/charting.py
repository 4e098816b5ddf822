"""Charts of `analysis.charts` as parts of the page."""

from __future__ import annotations

from typing import Any

from mlperf_logging.reports.html.model import Chart


def make_chart(identifier: str, title: str, chart: Any) -> Chart:
    """An Altair chart as a part of the page.

    Args:
        identifier: its id in the page.
        title: what it shows.
        chart: the chart, with its description.
    """
    from mlperf_logging.analysis.charts import pack_chart

    packed = pack_chart(chart)
    return Chart(identifier, title, str(packed["spec"].get("description", title)), packed)


def name_benchmark(benchmark: object) -> str:
    """A group's benchmark for a title."""
    return benchmark if isinstance(benchmark, str) else "no benchmark"
