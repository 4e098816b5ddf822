"""`mlperf store query`: what SQL finds in a store."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mlperf_logging.cli.options import Parser, add_format_options
from mlperf_logging.cli.output import load_renderer, write_document
from mlperf_logging.cli.running import COMPLIANT, run_guarded
from mlperf_logging.cli.stores import add_wait_option
from mlperf_logging.errors import UsageError
from mlperf_logging.parsing.sources import STANDARD_INPUT
from mlperf_logging.reports.documents.store import describe_answer
from mlperf_logging.store.asking import open_store

_EXAMPLES = """\
examples:
  {program} results.duckdb "SELECT benchmark, min(score_minutes) FROM scores GROUP BY ALL ORDER BY ALL"
  {program} results.duckdb "FROM submitted_runs WHERE NOT quality_reached" --format csv -o missed.csv
  {program} results.duckdb "DESCRIBE runs"               columns of a table; docs/store_tables.md explains them
  {program} results.duckdb - < question.sql              a statement from standard input

The statement can read the tables of the store and nothing else: no files, no network. Nothing is changed.
exit codes: 0 answered; 2 the statement is wrong, or the tool could not do its work.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf store query") -> int:
    """Answer a statement of a command line: 0 answered, 2 an error."""
    return run_guarded(program, lambda: _query(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf store query`."""
    parser = Parser(program, "Ask a store by SQL, in the dialect of DuckDB.", _EXAMPLES)
    add = parser.add_group()
    add("store STORE", "the store, or a folder that mlperf store export has written as Parquet")
    add("sql SQL", "the statement, or - for standard input")
    add_wait_option(add)
    add = parser.add_group("how it is shown")
    add_format_options(add)
    return parser


def _query(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    renderer = load_renderer(options)
    sql = options.sql
    if sql == STANDARD_INPUT:
        if sys.stdin is None:
            raise UsageError("there is no standard input to read the statement from")
        sql = sys.stdin.buffer.read().decode("utf-8", "replace")
    answer = open_store(options.store, patience_s=options.wait).read(sql)
    columns = [(field.name, str(field.type)) for field in answer.schema]
    document = describe_answer(columns, zip(*[column.to_pylist() for column in answer.columns], strict=True))
    write_document(document, renderer, options.output)
    return COMPLIANT
