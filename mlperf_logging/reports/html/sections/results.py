"""The results: a row per system and benchmark; and the runs: a row per log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mlperf_logging.analysis.analyses import RUNS, AnalysisParameters
from mlperf_logging.reports.documents.analyze import describe_analyses
from mlperf_logging.reports.documents.summary import describe_summary
from mlperf_logging.reports.html.grids import make_grid
from mlperf_logging.reports.html.material import Page
from mlperf_logging.reports.html.model import Gallery, Section
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


def make_results_section(page: Page) -> Section:
    """The section of results."""
    # the same system on two sides is two systems
    systems = [system for results in page.results_by_side for system in summarize_results(results)]
    (table,) = describe_summary(systems, []).tables
    package = page.material.package
    has_check = package is not None and bool(package.tables)
    took = make_grid(
        page.rename(table),
        "results-table",
        mark=mark_value,
        title="What each result took" if has_check else "",
        looks={"path": {"title": "Folder", "kind": TEXT}},
        shown=("path",) if page.sides else (),
        hidden=_HIDDEN,
    )
    grids = [took]
    if package is not None and has_check:
        title = "Whether each result is acceptable"
        checked = make_grid(page.rename(package.tables[0]), "package-table", mark=mark_value, title=title)
        grids.insert(0, checked)
    return Section("results", "Results", Gallery(grids=tuple(grids)))


def make_runs_section(page: Page) -> Section:
    """The section of runs."""
    (table,) = describe_analyses({RUNS: page.tables.runs}, AnalysisParameters(), ()).tables
    hidden = ("progress_unit", "ruleset")
    grid = make_grid(_add_verdicts(page, table), "runs-table", mark=mark_value, title="", hidden=hidden)
    return Section("runs", "Runs", Gallery(grids=(grid,)))


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


def mark_value(name: str, value: Any) -> str:
    """The mark of a value: whether a verdict is good, whether there is an error or no score."""
    if name in _MARKED:
        return _MARKS.get(value, "")
    if name == "errors":
        return "bad" if value else ""
    return "bad" if name == "score_minutes" and value is None else ""
