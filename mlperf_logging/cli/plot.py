"""`mlperf plot`: pictures of runs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.cli.analyze import (
    add_reading_options,
    find_run_logs,
    read_logs,
    read_reading_options,
    require_libraries,
)
from mlperf_logging.cli.options import Parser, read_jobs
from mlperf_logging.cli.output import Output
from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, complain, run_guarded
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from mlperf_logging.analysis.tables import Tables

SCHEMA = "mlperf-plot/1"
SUFFIXES = (".png", ".svg", ".pdf")
KINDS = {
    "convergence": "quality against epochs, samples or minutes, with the target and the reference's band",
    "spread": "every run of each system as a point, with a box",
    "breakdown": "where the time of each run goes",
    "scaling": "efficiency over the number of accelerators",
    "power": "power over the time of each run, from the readings beside its log",
    "energy": "energy over the time of each run",
}
"""Names of the pictures, and what they show."""

_EXAMPLES = """\
examples:
  {program} convergence results/SYSTEM/BENCHMARK -o curves.png
  {program} convergence round/*/results/*/BENCHMARK --x minutes -o curves.svg
  {program} spread round/ --relative -o spread.pdf          how the runs of each system differ
  {program} breakdown results/SYSTEM/BENCHMARK -o time.png
  {program} scaling round/SUBMITTER -o scaling.png
  {program} energy results/SYSTEM/BENCHMARK -o energy.png
  {program} spread round/ --format json                     what would be drawn, as data

exit codes: 0 the picture was drawn; 2 something could not be read, or there is nothing to draw.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf plot") -> int:
    """Draw a picture of the logs that a command line names.

    Args:
        argv: what follows the command's name; None for the arguments of this process.
        program: name under which the command speaks.

    Returns:
        0 when the picture was drawn, 2 when it could not be.
    """
    return run_guarded(program, lambda: _plot(argv, program))


def _plot(argv: Sequence[str] | None, program: str) -> int:
    options = _build_parser(program).parse(argv)
    if options.kind not in KINDS:
        raise UsageError(f"there is no picture {options.kind!r}; there are {', '.join(KINDS)}")
    suffix = os.path.splitext(options.output or "")[1].lower()  # noqa: PTH122
    if options.format != "json":
        if options.output is None:
            raise UsageError("name the picture's file with --output: FILE.png, FILE.svg or FILE.pdf")
        if suffix not in SUFFIXES:
            raise UsageError(
                f"{options.output!r} does not end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
            )
    require_libraries("numpy", "pandas", "scipy", "matplotlib")
    reading = read_reading_options(options)
    complaints: list[str] = []
    paths = find_run_logs(options.paths, complaints.append)
    for sentence in complaints:
        complain(program, sentence)
    tables = read_logs(paths, reading, options.jobs)
    data, draw = _MAKERS[options.kind](tables, options)
    with Output(options.output) as output:
        if options.format == "json":
            output.write(_encode(options.kind, data))
        else:
            output.write_bytes(_save(draw(), suffix[1:], options.dpi))
    return CANNOT_WORK if complaints else COMPLIANT


Picture = tuple["pd.DataFrame", Callable[[], "Figure"]]
"""What is drawn, as a table, and what draws it."""


