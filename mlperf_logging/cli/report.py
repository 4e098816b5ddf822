"""`mlperf report`: one page of runs, to open in a browser anywhere."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from mlperf_logging.cli.check import load_given_waivers, read_filter
from mlperf_logging.cli.judging import LogJudge
from mlperf_logging.cli.keeping import RESULT, open_keeping_engine
from mlperf_logging.cli.options import (
    AddOption,
    Parser,
    add_engine_options,
    add_finding_options,
    add_rule_options,
    add_store_option,
    read_selection,
)
from mlperf_logging.cli.output import Output
from mlperf_logging.cli.progress import show_progress
from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, print_error, run_guarded
from mlperf_logging.cli.scoring import add_price_options, read_prices, score_folders_in_suite
from mlperf_logging.errors import UsageError
from mlperf_logging.events import Outcome
from mlperf_logging.installation import require_libraries
from mlperf_logging.runs.paths import find_logs
from mlperf_logging.scoring.cost import find_price, price_score
from mlperf_logging.scoring.suites import load_suite

if TYPE_CHECKING:
    from mlperf_logging.reports.html.material import Material, Origin
    from mlperf_logging.reports.html.model import PageOptions
    from mlperf_logging.scoring.cost import Cost, Price
    from mlperf_logging.scoring.folders import FolderScore
    from mlperf_logging.submission.judging import JudgedResult

LIBRARIES = ("numpy", "pandas", "scipy", "altair", "itables", "jinja2", "vl_convert")
_EXAMPLES = """\
examples:
  {program} results/SYSTEM/BENCHMARK -o report.html        its runs, and what they make
  {program} round/ -o round.html --jobs 0                  a whole round
  {program} old/ new/ -o compared.html                     two rounds, or two folders of runs, compared
  {program} SUBMITTER --suite NAME -o suite.html           with the score of a suite
  {program} my_runs/ --public --title 'Our runs' --logo logo.png -o report.html

