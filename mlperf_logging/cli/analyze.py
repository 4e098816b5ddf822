"""`mlperf analyze`: tables of runs, and what they say about quality, variance, scaling and hyperparameters."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from mlperf_logging.cli.engines import open_engine
from mlperf_logging.cli.keeping import ROWS, open_keeping_engine
from mlperf_logging.cli.options import (
    Parser,
    add_engine_options,
    add_format_options,
    add_rule_options,
    add_store_option,
    read_selection,
    split_names,
)
from mlperf_logging.cli.output import load_renderer, write_document
from mlperf_logging.cli.progress import show_progress
from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, print_error, run_guarded
from mlperf_logging.errors import FAILED_ON_LOG, MLPerfLoggingError, UsageError, describe_fault
from mlperf_logging.installation import require_libraries
from mlperf_logging.runs.paths import find_logs
from mlperf_logging.tables import pick

if TYPE_CHECKING:
    import pandas as pd

    from mlperf_logging.analysis.analyses import AnalysisParameters
    from mlperf_logging.analysis.reading import ReadingParameters, RunRows
    from mlperf_logging.analysis.tables import Tables
    from mlperf_logging.engines.engine import Engine
    from mlperf_logging.reports.tables import BaseRenderer

_EXAMPLES = """\
examples:
  {program} results/SYSTEM/BENCHMARK                       its runs, and how much they differ
  {program} round/ --table variance --jobs 0               variance of every system and benchmark of a round
  {program} A/results B/results --table hyperparameters    what they set differently, and what the rules let differ
  {program} round/ --compare SYSTEM_A SYSTEM_B             is B faster than A, by how much, how sure is that
  {program} --compare old/results new/results              the same of two folders
  {program} round/ --table evaluations --format csv -o evaluations.csv
  {program} round/ --table series --metric 'train_loss,*lr' --format csv -o series.csv
  {program} my_runs/ --target 'value >= 0.9'               runs of no benchmark of the rules

A folder means the result_*.txt at and below it; where there are none, for its *.txt, *.log and *.out. Target and
units of progress come from the round; name it with --ruleset where a benchmark's target has changed since.

exit codes: 0 the tables were made; 2 something could not be read, or the arguments are wrong.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf analyze") -> int:
    """Analyze the logs that a command line names; 2 when something could not be read or an argument is wrong."""
    return run_guarded(program, lambda: _analyze(argv, program))


def add_reading_options(parser: Parser) -> None:
    """Add the options that say by what logs are read; `mlperf plot` has them too."""
    ruleset = "round whose targets and units apply; auto (default): the newest"
    add = add_rule_options(parser, ruleset, "use this target", each_run=True)
    add("--target FORMULA", "another target, such as 'value >= 0.759'")


def read_reading_options(options: argparse.Namespace, series: Sequence[str] = ()) -> ReadingParameters:
    """The parameters that `add_reading_options` asks for, and the series that are wanted.

    Raises:
        UsageError: the target is not a formula.
    """
    from mlperf_logging.analysis.reading import ReadingParameters
    from mlperf_logging.compliance.targets import read_target

    if options.target is not None:
        read_target(options.target)
    return ReadingParameters(read_selection(options), options.target, series)


def read_logs(paths: Sequence[str], parameters: ReadingParameters, engine: Engine) -> Tables:
    """Read logs, with a progress bar on a terminal when it takes long; `UsageError` if there is none."""
    from mlperf_logging.analysis.tables import make_tables

    if not paths:
        raise UsageError("no logs found, so there is nothing to analyze")
    logs = engine.map_logs(partial(_read_log, parameters=parameters), paths)
    return make_tables([rows for runs in show_progress(logs, len(paths), "reading logs") for rows in runs])


def report_unread(program: str, tables: Tables) -> bool:
    """Say which logs could not be read; returns whether there are any."""
    unread = [row for row in tables.rows if row.ruleset is None and "events" not in row.run]
    for row in unread:
        print_error(program, str(row.run["note"]))
    return bool(unread)


def _read_log(path: str, parameters: ReadingParameters) -> list[RunRows]:
    """What one log gives; one that this package fails on is a row that says so."""
    from mlperf_logging.analysis.reading import RunRows, read_runs

    try:
        return read_runs(path, parameters)
    except MLPerfLoggingError:
        raise
    except Exception as error:  # noqa: BLE001 - one log must not end the reading of thousands
        return [RunRows({"path": path, "note": f"{path}: {describe_fault(error, FAILED_ON_LOG)}"}, [], {})]


