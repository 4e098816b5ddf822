"""The pictures of `mlperf plot`: for each kind, what is drawn as a table, and what draws it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from mlperf_logging.cli.chart_files import CaptionedChart
from mlperf_logging.cli.options import split_names
from mlperf_logging.cli.picture import Picture
from mlperf_logging.cli.suite_picture import make_suite_picture
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from mlperf_logging.analysis.tables import Tables

CONVERGENCE, SERIES, SUITE = "convergence", "series", "suite"
MOST_METRICS = 12
"""So many metrics are drawn in one picture."""


def _make_convergence(tables: Tables, options: argparse.Namespace) -> Picture:
    from mlperf_logging.analysis.pictures.curves import list_metrics
    from mlperf_logging.analysis.plots import ConvergenceStyle, draw_convergence
    from mlperf_logging.analysis.references import find_reference_range

    _require_one_benchmark(tables.runs)
    evaluations = tables.evaluations
    if evaluations.empty:
        raise UsageError(f"no log holds an evaluation, so there is no curve to draw{_explain_notes(tables)}")
    units = evaluations["progress_unit"].dropna().nunique()
    x = options.x or ("progress" if units <= 1 else "minutes")
    reference = find_reference_range(tables.runs, x, rules=options.rules)
    metrics = list_metrics(evaluations, x)
    if options.metric is not None:
        if options.metric not in metrics:
            known = ", ".join(filter(None, metrics)) or "one value without a name"
            raise UsageError(f"unknown metric {options.metric!r}; choose from {known}")
        metrics = [options.metric]
    left_out = []
    if len(metrics) > MOST_METRICS:
        left_out.append(
            f"only {MOST_METRICS} of {len(metrics):,} metrics are drawn, those that most logs give; "
            "choose one with --metric"
        )
    by = _read_by(options, ("submitter", "system"))
    metrics, names = metrics[:MOST_METRICS], evaluations["metric"]

    def pick(metric: str | None) -> tuple[pd.DataFrame, ConvergenceStyle]:
        return evaluations[names.isna() if metric is None else names == metric], ConvergenceStyle(
            x, metric, by
        )

    def draw(axes: list[Any]) -> None:
        for each, metric in zip(axes, metrics, strict=True):
            draw_convergence(each, *pick(metric), reference=reference)
        for each in axes[:-1]:
            each.set_xlabel("")
            legend = each.get_legend()
            if legend is not None:
                legend.remove()

    def make_charts(title: str) -> list[CaptionedChart]:
        from mlperf_logging.analysis.charts import chart_convergence

        return [
            CaptionedChart(metric or "", chart_convergence(*pick(metric), reference=reference, title=title))
            for metric in metrics
        ]

    rows = len(metrics)
    return Picture(
        evaluations,
        draw,
        make_charts,
        _title(tables.runs),
        size=(7.4, 3.2 + 1.6 * rows),
        rows=rows,
        left_out=left_out,
    )


def _make_series(tables: Tables, options: argparse.Namespace) -> Picture:
    from mlperf_logging.analysis.plots import ConvergenceStyle, draw_series

    _require_one_benchmark(tables.runs)
    series = tables.series
    counts = series["metric"].value_counts()
    shown = ", ".join(f"{name} ({count:,})" for name, count in counts.items())
    if series.empty:
        raise UsageError(f"no log repeats a number, so there is no series to draw{_explain_notes(tables)}")
    if options.metric not in counts.index and (options.metric is not None or len(counts) > 1):
        what = f"unknown series {options.metric!r}" if options.metric else "the logs hold several series"
        raise UsageError(f"{what}; choose one with --metric: {shown}")
    metric = options.metric or str(counts.index[0])
    rows = series[series["metric"] == metric]
    units = rows["progress_unit"]
    x = options.x or ("progress" if units.notna().all() and units.nunique() == 1 else "minutes")
    style = ConvergenceStyle(x, metric, _read_by(options, ("submitter", "system")))
    title = _title(_pick_runs(tables, rows))

    def make_charts(title: str) -> list[CaptionedChart]:
        from mlperf_logging.analysis.charts import chart_series

        return [CaptionedChart(metric, chart_series(rows, style, title=title))]

    return Picture(rows, lambda axes: draw_series(axes[0], rows, style), make_charts, title, size=(7.4, 4.8))


def _make_spread(tables: Tables, options: argparse.Namespace) -> Picture:
    from mlperf_logging.analysis.analyses import select_runs
    from mlperf_logging.analysis.grouping import GROUP, require_columns
    from mlperf_logging.analysis.plots import draw_spread
    from mlperf_logging.analysis.plots.looks import measure_rows

    runs = select_runs(tables.runs, only_converged=not options.all_runs)
    by = _read_by(options, GROUP)
    require_columns(runs, [*by, options.value])
    runs = runs.dropna(subset=[options.value])
    sizes = runs.groupby(list(by), dropna=False).size() if len(runs) else []
    count = sum(size > options.relative for size in sizes)

    def draw(axes: list[Any]) -> None:
        draw_spread(axes[0], runs, options.value, by=by, relative=options.relative)

    def make_charts(title: str) -> list[CaptionedChart]:
        from mlperf_logging.analysis.charts import chart_spread

        chart = chart_spread(runs, options.value, by=by, relative=options.relative, title=title)
        return [CaptionedChart("", chart)]

    gap = 22 if options.relative else None
    return Picture(runs, draw, make_charts, size=(8.0, measure_rows(count)), title_gap=gap)


def _make_breakdown(tables: Tables, options: argparse.Namespace) -> Picture:
    from mlperf_logging.analysis.pictures.breakdown import PARTS
    from mlperf_logging.analysis.plots import draw_breakdown
    from mlperf_logging.analysis.plots.looks import measure_rows

    runs = tables.runs
    count = int(runs[list(PARTS)].notna().any(axis=1).sum())

    def make_charts(title: str) -> list[CaptionedChart]:
        from mlperf_logging.analysis.charts import chart_breakdown

        return [CaptionedChart("", chart_breakdown(runs, title=title))]

    return Picture(
        runs,
        lambda axes: draw_breakdown(axes[0], runs),
        make_charts,
        _title(runs),
        size=(8.0, measure_rows(count)),
        title_gap=22,
    )


def _make_scaling(tables: Tables, options: argparse.Namespace) -> Picture:
    from mlperf_logging.analysis.analyses import AnalysisParameters, select_runs
    from mlperf_logging.analysis.plots import draw_scaling
    from mlperf_logging.analysis.scaling import describe_scaling

    by = _read_by(options, ("benchmark", "submitter", "accelerator_model"))
    parameters = AnalysisParameters(value=options.value, seed=options.seed)
    counted = select_runs(tables.runs, only_converged=not options.all_runs)
    table = describe_scaling(counted, options.value, by=by, parameters=parameters)

    def make_charts(title: str) -> list[CaptionedChart]:
        from mlperf_logging.analysis.charts import chart_scaling

        return [CaptionedChart("", chart_scaling(table, by=by, title=title))]

    return Picture(table, lambda axes: draw_scaling(axes[0], table, by=by), make_charts)


def _make_power(tables: Tables, options: argparse.Namespace, quantity: str) -> Picture:
    from mlperf_logging.analysis.plots import draw_power
    from mlperf_logging.analysis.power_table import sum_power, tabulate_power

    faults: list[str] = []
    parts = tabulate_power([str(path) for path in tables.runs["path"]], faults.append)
    is_single = parts["path"].nunique() == 1
    table = parts if is_single else sum_power(parts)

    by = "part" if is_single else "run"

    def make_charts(title: str) -> list[CaptionedChart]:
        from mlperf_logging.analysis.charts import chart_power

        return [CaptionedChart("", chart_power(table, quantity, by=by, title=title))]

    return Picture(
        table,
        lambda axes: draw_power(axes[0], table, quantity, by=by),
        make_charts,
        _title(_pick_runs(tables, parts)),
        left_out=[f"{fault}; its run is left out" for fault in faults],
    )


def _make_rcp(tables: Tables, options: argparse.Namespace) -> Picture:
    import pandas as pd

    from mlperf_logging.analysis.plots.looks import to_label
    from mlperf_logging.analysis.plots.rcp import draw_reference_chart
    from mlperf_logging.cli.scoring import FolderRuns, read_folders
    from mlperf_logging.reports.documents.folders import name_system
    from mlperf_logging.reports.documents.rcp import describe_checks
    from mlperf_logging.rules.repository import open_rules
    from mlperf_logging.scoring.rcp.files import load_reference_points
    from mlperf_logging.scoring.rcp.submissions import check_submission

    del tables  # the runs of whole folders count, and are judged
    folders: list[FolderRuns] = read_folders(
        argparse.Namespace(**{**vars(options), "quiet": True}), "mlperf plot"
    )
    if len(folders) != 1:
        shown = ", ".join(each.folder.path for each in folders[:4])
        raise UsageError(
            f"the picture shows one benchmark's folder, not {len(folders)} ({shown} …); name one"
        )
    book = open_rules(options.rules)
    (found,) = folders
    outcome = check_submission(
        found.folder, found.runs, lambda name, benchmark: load_reference_points(book, name).get(benchmark)
    )
    check, benchmark, ruleset = outcome.check, outcome.benchmark, outcome.ruleset
    if check is None or benchmark is None or ruleset is None:
        raise UsageError(f"{found.folder.path}: {outcome.reason}")
    table = load_reference_points(book, ruleset).get(benchmark)

    title = f"{benchmark} on {name_system(found.folder)}, {ruleset}"

    def draw(axes: list[Any]) -> None:
        draw_reference_chart(axes[0], check, table, title=to_label(options.title or title))

    def make_charts(title: str) -> list[CaptionedChart]:
        from mlperf_logging.analysis.charts import chart_reference

        return [CaptionedChart("", chart_reference(check, table, title=title))]

    data = pd.DataFrame(describe_checks([outcome]).records())
    return Picture(data, draw, make_charts, title, draws_title=True)


KINDS: dict[str, tuple[str, Callable[[Tables, argparse.Namespace], Picture]]] = {
    CONVERGENCE: (
        "quality against epochs, samples or minutes, with the target and the reference's band",
        _make_convergence,
    ),
    SERIES: (
        "any number that logs repeat, such as a training loss (--metric), against epochs, samples or minutes",
        _make_series,
    ),
    "spread": ("every run of each system as a point, with a box", _make_spread),
    "breakdown": ("where the time of each run goes", _make_breakdown),
    "scaling": ("efficiency over the number of accelerators", _make_scaling),
    "power": (
        "power over the time of each run, from the readings beside its log",
        partial(_make_power, quantity="watts"),
    ),
    "energy": ("energy over the time of each run", partial(_make_power, quantity="energy_kj")),
    "rcp": ("a submission against the reference convergence points", _make_rcp),
    SUITE: (
        "a suite: normalized results, time to quality of each run, and the curves of each benchmark",
        make_suite_picture,
    ),
}
"""The pictures by name: what each shows, and what makes it (`UsageError` where there is nothing to draw)."""


def _require_one_benchmark(runs: pd.DataFrame) -> None:
    counts = runs["benchmark"].dropna().value_counts()
    if len(counts) > 1:
        shown = ", ".join(f"{name} ({count:,})" for name, count in counts.items())
        raise UsageError(
            f"the logs are of several benchmarks, whose quality is not the same thing: {shown}; "
            "name the folders of one"
        )


def _read_by(options: argparse.Namespace, default: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(split_names([options.by])) if options.by else default


def _pick_runs(tables: Tables, rows: pd.DataFrame) -> pd.DataFrame:
    """The runs that have a row among those that are drawn."""
    return tables.runs[tables.runs["path"].isin(rows["path"])]


def _title(runs: pd.DataFrame) -> str:
    """What all runs share, for the picture's title."""
    parts = []
    for name in ("benchmark", "submitter", "system"):
        values = runs[name].dropna().unique()
        if len(values) == 1:
            parts.append(str(values[0]))
    count = f"{len(runs):,} run{'s' * (len(runs) != 1)}"
    return f"{', '.join(parts)}: {count}" if parts else count


def _explain_notes(tables: Tables) -> str:
    """What the first log's row says of why there is nothing to draw, as the end of a message."""
    notes = tables.runs["note"].dropna()
    return f" ({notes.iloc[0]})" if len(notes) else ""
