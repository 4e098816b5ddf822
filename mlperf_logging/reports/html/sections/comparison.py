"""Systems compared, and rounds or folders compared, where there are several."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.analyses import (
    COMPARISON,
    SCALING,
    AnalysisParameters,
    analyze_runs,
    select_runs,
)
from mlperf_logging.analysis.comparison import compare_systems
from mlperf_logging.errors import UsageError
from mlperf_logging.reports.documents.analyze import describe_analyses
from mlperf_logging.reports.documents.folders import name_system
from mlperf_logging.reports.documents.rcp import show_p
from mlperf_logging.reports.documents.score import describe_speedups, show_times
from mlperf_logging.reports.html.charting import make_chart, split_benchmarks
from mlperf_logging.reports.html.grids import make_grid
from mlperf_logging.reports.html.material import Page
from mlperf_logging.reports.html.model import Chart, Gallery, Grid, Section
from mlperf_logging.scoring.speedups import compare_speeds, gather_minutes

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = (
    *("benchmark", "runs_a", "runs_b", "mean_a", "mean_b", "speedup", "speedup_low", "speedup_high"),
    *("p_value", "share_of_pairs_b_smaller"),
)

_LOOKS: dict[str, dict[str, Any]] = {
    "runs_a": {"title": "runs of A"},
    "runs_b": {"title": "runs of B"},
    "mean_a": {"title": "mean of A", "unit": "min"},
    "mean_b": {"title": "mean of B", "unit": "min"},
    "speedup": {"title": "B faster by", "format": show_times},
    "speedup_low": {"title": "from", "format": show_times},
    "speedup_high": {"title": "to", "format": show_times},
    "p_value": {"title": "p", "format": show_p},
    "share_of_pairs_b_smaller": {"title": "pairs in which B is faster", "format": ".1%"},
}


class _Parts:
    """The charts and tables so far."""

    def __init__(self) -> None:
        self.charts: list[Chart] = []
        self.grids: list[Grid] = []

    def add_chart(self, title: str, chart: object) -> None:
        """Add a chart under a title."""
        self.charts.append(make_chart(f"comparison-{len(self.charts) + 1}", title, chart))


def make_comparison(page: Page) -> Section | None:
    """The section; None where there is nothing to compare."""
    parts = _Parts()
    if page.sides:
        _compare_sides(parts, page)
    else:
        _compare_known_systems(parts, page)
    _show_scaling(parts, page)
    if not parts.charts and not parts.grids:
        return None
    return Section("comparison", "Comparison", Gallery(charts=tuple(parts.charts), grids=tuple(parts.grids)))


def _compare_sides(parts: _Parts, page: Page) -> None:
    """Each folder that was named against the first: the scores, and the times of the runs."""
    scores = [
        (page.find_side(each), each.score.benchmark, each.score.score_minutes)
        for each in page.material.results
    ]
    first, *others = page.sides
    _compare_scores(parts, gather_minutes(scores), first)
    for other in others:
        _compare_runs(parts, _pick_side(page, first), _pick_side(page, other), (first, other))


def _compare_known_systems(parts: _Parts, page: Page) -> None:
    """Each system against the one with the most scores; the runs of two systems."""
    scores = [each.score for each in page.material.results if each.score.folder.system is not None]
    minutes = gather_minutes(
        (name_system(each.folder), each.benchmark, each.score_minutes) for each in scores
    )
    scored = {name: found for name, found in minutes.items() if found}
    if scored:
        _compare_scores(parts, scored, max(scored, key=lambda name: len(scored[name])))
    runs = select_runs(page.tables.runs)
    sides = [(_join_names(key), rows) for key, rows in runs.groupby(["submitter", "system"], sort=False)]
    if len(sides) == 2:
        (name_a, runs_a), (name_b, runs_b) = sides
        _compare_runs(parts, runs_a, runs_b, (name_a, name_b))


def _join_names(names: Iterable[object]) -> str:
    return " ".join(map(str, names))


def _compare_scores(parts: _Parts, minutes: dict[str, dict[str, float]], baseline: str) -> None:
    """A table of scores, with speedups over a baseline; none where only one column has a score."""
    scored = {name: found for name, found in minutes.items() if found}
    if len(scored) > 1 and baseline in scored:
        table = describe_speedups(compare_speeds(scored, baseline))
        title = f"Scores, with speedups over {baseline}"
        parts.grids.append(
            make_grid(
                table,
                "speedups-table",
                title=title,
                looks={"of": {"title": "System"}, "minutes": {"unit": "min"}},
            )
        )


def _compare_runs(parts: _Parts, runs_a: pd.DataFrame, runs_b: pd.DataFrame, names: tuple[str, str]) -> None:
    """Whether the runs of one side are faster, by how much, and how sure that is."""
    from mlperf_logging.analysis.charts import chart_comparison

    parameters = AnalysisParameters()
    try:
        made = compare_systems(runs_a, runs_b, parameters.value, parameters=parameters)
    except UsageError:  # they share no benchmark
        return
    (table,) = describe_analyses({COMPARISON: made}, parameters, (), names).tables
    title = f"Times of runs: A is {names[0]}, B is {names[1]}"
    parts.grids.append(
        make_grid(table, f"times-table-{len(parts.grids) + 1}", title=title, looks=_LOOKS, shown=_SHOWN)
    )
    try:
        parts.add_chart(
            f"How many times faster {names[1]} is than {names[0]}", chart_comparison(made, *names)
        )
    except UsageError:  # too few runs for an interval
        return


def _pick_side(page: Page, name: str) -> pd.DataFrame:
    """The runs of a side that count."""
    runs = page.tables.runs
    known = {page.naming.name(path) for path in page.sides[name]}
    return select_runs(runs[runs["path"].isin(known)])


def _show_scaling(parts: _Parts, page: Page) -> None:
    from mlperf_logging.analysis.charts import chart_scaling

    parameters = AnalysisParameters()
    try:
        made = analyze_runs(page.tables, [SCALING], parameters)
    except UsageError:  # no log and no description says how many accelerators there are
        return
    (table,) = describe_analyses(made, parameters, ()).tables
    if not table.rows:
        return
    parts.grids.append(make_grid(table, "scaling-table"))
    groups, _ = split_benchmarks(made[SCALING])
    for benchmark, rows in groups:
        try:
            chart = chart_scaling(rows)
        except UsageError:  # none of its sizes has a mean
            continue
        parts.add_chart(f"{benchmark}: efficiency over the number of accelerators", chart)
