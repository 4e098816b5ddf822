"""The picture of a suite: normalized results, the time to quality of each run, and the curves of each benchmark."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mlperf_logging.cli.chart_files import CaptionedChart
from mlperf_logging.cli.picture import Picture
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from mlperf_logging.analysis.references import ReferenceRange
    from mlperf_logging.analysis.tables import Tables
    from mlperf_logging.scoring.suite_results import ScoredSuite

_COLUMNS = 3
_LEGEND = (
    "curves: one run each; dashed: the target; hollow: the first evaluation that meets it; hatched: where the reference "
    "converges, from the smallest accepted mean to the mean"
)
_TIME = "time_to_quality_seconds"


class _Panel(NamedTuple):
    """The curves of one metric of a benchmark."""

    title: str
    evaluations: pd.DataFrame
    x: str
    metric: str | None
    reference: ReferenceRange | None


def make_suite_picture(tables: Tables, options: argparse.Namespace) -> Picture:
    """The picture of the suite that ``--suite`` names.

    Raises:
        UsageError: no suite is named, or there is nothing of it to draw.
    """
    from mlperf_logging.analysis.analyses import select_runs
    from mlperf_logging.analysis.grouping import GROUP
    from mlperf_logging.analysis.plots import ConvergenceStyle, draw_convergence, draw_spread, draw_suite
    from mlperf_logging.analysis.plots.looks import to_label
    from mlperf_logging.analysis.suite_table import tabulate_suite

    scored = _read_suite(options)
    table, order = tabulate_suite(scored), list(scored.suite.benchmarks)
    runs = tables.runs[tables.runs["benchmark"].isin(table["benchmark"])]
    timed = select_runs(runs, only_converged=True).dropna(subset=[_TIME])
    panels = _list_panels(tables, order, set(table["benchmark"]), options)
    is_normalized = bool(table["normalized"].notna().any())
    is_timed = not timed.empty
    count = is_normalized + is_timed + len(panels)
    if not count:
        raise UsageError("no log of the suite holds an evaluation, so there is nothing to draw")
    rows = math.ceil(count / _COLUMNS)
    title = options.title or _make_title(scored)
    left_out = _explain_missing(scored)

    def draw(axes: list[Any]) -> None:
        figure = axes[0].figure
        figure.suptitle(to_label(title), x=0.01, horizontalalignment="left", fontsize="medium")
        figure.supxlabel(_LEGEND, x=0.01, horizontalalignment="left", fontsize="small")
        figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)
        free = iter(axes)
        if is_normalized:
            _name(draw_suite(next(free), table, scored.scores), "normalized results")
        if is_timed:
            _name(draw_spread(next(free), timed, _TIME, by=GROUP), "time to quality of each run")
        for panel in panels:
            drawn = draw_convergence(
                next(free),
                panel.evaluations,
                ConvergenceStyle(panel.x, panel.metric),
                reference=panel.reference,
                names=False,
            )
            _name(drawn, panel.title)
        for unused in free:
            unused.set_visible(False)

    def make_charts(_: str) -> list[CaptionedChart]:
        from mlperf_logging.analysis.charts import chart_convergence, chart_spread, chart_suite

        charts = []
        if is_normalized:
            charts.append(CaptionedChart("normalized results", chart_suite(table, scored.scores)))
        if is_timed:
            chart = chart_spread(timed, _TIME, by=GROUP)
            charts.append(CaptionedChart("time to quality of each run", chart))
        return charts + [
            CaptionedChart(
                panel.title,
                chart_convergence(
                    panel.evaluations, ConvergenceStyle(panel.x, panel.metric), reference=panel.reference
                ),
            )
            for panel in panels
        ]

    return Picture(
        table,
        draw,
        make_charts,
        title,
        draws_title=True,
        size=(5.0 * _COLUMNS, 3.3 * rows + 0.4),
        rows=rows,
        columns=_COLUMNS,
        left_out=left_out,
    )


def _read_suite(options: argparse.Namespace) -> ScoredSuite:
    from mlperf_logging.cli.scoring import read_folders, score_folders_in_suite
    from mlperf_logging.scoring.folders import score_folder
    from mlperf_logging.scoring.suites import list_suites, load_suite

    if options.suite is None:
        known = ", ".join(list_suites(options.rules))
        raise UsageError(f"name the suite with --suite: {known}, or a YAML file")
    suite = load_suite(options.suite, options.rules)
    folders = read_folders(argparse.Namespace(**{**vars(options), "quiet": True}), "mlperf plot")
    scored = score_folders_in_suite(suite, [score_folder(each.folder, each.runs) for each in folders])
    if not scored.results:
        raise UsageError(
            f"there is no result of the suite {suite.name}; its benchmarks are {', '.join(suite.benchmarks)}"
        )
    return scored


def _list_panels(
    tables: Tables, order: Sequence[str], known: set[str], options: argparse.Namespace
) -> Sequence[_Panel]:
    """The curves, benchmark by benchmark in the order of the suite."""
    from mlperf_logging.analysis.pictures.curves import list_metrics
    from mlperf_logging.analysis.references import find_reference_range

    panels = []
    for benchmark in order:
        rows = tables.evaluations[tables.evaluations["benchmark"] == benchmark]
        if benchmark not in known or rows.empty:
            continue
        x = options.x or ("progress" if rows["progress_unit"].dropna().nunique() <= 1 else "minutes")
        runs = tables.runs[tables.runs["benchmark"] == benchmark]
        reference = find_reference_range(runs, x, rules=options.rules)
        panels += [
            _Panel(
                f"{benchmark}: {metric}" if metric else benchmark,
                rows[rows["metric"].isna() if metric is None else rows["metric"] == metric],
                x,
                metric,
                reference,
            )
            for metric in list_metrics(rows, x)
        ]
    return panels


def _name(axes: Any, title: str) -> None:
    from mlperf_logging.analysis.plots.looks import to_label

    axes.set_title(to_label(title), fontsize="medium", loc="left")


def _make_title(scored: ScoredSuite) -> str:
    """The suite, and the score of each system that has one."""
    scores = [f"{each.system} {each.score:.3f}" for each in scored.scores if each.score is not None]
    return f"{scored.suite.title}: {', '.join(scores)}" if scores else scored.suite.title


def _explain_missing(scored: ScoredSuite) -> list[str]:
    """Why systems have no score, a sentence each."""
    from mlperf_logging.reports.documents.suite import explain_no_score

    return [f"{each.system}: {sentence}" for each in scored.scores for sentence in explain_no_score(each)]
