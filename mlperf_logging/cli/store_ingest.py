"""`mlperf store ingest`: logs into a store."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from mlperf_logging.cli.configuration import SHARED_SETTINGS
from mlperf_logging.cli.engines import open_engine
from mlperf_logging.cli.options import (
    Parser,
    add_engine_options,
    add_rules_folder,
    add_settings_options,
    read_selection,
)
from mlperf_logging.cli.output import load_renderer, write_document
from mlperf_logging.cli.progress import ProgressBar
from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, print_error, run_guarded
from mlperf_logging.cli.stores import add_wait_option
from mlperf_logging.errors import UsageError
from mlperf_logging.reports.documents.store import describe_ingest
from mlperf_logging.store.ingest import IngestParameters, ingest_logs

_EXAMPLES = """\
examples:
  {program} results/ --into results.duckdb --jobs 0     every log below a folder, on all processor cores
  {program} ROUND_A ROUND_B --into results.duckdb       several rounds
  {program} ROUND.tar.gz --into results.duckdb          the logs in an archive
  {program} CLONE.git@REVISION:PATH --into results.duckdb
  {program} s3://bucket/round --into results.duckdb     whatever fsspec and its packages reach

May be repeated as logs come, stopped at any moment, and run by several at once: a log is known by a checksum of its bytes.
A folder means its logs, as for mlperf-check; result folders are also scored and tested for convergence.
exit codes: 0 all logs are in the store; 2 one could not be read, or the tool could not do its work. Whether logs are
compliant is in the store, and does not change the exit code.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf store ingest") -> int:
    """Put the logs that a command line names into a store: 0 all are there, 2 an error."""
    return run_guarded(program, lambda: _ingest(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf store ingest`."""
    parser = Parser(program, "Put logs into a store, which is made where there is none.", _EXAMPLES)
    add = parser.add_group()
    add("paths PATH", "logs, folders, patterns, archives, REPOSITORY@REVISION:PATH, or URLs", nargs="+")
    add("--into STORE", "the store: a file of DuckDB, such as results.duckdb", required=True)
    add("--again", "read also what the store holds already")
    add_wait_option(add)
    add = parser.add_group("by which rules")
    add("--usage NAME", "training, hpc, or another usage that has rulesets; by default, as logged")
    add("--ruleset ROUND", "name of a round; auto (default) lets the log choose", default="auto")
    add_rules_folder(add)
    add_settings_options(add)
    parser.settings = tuple(name for name in SHARED_SETTINGS if name in {"usage", "ruleset", "rules", "jobs"})
    add = parser.add_group("how it is shown")
    add("--format NAME", "text (default) or json", choices=("text", "json"), default="text")
    add("--quiet -q", "no progress bar, and only what went wrong")
    add_engine_options(add)
    return parser


def _ingest(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    options.output = None
    renderer = load_renderer(options)
    if not options.into:
        raise UsageError("--into names no file")
    parameters = IngestParameters(read_selection(options), options.again, options.wait)
    with ExitStack() as stack:
        summary = ingest_logs(
            options.paths,
            options.into,
            parameters,
            engine=open_engine(options, program),
            announce=lambda count: _announce(count, options, stack),
        )
    for sentence in summary.complaints:
        print_error(program, sentence)
    if not renderer.for_people or (summary.logs and not options.quiet):
        write_document(describe_ingest(summary._asdict(), options.into), renderer)
    return CANNOT_WORK if summary.complaints else COMPLIANT


def _announce(count: int, options: argparse.Namespace, stack: ExitStack) -> Callable[[int], None]:
    """A progress bar for some logs, on a terminal."""
    stack.close()  # that of the source before
    if options.quiet or sys.stderr is None or not sys.stderr.isatty():
        return lambda _: None
    bar = stack.enter_context(ProgressBar(count, "reading logs", sys.stderr))

    def advance(steps: int) -> None:
        for _ in range(steps):
            bar.advance()

    return advance
