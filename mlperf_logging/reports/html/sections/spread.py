"""How much the runs of each system differ, and where that comes from."""

from __future__ import annotations

from mlperf_logging.analysis.analyses import (
    SEEDS,
    VARIANCE,
    AnalysisParameters,
    analyze_runs,
    list_doubts,
    select_runs,
)
from mlperf_logging.errors import UsageError
from mlperf_logging.reports.documents.analyze import describe_analyses
from mlperf_logging.reports.html.charting import make_chart, split_benchmarks
from mlperf_logging.reports.html.grids import make_grid
from mlperf_logging.reports.html.material import Page
from mlperf_logging.reports.html.model import Chart, Gallery, Section

_SHOWN = {"benchmark", "submitter", "system"}


def make_spread(page: Page) -> Section | None:
    """The section; None where no run counts."""
    parameters = AnalysisParameters()
    runs = select_runs(page.tables.runs)
    if runs.empty:
        return None
    made = analyze_runs(page.tables, [VARIANCE, SEEDS], parameters)
    document = describe_analyses(made, parameters, list_doubts(page.tables, parameters))
    grids = [make_grid(table, f"{table.name}-table", shown=_SHOWN) for table in document.tables if table.rows]
    return Section(
        "spread",
        "Spread",
        Gallery(
            about="How much runs of the same benchmark on the same system differ in time; only runs that converged count.",
            charts=tuple(_chart_benchmarks(page)),
            grids=tuple(grids),
            notes=document.notes,
        ),
    )


def _chart_benchmarks(page: Page) -> list[Chart]:
    from mlperf_logging.analysis.charts import chart_spread

    charts: list[Chart] = []
    groups, _ = split_benchmarks(select_runs(page.tables.runs))
    for benchmark, runs in groups:
        title = f"{benchmark}: time of each run"
        try:
            chart = chart_spread(runs, by=("submitter", "system"))
        except UsageError:  # no run of it has a time
            continue
        charts.append(make_chart(f"spread-{len(charts) + 1}", title, chart))
    return charts