def _analyze(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    renderer = load_renderer(options)
    require_libraries("this command", ("numpy", "pandas", "scipy"), "analysis")
    from mlperf_logging.analysis.analyses import analyze_runs, list_doubts
    from mlperf_logging.reports.documents.analyze import describe_analyses

    parameters = _read_parameters(options)
    reading = read_reading_options(options, _list_series(options))
    sides = options.compare or []
    side_logs = [find_logs([name], results=True) if os.path.exists(name) else None for name in sides]
    side_paths = [None if found is None else found.paths for found in side_logs]
    logs = find_logs(options.paths, results=True)
    paths = list(dict.fromkeys([*logs.paths, *[path for each in side_paths for path in each or ()]]))
    complaints = [each for found in (*side_logs, logs) if found is not None for each in found.complaints]
    for sentence in complaints:
        print_error(program, sentence)
    if not options.paths and not any(side_paths):
        raise UsageError("name at least one log or folder (--help shows examples)")
    tables = read_logs(paths, reading, _open_engine(options, program, reading))
    if sides:
        from mlperf_logging.analysis.analyses import COMPARISON

        made = {COMPARISON: _compare(tables, sides, side_paths, parameters)}
        if options.table:
            made |= analyze_runs(tables, _list_names(options, renderer), parameters, rules=options.rules)
    else:
        made = _make(tables, options, parameters, renderer)
    doubts = list_doubts(tables, parameters)
    document = describe_analyses(made, parameters, doubts, options.compare, for_people=renderer.for_people)
    write_document(document, renderer, options.output)
    return CANNOT_WORK if report_unread(program, tables) or complaints else COMPLIANT


def _make(
    tables: Tables, options: argparse.Namespace, parameters: AnalysisParameters, renderer: BaseRenderer
) -> dict[str, pd.DataFrame]:
    from mlperf_logging.analysis.analyses import SCALING, analyze_runs

    names = _list_names(options, renderer)
    if not options.table or "all" in split_names(options.table):
        made: dict[str, pd.DataFrame] = {}
        for name in names:
            try:
                made |= analyze_runs(tables, [name], parameters, rules=options.rules)
            except UsageError:
                if name != SCALING:  # without the number of accelerators there is no such table
                    raise
        return made
    return analyze_runs(tables, names, parameters, rules=options.rules)


def _list_names(options: argparse.Namespace, renderer: BaseRenderer) -> list[str]:
    from mlperf_logging.analysis.analyses import ANALYSES, RUNS, VARIANCE

    if options.table:
        asked = [ANALYSES if name == "all" else (name,) for name in split_names(options.table)]
        return list(dict.fromkeys(name for names in asked for name in names))
    if renderer.single:
        return [RUNS]
    return [RUNS, VARIANCE] if options.format in ("text", "markdown") else list(ANALYSES)


def _open_engine(options: argparse.Namespace, program: str, reading: ReadingParameters) -> Engine:
    if options.store is not None and reading.series:
        print_error(program, "warning: series are too long to be kept; every log is read")
        return open_engine(options, program)
    settings = {"with_rows": True, "target": reading.target}
    return open_keeping_engine(options, program, ROWS, reading.selection, **settings)


def _list_series(options: argparse.Namespace) -> list[str]:
    """Patterns of the series that are wanted."""
    from mlperf_logging.analysis.analyses import SERIES

    wanted = SERIES in split_names(options.table or ())
    if options.metric and not wanted:
        raise UsageError("--metric chooses among series; add --table series")
    return split_names(options.metric or ["*"]) if wanted else []


def _compare(
    tables: Tables,
    sides: Sequence[str],
    side_paths: Sequence[list[str] | None],
    parameters: AnalysisParameters,
) -> pd.DataFrame:
    from mlperf_logging.analysis.analyses import find_side, select_runs
    from mlperf_logging.analysis.comparison import compare_systems

    counted = select_runs(tables.runs, only_converged=parameters.only_converged)
    found = []
    for name, paths in zip(sides, side_paths, strict=True):
        if paths is None:
            found.append(find_side(counted, name))
        else:  # the table writes a path that is not UTF-8 in another way
            of_side = [index for index, row in enumerate(tables.rows) if row.run["path"] in paths]
            found.append(counted[counted.index.isin(of_side)])
        if found[-1].empty:
            raise UsageError(
                f"no run of {name!r} converged, so there is nothing to compare (--all-runs keeps all)"
            )
    if set(found[0].index) & set(found[1].index):
        raise UsageError(f"{sides[0]!r} and {sides[1]!r} refer to the same runs; name two systems or folders")
    return compare_systems(found[0], found[1], parameters.value, parameters=parameters)


def _read_parameters(options: argparse.Namespace) -> AnalysisParameters:
    from mlperf_logging.analysis.analyses import AnalysisParameters
    from mlperf_logging.analysis.grouping import GROUP

    by = tuple(split_names([options.by])) if options.by else GROUP
    same = ("value", "confidence", "resamples", "outliers", "center", "precision", "seed")
    return AnalysisParameters(by=by, only_converged=not options.all_runs, **pick(options, *same))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf analyze`."""
    about = "Tables of runs: time to quality, throughput, variance, scaling, comparison, hyperparameters."
    parser = Parser(program, about, _EXAMPLES)
    parser.add_group()("paths PATH", "logs, folders, patterns, or - for standard input", nargs="*")
    add_reading_options(parser)
    add = parser.add_group("what is made of them")
    tables = (
        "runs, evaluations, variance, seeds, scaling, hyperparameters, or all (of these); or series; "
        "comma-separated (text: runs and variance)"
    )
    add("--table NAMES", tables, action="append")
    add("--metric NAMES", "series that are wanted, such as train_loss or '*loss*' (all)", action="append")
    add("--compare A B", "two systems, submitters, patterns of SUBMITTER/SYSTEM, or folders", nargs=2)
    add("--value COLUMN", "column of the runs that statistics are about (run_minutes)", default="run_minutes")
    add("--by COLUMNS", "columns that make a group, comma-separated (benchmark,submitter,system)")
    add("--all-runs", "also count runs that did not converge")
    add("--confidence LEVEL", "level of the intervals (0.95)", default=0.95)
    add("--precision SHARE", "precision to be reached by more runs (0.05: ± 5 %%)", default=0.05)
    methods = "tukey (fences of 1.5 quartile ranges) or mad (modified z-score)"
    add("--outliers METHOD", methods, default="tukey")
    around = "median (default) or mean: what the shares within ± 5 %% lie around"
    add("--center --centre WHAT", around, default="median")
    add("--resamples N", "draws of the bootstrap (9999)", default=9999)
    add("--seed N", "seed of the bootstrap (0); equal seeds give equal intervals", default=0)
    add = parser.add_group("how it is shown")
    add_format_options(add)
    add_engine_options(add)
    add_store_option(add)
    return parser