The page is one file that loads nothing from elsewhere. A folder means the result_*.txt at and below it; where there are
none, its *.txt, *.log and *.out.
exit codes: 0 the page was written, whatever it says of the runs; 2 something could not be read, or the arguments are wrong.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf report") -> int:
    """Write the page of the logs that a command line names; 2 when something could not be read."""
    return run_guarded(program, lambda: _report(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf report`."""
    parser = Parser(program, "One page of runs, to open in a browser anywhere.", _EXAMPLES)
    add = add_report_options(parser)
    add("--output -o FILE", "the page; replaced once it is complete")
    return parser


def add_report_options(parser: Parser) -> AddOption:
    """Add what says of which logs a page is made, and how; returns what adds to the last group."""
    parser.add_group()("paths PATH", "logs, folders or patterns", nargs="*")
    add = add_rule_options(parser, going="judge by this")
    add("--target FORMULA", "another target for curves and times to quality, such as 'value >= 0.759'")
    add_finding_options(parser, add)
    add("--suite NAME", "also the score of a suite: its name or a YAML file")
    add_price_options(parser)
    add_page_options(parser.add_group("what the page says"))
    add = parser.add_group("how it is made")
    add_engine_options(add)
    add_store_option(add)
    add("--quiet -q", "no progress bar")
    return add


def add_page_options(add: AddOption) -> None:
    """Add what the reader of the page is to see beside the results; `mlperf package` has the same."""
    add("--title TEXT", "title of the page")
    add("--logo FILE", "image beside the title: PNG, JPEG, GIF, WebP or SVG")
    add("--public", "leave out names of hosts and paths")


def read_page_options(options: argparse.Namespace) -> PageOptions:
    """The options of `add_page_options`.

    Raises:
        UsageError: the logo is no image, or cannot be read.
    """
    from mlperf_logging.reports.html.logo import read_logo
    from mlperf_logging.reports.html.model import PageOptions

    return PageOptions(
        title=options.title or "",
        logo=read_logo(options.logo) if options.logo is not None else "",
        public=options.public,
    )


def check_report_options(options: argparse.Namespace) -> None:
    """Raise `UsageError` where a page cannot be made at all: no path, no library, a target that is no formula."""
    if not options.paths:
        raise UsageError("name at least one log or folder (--help shows examples)")
    require_libraries("the page", LIBRARIES, "report")
    if options.target is not None:
        from mlperf_logging.compliance.targets import read_target

        read_target(options.target)


def describe_origin(program: str, arguments: Sequence[str]) -> Origin:
    """How the page comes about: what was called where, when, and by which version."""
    import shlex
    import socket
    from datetime import datetime, timezone

    from mlperf_logging import __version__
    from mlperf_logging.reports.html.material import Origin

    return Origin(
        command=shlex.join([*program.split(), *_leave_out_store(arguments)]),
        folder=os.getcwd(),
        host=socket.gethostname(),
        version=f"mlperf_logging {__version__}",
        made=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _leave_out_store(arguments: Sequence[str]) -> list[str]:
    """The arguments without ``--store``: the page is the same with one, so it says the same."""
    kept: list[str] = []
    for before, argument in zip(["", *arguments], arguments, strict=False):
        if "--store" not in (before, argument) and not argument.startswith("--store="):
            kept.append(argument)
    return kept


def write_page(material: Material, page: PageOptions, path: str) -> None:
    """Write the page of judged logs to a file, which is replaced once the page is complete."""
    from mlperf_logging.reports.html.building import build_report
    from mlperf_logging.reports.html.rendering import render_page

    with Output(path) as output:
        output.write(render_page(build_report(material, page)))


def read_material(
    options: argparse.Namespace,
    program: str,
    origin: Origin,
    judged: Mapping[str, JudgedResult] | None = None,
) -> Material:
    """Judge the logs that the paths mean, each once, with a progress bar on a terminal.

    Args:
        options: as `add_report_options` has them.
        program: name of the command, for what is said about paths that gave nothing.
        origin: how the page comes about.
        judged: logs by path that were judged before with the same options and have not changed.

    Raises:
        UsageError: there is no log, or an option makes no sense.
    """
    from mlperf_logging.reports.html.material import Material, make_results
    from mlperf_logging.submission.judging import judge_result

    roots: dict[str, str] = {}
    left_out: list[str] = []
    for name in options.paths:
        found = find_logs([name], results=True)
        left_out += found.complaints
        roots = dict.fromkeys(found.paths, name) | roots
    for sentence in left_out:
        print_error(program, sentence)
    if not roots:
        raise UsageError("no logs found, so there is nothing to report on")
    suite = load_suite(options.suite, options.rules) if options.suite else None
    prices, waivers, selection = (
        read_prices(options),
        load_given_waivers(options.waivers),
        read_selection(options),
    )
    settings = {"waivers": waivers, "with_rows": True, "target": options.target}
    engine = open_keeping_engine(options, program, RESULT, selection, **settings)
    known = dict(judged or {})
    unread = [path for path in roots if path not in known]
    read = engine.map_logs(partial(judge_result, selection=selection, **settings), unread)
    known |= zip(unread, show_progress(read, len(unread), "reading logs", quiet=options.quiet), strict=True)
    logs = [known[path] for path in roots]
    settle = LogJudge(selection, (), read_filter(options)).settle
    results = make_results(logs, rules=options.rules, price=partial(_price, prices))
    scores = [result.score for result in results]
    return Material(
        logs=logs,
        files=[settle(log.verdict, log.waived) for log in logs],
        results=results,
        suite=score_folders_in_suite(suite, scores, prices) if suite is not None else None,
        roots=roots,
        selection=selection,
        origin=origin,
        left_out=tuple(left_out),
    )


def _price(prices: dict[str, Price], score: FolderScore) -> Cost | None:
    price = find_price(prices, score.folder.system)
    return price_score(score, price) if price is not None else None


def _report(argv: Sequence[str] | None, program: str) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = build_parser(program).parse(arguments)
    if options.paths and options.output is None:
        raise UsageError("name the file of the page with --output: FILE.html")
    check_report_options(options)
    page = read_page_options(options)
    material = read_material(options, program, describe_origin(program, arguments))
    write_page(material, page, options.output)
    unread = [log.verdict for log in material.logs if log.verdict.verdict == Outcome.UNJUDGED]
    for verdict in unread:
        print_error(program, verdict.findings[0].message)
    return CANNOT_WORK if unread or material.left_out else COMPLIANT
