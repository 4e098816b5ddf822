"""`mlperf store export`: the tables of a store as files."""

from __future__ import annotations

from collections.abc import Sequence

from mlperf_logging.cli.options import Parser
from mlperf_logging.cli.running import COMPLIANT, print_error, run_guarded
from mlperf_logging.cli.stores import add_wait_option
from mlperf_logging.store.exporting import FORMATS, export_store
from mlperf_logging.store.snapshots import PARQUET

_EXAMPLES = """\
examples:
  {program} results.duckdb results/                  one Parquet file per table, and a manifest with checksums
  {program} results.duckdb tables/ --format csv

A folder of Parquet is a snapshot: any number of processes may read it, mlperf store query and open_store among them. What
a former export has written to the folder is replaced.
exit codes: 0 written; 2 the tool could not do its work.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf store export") -> int:
    """Write the tables of the store that a command line names: 0 written, 2 an error."""
    return run_guarded(program, lambda: _export(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf store export`."""
    parser = Parser(program, "Write the tables of a store as files, one each, into a folder.", _EXAMPLES)
    add = parser.add_group()
    add("store STORE", "the store, or a folder of Parquet that was exported from one")
    add("folder FOLDER", "where to; it must not exist, or be that of a former export")
    add("--format NAME", f"{PARQUET} (default), csv or jsonl", choices=tuple(FORMATS), default=PARQUET)
    add_wait_option(add)
    add("--quiet -q", "do not say what was written")
    return parser


def _export(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    rows = export_store(options.store, options.folder, options.format, options.wait)
    if not options.quiet:
        print_error(program, f"wrote {sum(rows.values()):,} rows of {len(rows)} tables into {options.folder}")
    return COMPLIANT