def _make_convergence(tables: Tables, options: argparse.Namespace) -> Picture:
    from mlperf_logging.analysis.plots import ConvergenceStyle, draw_convergence
    from mlperf_logging.analysis.plots.convergence import ReferenceBand
    from mlperf_logging.analysis.references import find_reference_range

    _require_one_benchmark(tables.runs)
    evaluations = tables.evaluations
    if evaluations.empty:
        raise UsageError("no log holds an evaluation, so there is no curve to draw")
    found = find_reference_range(tables.runs, options.x, rules=options.rules)
    band = None
    if found is not None:
        label = f"reference at batch {found.batch_size:,.0f}:\nsmallest accepted mean to mean"
        band = ReferenceBand(found.smallest, found.mean, label)
    metrics: list[str | None] = list(evaluations["metric"].dropna().unique()) or [None]
    if options.metric is not None:
        if options.metric not in metrics:
            known = ", ".join(str(name) for name in metrics if name) or "one value without a name"
            raise UsageError(f"there is no metric {options.metric!r}; there is {known}")
        metrics = [options.metric]
    by = _read_by(options, ("submitter", "system"))

    def draw() -> Figure:
        figure, axes = _start_figure(options, 7.4, 3.2 + 1.6 * len(metrics), rows=len(metrics))
        for each, metric in zip(axes, metrics, strict=True):
            draw_convergence(each, evaluations, ConvergenceStyle(options.x, metric, by), band=band)
        for each in axes[:-1]:
            each.set_xlabel("")
        for each in axes[1:]:
            legend = each.get_legend()
            if legend is not None:
                _keep_target_only(each)
        axes[0].set_title(options.title or _title(tables.runs), fontsize="medium", loc="left")
        return figure

    return evaluations, draw


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

    def draw() -> Figure:
        figure, (axes,) = _start_figure(options, 8.0, measure_rows(count))
        draw_spread(axes, runs, options.value, by=by, relative=options.relative)
        if options.title:
            axes.set_title(options.title, fontsize="medium", loc="left", pad=22 if options.relative else None)
        return figure

    return runs, draw


def _make_breakdown(tables: Tables, options: argparse.Namespace) -> Picture:
    from mlperf_logging.analysis.plots import draw_breakdown
    from mlperf_logging.analysis.plots.breakdown import PARTS
    from mlperf_logging.analysis.plots.looks import measure_rows

    runs = tables.runs
    count = int(runs[list(PARTS)].notna().any(axis=1).sum())

    def draw() -> Figure:
        figure, (axes,) = _start_figure(options, 8.0, measure_rows(count))
        draw_breakdown(axes, runs)
        axes.set_title(options.title or _title(runs), fontsize="medium", loc="left", pad=22)
        return figure

    return runs, draw


def _make_scaling(tables: Tables, options: argparse.Namespace) -> Picture:
    from mlperf_logging.analysis.analyses import AnalysisParameters, select_runs
    from mlperf_logging.analysis.plots import draw_scaling
    from mlperf_logging.analysis.scaling import describe_scaling

    by = _read_by(options, ("benchmark", "submitter", "accelerator_model"))
    parameters = AnalysisParameters(value=options.value, seed=options.seed)
    counted = select_runs(tables.runs, only_converged=not options.all_runs)
    table = describe_scaling(counted, options.value, by=by, parameters=parameters.scaling())

    def draw() -> Figure:
        figure, (axes,) = _start_figure(options, 7.4, 4.4)
        draw_scaling(axes, table, by=by)
        if options.title:
            axes.set_title(options.title, fontsize="medium", loc="left")
        return figure

    return table, draw


def _make_power(tables: Tables, options: argparse.Namespace) -> Picture:
    return _draw_readings(tables, options, "watts")


def _make_energy(tables: Tables, options: argparse.Namespace) -> Picture:
    return _draw_readings(tables, options, "energy_kj")


def _draw_readings(tables: Tables, options: argparse.Namespace, quantity: str) -> Picture:
    from mlperf_logging.analysis.plots import draw_power
    from mlperf_logging.analysis.power_table import sum_power, tabulate_power

    parts = tabulate_power([str(path) for path in tables.runs["path"]])
    is_single = parts["run"].nunique() == 1
    table = parts if is_single else sum_power(parts)

    def draw() -> Figure:
        figure, (axes,) = _start_figure(options, 7.4, 4.4)
        draw_power(axes, table, quantity, by="part" if is_single else "run")
        axes.set_title(options.title or _title(tables.runs), fontsize="medium", loc="left")
        return figure

    return table, draw


_MAKERS: dict[str, Callable[[Tables, argparse.Namespace], Picture]] = {
    "convergence": _make_convergence,
    "spread": _make_spread,
    "breakdown": _make_breakdown,
    "scaling": _make_scaling,
    "power": _make_power,
    "energy": _make_energy,
}


def _require_one_benchmark(runs: pd.DataFrame) -> None:
    counts = runs["benchmark"].dropna().value_counts()
    if len(counts) > 1:
        shown = ", ".join(f"{name} ({count:,})" for name, count in counts.items())
        raise UsageError(
            f"the logs are of several benchmarks, whose quality is not the same thing: {shown}; "
            "name the folders of one"
        )


