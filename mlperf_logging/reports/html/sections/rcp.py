"""Whether the submissions converged like the reference, and by which margin."""

from __future__ import annotations

from collections.abc import Iterator

from mlperf_logging.reports._lines import count_of
from mlperf_logging.reports.documents.rcp import describe_checks
from mlperf_logging.reports.html.charting import make_chart
from mlperf_logging.reports.html.grids import make_grid
from mlperf_logging.reports.html.material import Page
from mlperf_logging.reports.html.model import Chart, Gallery, Section
from mlperf_logging.reports.html.sections.results import mark_value
from mlperf_logging.scoring.rcp.files import open_reference_points
from mlperf_logging.submission.summary import BenchmarkResult

MOST_CHARTS = 40
"""Results at most that have a chart; those that failed or are nearest to failing come first."""


def make_rcp(page: Page) -> Section | None:
    """The section; None where no result could be tested."""
    results = page.material.results
    tested = [each for each in results if each.check.check is not None]
    if not tested and all(each.check.passed is None for each in results):
        return None
    table = describe_checks([each.check for each in results], for_people=True)
    grid = make_grid(page.rename(table), "rcp-table", mark=mark_value)
    tested.sort(key=lambda each: (each.rcp_margin is None, each.rcp_margin))
    notes = []
    if len(tested) > MOST_CHARTS:
        notes.append(f"… and {count_of(len(tested) - MOST_CHARTS, 'further result')} without a chart")
    about = (
        "The mean of a submission must not be smaller than what the reference's runs make plausible. The margin is "
        "the submission's mean over the smallest acceptable, less 1."
    )
    return Section(
        "rcp",
        "Reference convergence",
        Gallery(
            about=about,
            charts=tuple(_chart_tests(page, tested[:MOST_CHARTS])),
            grids=(grid,),
            notes=tuple(notes),
        ),
    )


def _chart_tests(page: Page, tested: list[BenchmarkResult]) -> Iterator[Chart]:
    from mlperf_logging.analysis.charts import chart_reference

    find_table = open_reference_points(page.material.rules)
    for number, result in enumerate(tested, 1):
        check = result.check.check
        if check is None or result.check.ruleset is None or result.check.benchmark is None:
            continue
        verdict = "passed" if check.passed else "failed"
        margin = f", margin {result.rcp_margin:+.2%}" if result.rcp_margin is not None else ""
        title = f"{page.naming.name_result(result.score.folder)}: {verdict}{margin}"
        table = find_table(result.check.ruleset, result.check.benchmark)
        yield make_chart(f"rcp-{number}", title, chart_reference(check, table))
