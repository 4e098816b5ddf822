"""Where the time of each run goes."""

from __future__ import annotations

from mlperf_logging.errors import UsageError
from mlperf_logging.reports.html.charting import make_chart, name_benchmark
from mlperf_logging.reports.html.material import Page
from mlperf_logging.reports.html.model import Chart, Gallery, Section


def make_time(page: Page) -> Section | None:
    """The section; None where no log shows where its time went."""
    from mlperf_logging.analysis.charts import chart_breakdown

    charts: list[Chart] = []
    for benchmark, runs in page.tables.runs.groupby("benchmark", sort=False, dropna=False):
        try:
            chart = chart_breakdown(runs)
        except UsageError:  # no log of it has such intervals
            continue
        title = f"{name_benchmark(benchmark)}: training, evaluation and the rest"
        charts.append(make_chart(f"time-{len(charts) + 1}", title, chart))
    if not charts:
        return None
    about = "Initialization, before the clock starts, is to the left of 0; the rest is neither training nor evaluation."
    return Section("time", "Where the time goes", Gallery(about=about, charts=tuple(charts)))
