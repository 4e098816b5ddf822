"""Where the time of each run goes."""

from __future__ import annotations

from mlperf_logging.errors import UsageError
from mlperf_logging.reports.html.charting import make_chart, split_benchmarks
from mlperf_logging.reports.html.material import Page
from mlperf_logging.reports.html.model import Chart, Gallery, Section


def make_time(page: Page) -> Section | None:
    """The section; None where no log shows where its time went."""
    from mlperf_logging.analysis.charts import chart_breakdown

    charts: list[Chart] = []
    groups, notes = split_benchmarks(page.tables.runs)
    for benchmark, runs in groups:
        try:
            chart = chart_breakdown(runs)
        except UsageError:  # no log of it has such intervals
            continue
        title = f"{benchmark}: training, evaluation and the rest"
        charts.append(make_chart(f"time-{len(charts) + 1}", title, chart))
    if not charts:
        return None
    about = "Initialization, before the clock starts, is to the left of 0; the rest is neither training nor evaluation."
    return Section(
        "time", "Where the time goes", Gallery(about=about, charts=tuple(charts), notes=tuple(notes))
    )
