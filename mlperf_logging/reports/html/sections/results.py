"""The results: a row per system and benchmark; and the runs: a row per log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mlperf_logging.analysis.analyses import RUNS, AnalysisParameters
from mlperf_logging.reports.documents.analyze import describe_analyses
from mlperf_logging.reports.documents.summary import describe_summary
from mlperf_logging.reports.html.grids import make_grid
from mlperf_logging.reports.html.material import Page
from mlperf_logging.reports.html.model import Grid, Section
from mlperf_logging.submission.summary import summarize_results
from mlperf_logging.tables import COUNT, TEXT, Column, Table

_MARKS = {
    **dict.fromkeys(("passed", "pass", "acceptable"), "good"),
    **dict.fromkeys(("failed", "fail", "error", "not acceptable", "not judged"), "bad"),
    "in progress": "warn",
}
_MARKED = {"rcp", "verdict"}
_HIDDEN = {"scaling_factor", "converged", "converged_unit", "accelerator_model_name"}
_VERDICT_COLUMNS = (
    Column("verdict", TEXT, "of the compliance check", priority=0),
    Column("errors", COUNT, "findings of severity error", priority=0),
    Column("warnings", COUNT, "findings of severity warning"),
)


@dataclass(frozen=True)
class Results:
    """The results, or the runs.

    Attributes:
        grids: their tables.
    """

    grids: tuple[Grid, ...]


def make_results_section(page: Page) -> Section:
    """The section of results."""
    (table,) = describe_summary(summarize_results(page.material.results), []).tables
    grids = [make_grid(page.rename(table), "results-table", mark=_mark, hidden=_HIDDEN)]
    package = page.material.package
    if package is not None and package.tables:
        checked = make_grid(page.rename(package.tables[0]), "package-table", mark=_mark)
        grids.insert(0, replace(checked, title="Whether each result is acceptable"))
        grids[1] = replace(grids[1], title="What each result took")
    return Section("results", "Results", Results(tuple(grids)))


def make_runs_section(page: Page) -> Section:
    """The section of runs."""
    (table,) = describe_analyses({RUNS: page.tables.runs}, AnalysisParameters(), ()).tables
    grid = make_grid(
        _add_verdicts(page, table), "runs-table", mark=_mark, hidden=("progress_unit", "ruleset")
    )
    return Section("runs", "Runs", Results((replace(grid, title=""),)))


def _add_verdicts(page: Page, table: Table) -> Table:
    """The table of runs, which are those of the logs in their order, with what the check of each says."""
    files = {file.verdict.path: file for file in page.material.files}
    rows = []
    for log, row in zip(page.material.logs, table.rows, strict=True):
        file = files.get(log.verdict.path)
        counts = (0, 0) if file is None else (file.error_count, file.warning_count)
        rows.append(
            (row[0], str(log.verdict.verdict if file is None else file.verdict.verdict), *counts, *row[1:])
        )
    columns = (table.columns[0], *_VERDICT_COLUMNS, *table.columns[1:])
    return replace(table, columns=columns, rows=tuple(rows))


def _mark(name: str, value: Any) -> str:
    if name in _MARKED:
        return _MARKS.get(value, "")
    if name == "errors":
        return "bad" if value else ""
    return "bad" if name == "score_minutes" and value is None else ""
