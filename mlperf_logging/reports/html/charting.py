"""Charts of `analysis.charts` as parts of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlperf_logging.reports._lines import count_of
from mlperf_logging.reports.html.model import Chart

if TYPE_CHECKING:
    import pandas as pd

MOST_BENCHMARKS = 40
"""Benchmarks at most that have charts or tables of their own; no round has as many."""


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


def split_benchmarks(table: pd.DataFrame) -> tuple[list[tuple[str, pd.DataFrame]], list[str]]:
    """The rows of each benchmark, under its name for people, and a note where there are more than the page shows."""
    groups = [
        (name if isinstance(name, str) else "no benchmark", rows)
        for name, rows in table.groupby("benchmark", sort=False, dropna=False)
    ]
    left_out = len(groups) - MOST_BENCHMARKS
    return groups[:MOST_BENCHMARKS], [f"… and {count_of(left_out, 'more benchmark')}"] if left_out > 0 else []