def _read_by(options: argparse.Namespace, default: tuple[str, ...]) -> tuple[str, ...]:
    if not options.by:
        return default
    return tuple(name.strip() for name in options.by.split(",") if name.strip())


def _title(runs: pd.DataFrame) -> str:
    """What all runs share, for the picture's title."""
    parts = []
    for name in ("benchmark", "submitter", "system"):
        values = runs[name].dropna().unique()
        if len(values) == 1:
            parts.append(str(values[0]))
    count = f"{len(runs):,} run{'s' * (len(runs) != 1)}"
    return f"{', '.join(parts)}: {count}" if parts else count


def _start_figure(
    options: argparse.Namespace, width: float, height: float, rows: int = 1
) -> tuple[Figure, list[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(options.width or width, options.height or height))
    axes = figure.subplots(rows, 1, sharex=rows > 1, squeeze=False)
    return figure, list(axes[:, 0])


def _keep_target_only(axes: Any) -> None:
    """Below the first of several pictures, the legend says only what is not said above: the target."""
    handles, labels = axes.get_legend_handles_labels()
    kept = [
        (handle, label) for handle, label in zip(handles, labels, strict=True) if label.startswith("target")
    ]
    axes.get_legend().remove()
    if kept:
        axes.legend(
            *zip(*kept, strict=True), loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0,
            frameon=False, fontsize="small", handlelength=3.2,
        )  # fmt: skip


def _save(figure: Figure, form: str, dpi: int) -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    # Neither date nor version of the library: the same runs give the same file.
    metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[form]
    figure.savefig(buffer, format=form, dpi=dpi, bbox_inches="tight", pad_inches=0.12, metadata=metadata)
    return buffer.getvalue()


def _encode(kind: str, data: pd.DataFrame) -> str:
    from mlperf_logging.cli.frames import list_records
    from mlperf_logging.reports._escape import encode_json

    return encode_json({"schema": SCHEMA, "kind": kind, "rows": list_records(data)}) + "\n"


def _build_parser(program: str) -> Parser:
    kinds = "\n".join(f"  {name.ljust(max(map(len, KINDS)))}  {what}" for name, what in KINDS.items())
    parser = _PlotParser(
        prog=program,
        description=f"Pictures of runs.\n\npictures:\n{kinds}",
        epilog=_EXAMPLES.format(program=program),
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=100),
        allow_abbrev=False,
    )
    parser.add_argument("kind", metavar="KIND", help="which picture, see above")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="logs, folders or patterns")
    add_reading_options(parser)
    add = parser.add_argument_group("what is drawn").add_argument
    add(
        "--x",
        choices=("progress", "epochs", "samples", "minutes"),
        default="progress",
        help="axis of convergence (progress: in the logs' unit)",
    )
    add(
        "--metric",
        metavar="NAME",
        help="one metric of convergence, where evaluations give several (all, below each other)",
    )
    add("--value", default="run_minutes", metavar="COLUMN", help="column of spread and scaling (run_minutes)")
    add("--relative", action="store_true", help="spread as a share of each group's median")
    add("--by", metavar="COLUMNS", help="columns that make a group, comma separated")
    add("--all-runs", action="store_true", help="also runs that did not converge, in spread and scaling")
    add("--seed", type=int, default=0, metavar="N", help="seed of the bootstrap in scaling (0)")
    add = parser.add_argument_group("how it is drawn").add_argument
    add("--output", "-o", metavar="FILE", help="FILE.png, FILE.svg or FILE.pdf")
    add(
        "--format",
        choices=("picture", "json"),
        default="picture",
        help="picture (default), or json: what would be drawn, as data",
    )
    add("--title", metavar="TEXT", help="title of the picture")
    add("--width", type=float, metavar="INCHES", help="width of the picture without legend")
    add("--height", type=float, metavar="INCHES", help="height of the picture")
    add("--dpi", type=int, default=110, metavar="N", help="dots an inch of PNG (110)")
    add(
        "--jobs",
        "-j",
        type=read_jobs,
        default=1,
        metavar="N",
        help="read in N processes; 0: one a processor core",
    )
    return parser


class _PlotParser(Parser):
    """Options may stand between the paths."""

    mixes = True
