"""What `mlperf score`, `rcp` and `summary` share: options, and the runs of result folders, each log read once."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from mlperf_logging.cli.engines import open_engine
from mlperf_logging.cli.options import (
    AddOption,
    Parser,
    add_engine_options,
    add_format_options,
    add_rule_options,
    read_selection,
)
from mlperf_logging.cli.progress import show_progress
from mlperf_logging.cli.running import print_error
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.errors import (
    FAILED_ON_LOG,
    MLPerfLoggingError,
    UnreadableLogError,
    UsageError,
    describe_fault,
)
from mlperf_logging.events import Outcome
from mlperf_logging.reports.documents.folders import name_system
from mlperf_logging.runs.folders import ResultFolder, find_result_folders
from mlperf_logging.scoring.cost import DEFAULT, Cost, Price, find_price, load_prices, price_score, read_price
from mlperf_logging.scoring.folders import FolderScore
from mlperf_logging.scoring.runs import ScoredRun, score_run
from mlperf_logging.scoring.suite_results import ScoredSuite, score_suite_results
from mlperf_logging.scoring.suites import Suite


def _score_log(path: str, selection: RuleSelection) -> ScoredRun:
    """What scores need to know of one log; what cannot be read gives a run with verdict "error"."""
    from mlperf_logging.compliance.judged_run import judge_run

    try:
        return score_run(judge_run(path, selection))._replace(path=path)
    except UnreadableLogError as error:
        return ScoredRun(path, Outcome.UNJUDGED, (str(error),))
    except MLPerfLoggingError:
        raise
    except Exception as error:  # noqa: BLE001 - one log must not end the reading of thousands
        return ScoredRun(path, Outcome.UNJUDGED, (f"{path}: {describe_fault(error, FAILED_ON_LOG)}",))


class FolderRuns(NamedTuple):
    """A result folder below a path (`root`) of the command line, and its runs in the order of the logs."""

    root: str
    folder: ResultFolder
    runs: tuple[ScoredRun, ...]


def add_reading_options(parser: Parser) -> None:
    """Add the paths and what says by which rules the runs are judged."""
    about = "a benchmark's folder, a system's, a submitter's, a whole round"
    parser.add_group()("paths FOLDER", about, nargs="*")
    add_rule_options(parser)


def add_price_options(parser: Parser) -> None:
    """Add what says how much a system and its energy cost."""
    add = parser.add_group("what it costs")
    add("--price P/h", "on-demand price of the whole system for an hour, as in 98.32/h")
    add("--energy-price P/kWh", "price of energy, as in 0.12/kWh")
    add("--prices FILE", "YAML or JSON: system to price, or to price and energy")


def add_showing_options(parser: Parser) -> AddOption:
    """Add what says how the result is shown; returns what adds to the same group."""
    add = parser.add_group("how it is shown")
    add_format_options(add)
    add_engine_options(add)
    add("--quiet -q", "no progress bar and no remarks")
    return add


def read_folders(options: argparse.Namespace, program: str) -> list[FolderRuns]:
    """Find the result folders below the paths and read their runs, with a progress bar on a terminal.

    `UsageError` where a path is not a folder or holds no logs.
    """
    if not options.paths:
        raise UsageError("name at least one folder with result logs (--help shows examples)")
    found = _find_once(options.paths)
    paths = [log for _, folder in found for log in folder.logs]
    work = partial(_score_log, selection=read_selection(options))
    results = open_engine(options, program).map_logs(work, paths)
    runs = iter(list(show_progress(results, len(paths), "reading runs", quiet=options.quiet)))
    return [FolderRuns(root, folder, tuple([next(runs) for _ in folder.logs])) for root, folder in found]


def _find_once(roots: Sequence[str]) -> list[tuple[str, ResultFolder]]:
    """The result folders below each path; one that is named twice counts where it was named first."""
    found: dict[str, tuple[str, ResultFolder]] = {}
    for root in roots:
        for folder in find_result_folders(root):
            found.setdefault(os.path.realpath(folder.path), (root, folder))
    return list(found.values())


def score_folders_in_suite(
    suite: Suite, scores: Iterable[FolderScore], prices: Mapping[str, Price] | None = None
) -> ScoredSuite:
    """The results of a suite among those of folders, with the score of each system, and what they cost."""

    def price(score: FolderScore) -> Cost | None:
        found = find_price(prices or {}, score.folder.system)
        return price_score(score, found) if found is not None else None

    return score_suite_results(suite, [(name_system(each.folder), each) for each in scores], price)


def report_unread(program: str, folders: Iterable[FolderRuns]) -> bool:
    """Say which logs could not be read; returns whether there are any."""
    unread = [run for each in folders for run in each.runs if run.verdict == Outcome.UNJUDGED]
    for run in unread:
        print_error(program, run.faults[0] if run.faults else f"cannot judge {run.path!r}")
    return bool(unread)


def read_prices(options: argparse.Namespace) -> dict[str, Price]:
    """The price of each system, from the options of `add_price_options`; `UsageError` where one is wrong."""
    prices = load_prices(options.prices) if options.prices else {}
    hour, currency = read_price(options.price) if options.price else (None, "")
    energy, energy_currency = (
        read_price(options.energy_price, per=("kWh",)) if options.energy_price else (None, "")
    )
    if hour is not None or energy is not None:
        given = prices.get(DEFAULT, Price())
        prices[DEFAULT] = Price(
            given.per_hour if hour is None else hour,
            given.per_kilowatt_hour if energy is None else energy,
            currency or energy_currency or given.currency,
        )
    return prices
