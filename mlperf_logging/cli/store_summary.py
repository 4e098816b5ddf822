"""`mlperf store summary`: what is in a store."""

from __future__ import annotations

from collections.abc import Sequence

from mlperf_logging.cli.options import Parser, add_format_options, add_rules_folder
from mlperf_logging.cli.output import load_renderer, write_document
from mlperf_logging.cli.running import COMPLIANT, run_guarded
from mlperf_logging.cli.stores import add_wait_option
from mlperf_logging.reports.documents.store_summary import describe_store
from mlperf_logging.store.asking import open_store
from mlperf_logging.store.summary import summarize_store

_EXAMPLES = """\
examples:
  {program} results.duckdb                     runs by round, benchmark and division, with their verdicts
  {program} results.duckdb --format json       for programs

exit codes: 0 answered, whatever the verdicts are; 2 the tool could not do its work.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf store summary") -> int:
    """Summarize a store: 0 answered, 2 an error."""
    return run_guarded(program, lambda: _summarize(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf store summary`."""
    parser = Parser(program, "What is in a store: logs, runs, results and verdicts.", _EXAMPLES)
    add = parser.add_group()
    add("store STORE", "the store, or a folder of Parquet that was exported from one")
    add_wait_option(add)
    add_rules_folder(add)
    add_format_options(parser.add_group("how it is shown"))
    return parser


def _summarize(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    renderer = load_renderer(options)
    summary = summarize_store(open_store(options.store, patience_s=options.wait), rules=options.rules)
    write_document(describe_store(options.store, *summary), renderer, options.output)
    return COMPLIANT
