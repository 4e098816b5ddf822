"""`mlperf summary`: a round's results table."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NamedTuple

from mlperf_logging.cli.options import Parser
from mlperf_logging.cli.output import load_renderer, write_document
from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, VIOLATION, run_guarded
from mlperf_logging.cli.scoring import (
    add_price_options,
    add_reading_options,
    add_showing_options,
    read_folders,
    read_prices,
    report_unread,
)
from mlperf_logging.reports.documents.summary import LAYOUTS, ROWS, describe_summary
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.scoring.cost import find_price, price_score
from mlperf_logging.scoring.folders import score_folder
from mlperf_logging.scoring.rcp.files import open_reference_points
from mlperf_logging.scoring.rcp.submissions import check_submission
from mlperf_logging.submission.summary import (
    BenchmarkResult,
    SystemResults,
    give_private_id,
    list_benchmarks,
    summarize_results,
)

_EXAMPLES = """\
examples:
  {program} ROUND_FOLDER --jobs 0                          every result: score, batch size, convergence, RCP margin
  {program} --ruleset ROUND SUBMITTER --format markdown    one submitter's, for a page
  {program} ROUND_FOLDER --layout public --format csv      as the public tool writes it
  {program} ROUND_FOLDER --format xlsx -o summary.xlsx     a workbook
  {program} SUBMITTER --prices prices.yaml                 with what each result costs

exit codes: 0 every folder has a result; 1 at least one has none; 2 the tool could not do its work.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf summary") -> int:
    """Tabulate the results that a command line names: 0 every folder has a result, 1 one has none, 2 an error."""
    return run_guarded(program, lambda: _summarize(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf summary`."""
    parser = Parser(
        program, "A round's results: per system and benchmark the score and what it took.", _EXAMPLES
    )
    add_reading_options(parser)
    add = parser.add_group("what is in the table")
    about = "; ".join(f"{name}: {what}" for name, what in LAYOUTS.items())
    add("--layout NAME", about, choices=tuple(LAYOUTS), default=ROWS)
    add("--private-ids", "name each row by a hash, for tables that name nobody")
    add_price_options(parser)
    add_showing_options(parser)
    return parser


def _summarize(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    renderer = load_renderer(options)
    summary = read_summary(options, program)
    document = describe_summary(summary.systems, summary.benchmarks, options.layout)
    write_document(document, renderer, options.output)
    return CANNOT_WORK if summary.unread else COMPLIANT if summary.is_complete else VIOLATION


class Summary(NamedTuple):
    """A round's results.

    Attributes:
        systems: each system's, in the order of the table.
        benchmarks: those that the public table has columns of: of the rounds that judged, in their order.
        unread: whether a log could not be read.
    """

    systems: list[SystemResults]
    benchmarks: list[str]
    unread: bool

    @property
    def results(self) -> list[BenchmarkResult]:
        """All results, in the order of the table."""
        return [result for each in self.systems for result in each.results.values()]

    @property
    def is_complete(self) -> bool:
        """Whether every folder has a result."""
        return all(result.score.has_result for result in self.results)


def read_summary(options: argparse.Namespace, program: str) -> Summary:
    """Read and score what the options of `build_parser` name; says which logs cannot be read."""
    prices = read_prices(options)
    folders = read_folders(options, program)
    unread = report_unread(program, folders)
    find_table = open_reference_points(options.rules)
    results = []
    for each in folders:
        score = score_folder(each.folder, each.runs)
        price = find_price(prices, each.folder.system)
        check = check_submission(each.folder, each.runs, find_table, draws=0)
        results.append(
            BenchmarkResult(score, check, price_score(score, price) if price is not None else None)
        )
    systems = summarize_results(results)
    if options.private_ids:
        systems = [each._replace(facts=give_private_id(each.facts)) for each in systems]
    book = open_rules(options.rules)
    rounds = dict.fromkeys(result.score.ruleset for result in results)
    known = [name for ruleset in rounds if ruleset is not None for name in book.load(ruleset).benchmarks]
    return Summary(systems, list_benchmarks(systems, known), unread)
