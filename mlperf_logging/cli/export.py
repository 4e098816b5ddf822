"""`mlperf export`: runs in TensorBoard, MLflow or W&B."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from mlperf_logging.cli.options import Parser, add_jobs_option, add_rule_options, read_selection
from mlperf_logging.cli.output import load_renderer, write_document
from mlperf_logging.cli.progress import show_progress
from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, VIOLATION, print_error, run_guarded
from mlperf_logging.errors import (
    FAILED_ON_LOG,
    MLPerfLoggingError,
    UnreadableLogError,
    UsageError,
    describe_fault,
)
from mlperf_logging.parallel import map_logs
from mlperf_logging.runs.paths import find_logs
from mlperf_logging.tables import pick

if TYPE_CHECKING:
    from mlperf_logging.compliance.ruleset_selection import RuleSelection
    from mlperf_logging.exports.exporting import Exported, Exporter
    from mlperf_logging.exports.run_export import RunExport
    from mlperf_logging.reports.tables import BaseRenderer

TOOLS = {
    "tensorboard": "event files with scalars and hyperparameters, for tensorboard --logdir DIR",
    "mlflow": "runs in a database in DIR, with log and verdict; DIR may be the address of a tracking server",
    "wandb": "offline runs of Weights & Biases, for wandb sync",
}
"""The tools, and what is written for each."""

_LOOK = {
    "tensorboard": "to look at it: tensorboard --logdir {place}",
    "mlflow": "to look at it: mlflow ui --backend-store-uri sqlite:///{place}/mlflow.db",
    "wandb": "to upload it: wandb sync {place}/wandb/offline-run-*",
}
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
    tools = "\n".join(f"  {name.ljust(max(map(len, TOOLS)))}  {what}" for name, what in TOOLS.items())
    parser = Parser(program, f"Runs in the tools that people already look at.\n\ntools:\n{tools}", _EXAMPLES)
    add = parser.add_group()
    add("tool TOOL", "which tool, see above", choices=tuple(TOOLS))
    add("paths PATH", "logs, folders or patterns", nargs="+")
    add("--output -o DIR", "folder to export to; it is made where it does not exist", required=True)
    add("--experiment NAME", "experiment, project or first folder that the runs are in (the benchmark)")
    add_rule_options(parser, each_run=True)
    add = parser.add_group("how it is shown")
    from mlperf_logging.reports.tables import list_table_formats

    names = ["text", *[name for name in list_table_formats() if name not in ("text", "parquet", "xlsx")]]
    add("--format NAME", f"text (default), {', '.join(names[1:])}", choices=names, default="text")
    add("--quiet -q", "print only the totals, and what went wrong")
    add_jobs_option(add)
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
    exported = _export_logs(logs.paths, options)
    for each in exported:
        if each.outcome == "failed" or (each.outcome == "empty" and options.quiet):
            note = each.note or ""
            print_error(program, note if note.startswith(each.path) else f"{each.path}: {note}")
    _show(exported, options, renderer)
    outcomes = {each.outcome for each in exported}
    if logs.complaints or "failed" in outcomes:
        return CANNOT_WORK
    return VIOLATION if "empty" in outcomes else COMPLIANT


def _export_logs(paths: Sequence[str], options: argparse.Namespace) -> list[Exported]:
    from mlperf_logging.exports.exporting import Exporter
    from mlperf_logging.exports.writers import load_writer

    # Processes that read are started before the libraries of the tool have started threads.
    read = partial(_read_log, selection=read_selection(options), experiment=options.experiment)
    found = map_logs(read, paths, options.jobs)
    writer = load_writer(options.tool)(options.output)
    try:
        exporter = Exporter(writer)
        shown = show_progress(found, len(paths), "exporting runs", quiet=options.quiet)
        return [_write(exporter, each) for runs in shown for each in runs]
    finally:
        writer.close()


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
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Exported(run.path, FAILED, note=f"it cannot be written: {reason}")


def _show(exported: Sequence[Exported], options: argparse.Namespace, renderer: BaseRenderer) -> None:
    from mlperf_logging.reports.documents.export import describe_export

    look = _LOOK[options.tool]
    if "://" in options.output:
        look = "to look at it: {place}"
    records = [
        {
            "log": each.path,
            "outcome": each.outcome,
            "run": each.name,
            **pick(each, "metrics", "values", "note"),
        }
        for each in exported
    ]
    hints = [look.format(place=options.output)] if any(each.name for each in exported) else []
    document = describe_export(records, options.tool, options.output, hints)
    if options.quiet and renderer.for_people:
        document = replace(document, tables=())
    write_document(document, renderer)
