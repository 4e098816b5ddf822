"""`mlperf export`: runs in TensorBoard, MLflow or W&B."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from mlperf_logging.cli.engines import open_engine
from mlperf_logging.cli.options import Parser, add_engine_options, add_rule_options, read_selection
from mlperf_logging.cli.output import load_renderer, write_document
from mlperf_logging.cli.progress import show_progress
from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, VIOLATION, print_error, run_guarded
from mlperf_logging.errors import (
    FAILED_ON_LOG,
    MLPerfLoggingError,
    UnreadableLogError,
    UsageError,
    describe_fault,
    describe_reason,
)
from mlperf_logging.runs.paths import find_logs
from mlperf_logging.tables import pick

if TYPE_CHECKING:
    from mlperf_logging.compliance.ruleset_selection import RuleSelection
    from mlperf_logging.engines.engine import Engine
    from mlperf_logging.exports.exporting import Exported, Exporter
    from mlperf_logging.exports.run_export import RunExport
    from mlperf_logging.exports.writers import BaseWriter
    from mlperf_logging.reports.tables import BaseRenderer

_EXAMPLES = """\
examples:
  {program} tensorboard results/ -o runs/ --jobs 0       every result log below a folder
  {program} mlflow results/ -o store/                    with parameters, tags, logs and verdicts
  {program} mlflow run.log -o http://tracking:5000       to a tracking server
  {program} wandb run.log -o . --experiment tuning       in a project of this name
  {program} tensorboard relaunched.log --run each -o runs/

A folder means the result_*.txt at and below it; where there are none, for its *.txt, *.log and *.out. What is there
already is not written again: the command may be repeated as logs come. It removes nothing but its own former exports
of logs that have changed.

exit codes: 0 every run is there; 1 a log holds nothing to export; 2 something could not be read or written, or the
arguments are wrong.
"""
_PRIVATE = {"MLFLOW_DISABLE_TELEMETRY": "true", "WANDB_ERROR_REPORTING": "false"}
"""Settings of the libraries: an export of logs tells nobody."""


def main(argv: Sequence[str] | None = None, program: str = "mlperf export") -> int:
    """Export the logs that a command line names: 0 all are there, 1 one holds nothing, 2 an error."""
    return run_guarded(program, lambda: _export(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf export`."""
    from mlperf_logging.exports.writers import list_writers, load_writer

    names = list_writers()
    width = max(map(len, names))
    tools = "\n".join(f"  {name.ljust(width)}  {load_writer(name).about}" for name in names)
    parser = Parser(program, f"Runs in the tools that people already look at.\n\ntools:\n{tools}", _EXAMPLES)
    add = parser.add_group()
    add("tool TOOL", "which tool, see above", choices=names)
    add("paths PATH", "logs, folders or patterns", nargs="+")
    add("--output -o DIR", "folder to export to; it is made where it does not exist", required=True)
    add("--experiment NAME", "experiment, project or first folder that the runs are in (the benchmark)")
    add_rule_options(parser, each_run=True)
    add = parser.add_group("how it is shown")
    from mlperf_logging.reports.tables import list_table_formats

    forms = ["text", *[name for name in list_table_formats() if name not in ("text", "parquet", "xlsx")]]
    add("--format NAME", f"text (default), {', '.join(forms[1:])}", choices=forms, default="text")
    add("--quiet -q", "print only the totals, and what went wrong")
    add_engine_options(add)
    return parser


def _export(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    renderer = load_renderer(argparse.Namespace(format=options.format, output=None))
    for name, value in _PRIVATE.items():
        os.environ.setdefault(name, value)
    logs = find_logs(options.paths, results=True)
    for sentence in logs.complaints:
        print_error(program, sentence)
    if not logs.paths:
        raise UsageError("no logs found, so there is nothing to export")
    exported, hint = _export_logs(logs.paths, options, open_engine(options, program))
    for each in exported:
        if each.outcome == "failed" or (each.outcome == "empty" and options.quiet):
            note = each.note or ""
            print_error(program, note if note.startswith(each.path) else f"{each.path}: {note}")
    _show(exported, hint, options, renderer)
    outcomes = {each.outcome for each in exported}
    if logs.complaints or "failed" in outcomes:
        return CANNOT_WORK
    return VIOLATION if "empty" in outcomes else COMPLIANT


def _export_logs(
    paths: Sequence[str], options: argparse.Namespace, engine: Engine
) -> tuple[list[Exported], str]:
    """What became of the runs of each log, and how to look at them."""
    from mlperf_logging.exports.writers import load_writer

    # Processes that read are started before the libraries of the tool have started threads.
    read = partial(_read_log, selection=read_selection(options), experiment=options.experiment)
    found = engine.map_logs(read, paths)
    writer = load_writer(options.tool)(options.output)
    try:
        exporter = _begin(writer)
        shown = show_progress(found, len(paths), "exporting runs", quiet=options.quiet)
        return [_write(exporter, each) for runs in shown for each in runs], writer.hint
    finally:
        writer.close()


def _begin(writer: BaseWriter) -> Exporter:
    """What exports to a place, once it is known what is there."""
    from mlperf_logging.exports.exporting import Exporter

    try:
        return Exporter(writer)
    except Exception as error:  # noqa: BLE001 - the tools raise whatever they like
        raise UsageError(f"cannot export to {writer.place}: {describe_reason(error)}") from None


def _read_log(path: str, selection: RuleSelection, experiment: str | None) -> list[RunExport | Exported]:
    """What one log exports; what cannot be read says so."""
    from mlperf_logging.exports.exporting import FAILED, Exported
    from mlperf_logging.exports.reading import read_exports

    try:
        return list(read_exports(path, selection, experiment))
    except UnreadableLogError as error:
        return [Exported(path, FAILED, note=str(error))]
    except MLPerfLoggingError:
        raise
    except Exception as error:  # noqa: BLE001 - one log must not end the export of thousands
        return [Exported(path, FAILED, note=describe_fault(error, FAILED_ON_LOG))]


def _write(exporter: Exporter, run: RunExport | Exported) -> Exported:
    """Export what a log gave; what cannot be written says so."""
    from mlperf_logging.exports.exporting import FAILED, Exported

    if isinstance(run, Exported):
        return run
    try:
        return exporter.export(run)
    except Exception as error:  # noqa: BLE001 - the tools raise whatever they like, and other runs may do better
        return Exported(run.path, FAILED, note=f"it cannot be written: {describe_reason(error)}")


def _show(
    exported: Sequence[Exported], hint: str, options: argparse.Namespace, renderer: BaseRenderer
) -> None:
    from mlperf_logging.reports.documents.export import describe_export

    records = [
        {
            "log": each.path,
            "outcome": each.outcome,
            "run": each.name,
            **pick(each, "metrics", "values", "note"),
        }
        for each in exported
    ]
    hints = [hint.format(place=options.output)] if any(each.name for each in exported) else []
    document = describe_export(records, options.tool, options.output, hints)
    if options.quiet and renderer.for_people:
        document = replace(document, tables=())
    write_document(document, renderer)
