"""What results took in energy and money."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mlperf_logging.errors import UsageError
from mlperf_logging.reports._lines import count_of
from mlperf_logging.reports.documents.score import PricedScore, describe_results, describe_runs
from mlperf_logging.reports.html.charting import make_chart
from mlperf_logging.reports.html.grids import make_grid
from mlperf_logging.reports.html.material import Page
from mlperf_logging.reports.html.model import Chart, Gallery, Section
from mlperf_logging.submission.summary import BenchmarkResult
from mlperf_logging.tables import Table

MOST_CHARTS = 12
"""Results at most whose power has a chart: readings are many."""

_HEAD = ("submitter", "system", "benchmark")
_COSTS = ("cost_of_score", "cost_of_median_run", "cost_to_quality", "cost_of_all_runs", "cost_of_energy")
_RESULTS = (*_HEAD, "score_minutes", "energy_kj", *_COSTS, "currency")
_RUNS = (*_HEAD, "run", "minutes", "energy_kj")


def make_energy(page: Page) -> Section | None:
    """The section; None where nothing was measured and nothing has a price."""
    results = page.material.results
    measured = [each for each in results if any(value is not None for value in each.score.run_energy_kj)]
    known = [each for each in results if each in measured or each.cost is not None]
    if not known:
        return None
    priced = [PricedScore(each.score, each.cost) for each in known]
    table = describe_results(priced)
    grids = [make_grid(table, "energy-table", only=_RESULTS, shown=_COSTS, title="Results")]
    runs = _keep_measured(describe_runs(priced))
    if runs.rows:
        grids.append(make_grid(runs, "energy-runs-table", only=_RUNS, title="Runs"))
    notes: list[str] = []
    charts = (*_chart_amounts(table, notes), *_chart_power(page, measured[:MOST_CHARTS], notes))
    if len(measured) > MOST_CHARTS:
        notes.append(f"… and {count_of(len(measured) - MOST_CHARTS, 'further result')} without a chart")
    return Section(
        "energy", "Energy and cost", Gallery(charts=charts, grids=tuple(grids), notes=tuple(notes))
    )


def _keep_measured(table: Table) -> Table:
    index = [column.name for column in table.columns].index("energy_kj")
    return replace(table, rows=tuple([row for row in table.rows if row[index] is not None]))


def _chart_amounts(table: Table, notes: list[str]) -> Iterator[Chart]:
    from mlperf_logging.analysis.charts import chart_amounts

    results = table.to_frame()
    for value, title in (("energy_kj", "Energy of each result"), ("cost_of_score", "Cost of each result")):
        if results[value].notna().sum() > 1:
            try:
                chart = chart_amounts(results, value)
            except UsageError as error:
                notes.append(f"{title}: {error}")
                continue
            yield make_chart(f"amounts-{value}", title, chart)


def _chart_power(page: Page, measured: list[BenchmarkResult], notes: list[str]) -> Iterator[Chart]:
    from mlperf_logging.analysis.charts import chart_power
    from mlperf_logging.analysis.power_table import sum_power, tabulate_power

    for number, result in enumerate(measured, 1):
        name = page.naming.name_result(result.score.folder)
        try:
            parts = tabulate_power([run.path for run in result.score.runs], notes.append)
            is_single = parts["path"].nunique() == 1
            chart = chart_power(parts if is_single else sum_power(parts), by="part" if is_single else "run")
        except UsageError as error:
            notes.append(f"{name}: {error}")
            continue
        yield make_chart(f"power-{number}", f"{name}: power of each run", chart)
