"""How quality grew in each run, with the target and where the reference converges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlperf_logging.errors import UsageError
from mlperf_logging.reports._lines import count_of
from mlperf_logging.reports.html.charting import make_chart, split_benchmarks
from mlperf_logging.reports.html.material import Page
from mlperf_logging.reports.html.model import Chart, Gallery, Section

if TYPE_CHECKING:
    import pandas as pd

MOST_METRICS = 6
"""Metrics of a benchmark at most that have a chart."""


def make_convergence(page: Page) -> Section | None:
    """The section; None where no log holds an evaluation."""
    charts: list[Chart] = []
    groups, notes = split_benchmarks(page.tables.evaluations)
    for benchmark, rows in groups:
        charts += _chart_benchmark(page, benchmark, rows, len(charts), notes)
    if not charts and not notes:
        return None
    about = (
        "Quality over the training of each run. A click on a name in a legend isolates its runs, with the shift key "
        "several; a pointer shows run, seed, value and the line in the log."
    )
    return Section(
        "convergence", "Convergence", Gallery(about=about, charts=tuple(charts), notes=tuple(notes))
    )


def _chart_benchmark(
    page: Page, benchmark: str, rows: pd.DataFrame, count: int, notes: list[str]
) -> Iterator[Chart]:
    from mlperf_logging.analysis.charts import ConvergenceStyle, chart_convergence
    from mlperf_logging.analysis.pictures.curves import list_metrics
    from mlperf_logging.analysis.references import find_reference_range

    x = "progress" if rows["progress_unit"].dropna().nunique() <= 1 else "minutes"
    runs = page.tables.runs
    reference = find_reference_range(runs[runs["path"].isin(rows["path"])], x, rules=page.material.rules)
    metrics = list_metrics(rows, x)
    if len(metrics) > MOST_METRICS:
        notes.append(f"{benchmark}: {count_of(len(metrics) - MOST_METRICS, 'further metric')} not drawn")
    for metric in metrics[:MOST_METRICS]:
        drawn = rows[rows["metric"].isna() if metric is None else rows["metric"] == metric]
        title = f"{benchmark}: {metric or 'quality'}, {count_of(drawn['path'].nunique(), 'run')}"
        try:
            chart = chart_convergence(drawn, ConvergenceStyle(x, metric), reference=reference)
        except UsageError as error:
            notes.append(f"{title}: {error}")
            continue
        count += 1
        yield make_chart(f"convergence-{count}", title, chart)
