"""`mlperf store leaderboard`: the best results of a round, and how much faster they became over rounds."""

from __future__ import annotations

from collections.abc import Sequence

from mlperf_logging.cli.options import Parser, add_format_options, add_rules_folder
from mlperf_logging.cli.output import load_renderer, write_document
from mlperf_logging.cli.running import COMPLIANT, run_guarded
from mlperf_logging.cli.stores import add_wait_option
from mlperf_logging.events import DIVISIONS, Division
from mlperf_logging.reports.documents.leaderboard import describe_leaderboard
from mlperf_logging.store.asking import open_store
from mlperf_logging.store.leaderboard import rank_results

_EXAMPLES = """\
examples:
  {program} results.duckdb --round ROUND                 the fastest per benchmark and number of accelerators
  {program} results.duckdb --benchmark NAME              the same over all rounds, and how much faster it became
  {program} results.duckdb --format csv -o best.csv

A result counts that has a score, as many runs as the round requires, and no failed test of convergence.
exit codes: 0 answered; 2 the tool could not do its work.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf store leaderboard") -> int:
    """Rank the results of a store: 0 answered, 2 an error."""
    return run_guarded(program, lambda: _rank(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf store leaderboard`."""
    about = "The best results of a store, per benchmark and number of accelerators: of a round, or over all rounds."
    parser = Parser(program, about, _EXAMPLES)
    add = parser.add_group()
    add("store STORE", "the store, or a folder of Parquet that was exported from one")
    add("--round ROUND", "of this round, such as 5.1; without it, of all rounds, with speedups")
    add("--benchmark NAME", "of this benchmark alone")
    add("--division", "closed (default) or open", choices=DIVISIONS, default=Division.CLOSED)
    add_wait_option(add)
    add_rules_folder(add)
    add_format_options(parser.add_group("how it is shown"))
    return parser


def _rank(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    renderer = load_renderer(options)
    board = rank_results(
        open_store(options.store, patience_s=options.wait),
        options.round,
        benchmark=options.benchmark,
        division=options.division,
        rules=options.rules,
    )
    document = describe_leaderboard(
        [place._asdict() for place in board.places],
        board.left_out,
        division=str(options.division),
        ruleset=options.round,
        benchmark=options.benchmark,
    )
    write_document(document, renderer, options.output)
    return COMPLIANT
