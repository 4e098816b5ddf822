"""`mlperf-check`: judge logs and show what was found."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, islice
from typing import TYPE_CHECKING

from mlperf_logging.cli.configuration import blame_file
from mlperf_logging.cli.judging import LogJudge
from mlperf_logging.cli.keeping import VERDICTS, open_keeping_engine
from mlperf_logging.cli.options import build_check_parser as build_parser
from mlperf_logging.cli.options import read_selection, split_names
from mlperf_logging.cli.output import Output
from mlperf_logging.cli.reporting import Reports
from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, VIOLATION, print_error, run_guarded
from mlperf_logging.compliance.findings import OTHER_ROUND
from mlperf_logging.errors import MLPerfLoggingError, UsageError
from mlperf_logging.reports import FileResult, Totals
from mlperf_logging.runs.paths import find_logs

JUDGE_IDS = {
    *("no-events", "other-dialect", OTHER_ROUND, "several-runs", "unknown-benchmark", "unknown-division")
}
"""Ids under which the judge itself reports; they are in no rule file."""

if TYPE_CHECKING:
    from mlperf_logging.cli.waiving import NewWaivers
    from mlperf_logging.compliance.finding_filter import FindingFilter
    from mlperf_logging.compliance.waivers import Waiver
    from mlperf_logging.reports._statistics import Statistics


def main(argv: Sequence[str] | None = None, program: str = "mlperf-check") -> int:
    """Judge the logs that a command line names: 0 all are compliant, 1 one is not, 2 an error."""
    return run_guarded(program, lambda: _check(argv, program))


def _check(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    if options.version:
        return _show_version(program)
    if options.explain is not None or options.list_rules:
        return _show_rules(options)
    if not options.paths:
        raise UsageError(
            "name at least one log, folder or pattern, or - for standard input (--help shows examples)"
        )
    waivers = load_given_waivers(options.waivers)
    judge = LogJudge(read_selection(options), waivers, read_filter(options), werror=options.werror)
    new_waivers = _plan_waivers(options)
    if options.follow:
        return _follow(options, judge, program)
    engine = open_keeping_engine(options, program, VERDICTS, judge.selection)
    logs = find_logs(options.paths)
    for sentence in logs.complaints:
        print_error(program, sentence)
    with ExitStack() as places:
        reports = Reports(options, program, places, len(logs.paths))
        results = map(judge.settle_all, engine.map_logs(judge.reach_verdicts, logs.paths))
        totals, used = _write_reports(reports, results, len(logs.paths), options, new_waivers)
    if new_waivers is not None:
        print_error(program, new_waivers.write())
    report_unused(waivers, used, options.waivers, program)
    return CANNOT_WORK if logs.complaints else choose_code(totals, options)


def _plan_waivers(options: Namespace) -> NewWaivers | None:
    if options.write_waivers is None:
        if options.reason is not None or options.expires is not None:
            raise UsageError("--reason and --expires are those of --write-waivers FILE")
        return None
    from mlperf_logging.cli.waiving import NewWaivers

    if options.follow:
        raise UsageError("--write-waivers takes whole logs; leave --follow out")
    return NewWaivers(options)


def _write_reports(
    reports: Reports,
    judged: Iterator[list[FileResult]],
    count: int,
    options: Namespace,
    new_waivers: NewWaivers | None,
) -> tuple[Totals, set[Waiver]]:
    totals = Totals()
    used: set[Waiver] = set()
    with ExitStack() as stack:
        statistics = bar = None
        collectors: list[Statistics | NewWaivers] = [] if new_waivers is None else [new_waivers]
        if options.statistics:
            from mlperf_logging.reports._statistics import Statistics

            statistics = Statistics()
            collectors.append(statistics)
        if not options.quiet and sys.stderr is not None and sys.stderr.isatty():
            from mlperf_logging.cli.progress import ProgressBar

            bar = stack.enter_context(ProgressBar(count, "judging logs", sys.stderr))
        first = list(islice(judged, 1))  # what is wrong with the options is said before a report begins
        reports.begin()
        try:
            for results in chain(first, judged):
                for result in results:
                    totals = totals.plus(result)
                    used.update(waived.waiver for waived in result.waived)
                    for collector in collectors:
                        collector.add(result)
                texts = reports.add(results)
                if bar is not None:
                    bar.advance()
                    if any(text and output.is_terminal for output, text in texts):
                        bar.hide()
                for output, text in texts:
                    output.write(text)
        except MLPerfLoggingError:
            reports.break_off(totals)
            raise
    reports.end(totals, f"\n{statistics.render()}" if statistics is not None else "")
    return totals, used


def _follow(options: Namespace, judge: LogJudge, program: str) -> int:
    """Judge one log while it is written."""
    from mlperf_logging.cli.following import Follower

    if len(options.paths) != 1 or os.path.isdir(options.paths[0]):
        raise UsageError("--follow takes one log; start one command for each")
    if options.level is not None:
        raise UsageError("--follow judges by all levels; leave --level out")
    if options.store is not None:
        raise UsageError("--follow reads a log that grows, which is kept in no store; leave --store out")
    if options.run is not None:
        raise UsageError("--follow judges the run that is being written; leave --run out")
    (path,) = options.paths

    def note(sentence: str) -> None:
        if not options.quiet:
            print_error(program, sentence)

    with ExitStack() as places:
        reports = Reports(options, program, places)
        reports.begin()
        follower = Follower(path, judge, lambda finding: reports.announce(path, finding), note)
        result = follower.follow()
        totals = Totals().plus(result)
        for output, text in reports.add([result]):
            output.write(text)
        reports.end(totals)
    report_unused(judge.waivers, {waived.waiver for waived in result.waived}, options.waivers, program)
    return choose_code(totals, options)


def choose_code(totals: Totals, options: Namespace) -> int:
    """The exit code that follows from what was found."""
    if totals.unjudged:
        return CANNOT_WORK
    return VIOLATION if totals.failed and not options.exit_zero else COMPLIANT


def report_unused(waivers: Sequence[Waiver], used: set[Waiver], path: str, program: str) -> None:
    """Say which waivers covered nothing."""
    for waiver in (each for each in waivers if each not in used):
        print_error(program, f"warning: {path}:{waiver.line}: the waiver of {waiver.rule} covered nothing")


def load_given_waivers(path: str | None) -> tuple[Waiver, ...]:
    """The waivers of ``--waivers``; none without it."""
    if path is None:
        return ()
    from datetime import datetime, timezone

    from mlperf_logging.compliance.waivers import load_waivers

    return load_waivers(path, datetime.now(timezone.utc).date())


def read_filter(options: Namespace) -> FindingFilter | None:
    """The findings that ``--select`` and ``--ignore`` choose; None for all."""
    if not options.select and not options.ignore:
        return None
    from mlperf_logging.compliance.finding_filter import is_code_prefix, parse_filter
    from mlperf_logging.compliance.unjudged import UNJUDGED_CODE
    from mlperf_logging.parsing.diagnostics import KIND_OF_LABEL
    from mlperf_logging.rules.catalogue import list_rules
    from mlperf_logging.rules.repository import open_rules

    book = open_rules(options.rules)
    codes = {kind.code for kind in KIND_OF_LABEL.values()} | set(book.vocabulary().codes) | {UNJUDGED_CODE}
    ids = set(book.vocabulary().list_file_rules())
    if not all(map(is_code_prefix, split_names([*options.select, *options.ignore]))):
        ids |= {rule.id for entry in book.index() for rule in list_rules(book.load(entry.name))}
        ids |= set(KIND_OF_LABEL) | JUDGE_IDS
    with blame_file(options, "select", "ignore"):
        return parse_filter(options.select, options.ignore, known_codes=codes, known_rules=ids)


def _show_rules(options: Namespace) -> int:
    from mlperf_logging.cli.rules import show_explanation, show_rules

    options.format = "json" if options.format in {"json", "jsonl"} else "text"
    return show_rules(options) if options.explain is None else show_explanation(options.explain, options)


def _show_version(program: str) -> int:
    from mlperf_logging import __version__

    with Output(None) as output:
        output.write(f"{program} {__version__}\n")
    return COMPLIANT


if __name__ == "__main__":
    sys.exit(main())
