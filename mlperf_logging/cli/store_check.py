"""`mlperf store check`: whether a store is whole."""

from __future__ import annotations

from collections.abc import Sequence

from mlperf_logging.cli.options import Parser
from mlperf_logging.cli.output import load_renderer, write_document
from mlperf_logging.cli.running import COMPLIANT, VIOLATION, run_guarded
from mlperf_logging.cli.stores import add_wait_option
from mlperf_logging.reports.documents.store import describe_check
from mlperf_logging.store.checking import check_store

_EXAMPLES = """\
examples:
  {program} results.duckdb                 reads every value; keys, references and counts
  {program} results.duckdb --files         also reads the logs again, and compares checksums
  {program} results/                       a folder that mlperf store export has written

exit codes: 0 the store is whole; 1 it is not; 2 it cannot be opened, or the tool could not do its work.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf store check") -> int:
    """Check the store that a command line names: 0 it is whole, 1 it is not, 2 an error."""
    return run_guarded(program, lambda: _check(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf store check`."""
    parser = Parser(program, "Look whether a store is whole.", _EXAMPLES)
    add = parser.add_group()
    add("store STORE", "the store, or a folder of Parquet that was exported from one")
    add("--files", "also read the logs that are files, and compare their checksums")
    add_wait_option(add)
    add("--format NAME", "text (default) or json", choices=("text", "json"), default="text")
    return parser


def _check(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    options.output = None
    renderer = load_renderer(options)
    checked = check_store(options.store, files=options.files, patience_s=options.wait)
    faults = [fault._asdict() for fault in checked.faults]
    write_document(describe_check(options.store, checked.rows, faults, checked.notes), renderer)
    return VIOLATION if checked.faults else COMPLIANT
