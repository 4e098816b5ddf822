"""The score of a suite: each system's, and the normalized results that it is made of."""

from __future__ import annotations

from mlperf_logging.errors import UsageError
from mlperf_logging.reports.documents.suite import describe_suite, describe_suite_results
from mlperf_logging.reports.html.charting import make_chart
from mlperf_logging.reports.html.grids import make_grid
from mlperf_logging.reports.html.material import Page
from mlperf_logging.reports.html.model import Chart, Gallery, Section

_COSTS = ("energy_kj", "cost_of_score", "cost_of_all_runs", "cost_of_energy", "currency")


def make_suite(page: Page) -> Section | None:
    """The section; None where no suite is asked for."""
    scored = page.material.suite
    if scored is None:
        return None
    from mlperf_logging.analysis.charts import chart_suite
    from mlperf_logging.analysis.suite_table import tabulate_suite

    charts: list[Chart] = []
    notes: list[str] = []
    try:
        chart = chart_suite(tabulate_suite(scored), scored.scores)
    except UsageError as error:
        notes.append(str(error))
    else:
        charts.append(make_chart("suite-chart", "Normalized results", chart))
    systems = describe_suite(scored.suite.name, scored.scores, list(scored.suite.benchmarks))
    results = describe_suite_results(scored)
    grids = (
        make_grid(systems, "suite-table", title="Score of each system", shown=_COSTS),
        make_grid(results, "suite-results-table", title="Result of each benchmark", shown=_COSTS),
    )
    about = (
        f"{scored.suite.title}. A normalized result is the reference's time over the result, so bigger is better; the score "
        "is their weighted geometric mean, and needs all of them."
    )
    content = Gallery(about=about, charts=tuple(charts), grids=grids, notes=tuple(notes))
    return Section("suite", "Suite", content)
