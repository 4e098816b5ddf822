"""`mlperf score`: time to train, energy and cost of results; suites and speedups."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mlperf_logging.cli.options import Parser
from mlperf_logging.cli.output import load_renderer, write_document
from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, VIOLATION, run_guarded
from mlperf_logging.cli.scoring import (
    FolderRuns,
    add_price_options,
    add_reading_options,
    add_showing_options,
    read_folders,
    read_prices,
    report_unread,
)
from mlperf_logging.errors import UsageError
from mlperf_logging.events import Outcome
from mlperf_logging.reports.documents.folders import name_system
from mlperf_logging.reports.documents.score import (
    PricedScore,
    describe_folder,
    describe_results,
    describe_runs,
    describe_scores,
    describe_speedups,
)
from mlperf_logging.reports.documents.suite import describe_suite
from mlperf_logging.reports.tables import BaseRenderer
from mlperf_logging.scoring.cost import Price, find_price, price_score
from mlperf_logging.scoring.folders import MEDIAN, OLYMPIC, FolderScore, score_folder
from mlperf_logging.scoring.requirements import Requirement, read_requirement
from mlperf_logging.scoring.speedups import SpeedupTable, compare_speeds, gather_minutes
from mlperf_logging.scoring.suite_results import SuiteResult, score_in_suite, score_systems
from mlperf_logging.scoring.suites import Suite, SuiteScore, load_suite
from mlperf_logging.tables import Document

AUTO = "auto"
_FIRST = ""  # --speedup without a baseline
_EXAMPLES = """\
examples:
  {program} results/SYSTEM/BENCHMARK                  every run, and the score of the folder
  {program} SUBMITTER --jobs 0                        one line per benchmark and system
  {program} --ruleset ROUND --format csv ROUND_FOLDER > scores.csv
  {program} results/SYSTEM --price 98.32/h            what the results cost
  {program} results --prices prices.yaml              the same, with the price of each system
  {program} --suite NAME results/SYSTEM               normalized by the reference, and the suite's score
  {program} --speedup 'OLD_SYSTEM' results            how much faster than that system
  {program} --speedup --by path ROUND_A ROUND_B       how much faster one round is than another

exit codes: 0 every folder has a result; 1 at least one has none (too many runs that do not count, mixed
benchmarks, …); 2 the tool could not do its work. A folder of logs counts as the runs of one benchmark on one system.
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf score") -> int:
    """Score the results that a command line names: 0 every folder has a result, 1 one has none, 2 an error."""
    return run_guarded(program, lambda: _score(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf score`."""
    about = "Score results: time to train, energy, cost, suites, speedups."
    parser = Parser(program, about, _EXAMPLES)
    add_reading_options(parser)
    add = parser.add_group("how it is scored")
    add("--strict", "a run that breaks the written rules does not count either")
    add("--unjudged", "count every run that succeeded, whatever rules it breaks")
    add("--method", "how runs make a score: olympic (default) or median", choices=(OLYMPIC, MEDIAN))
    add("--suite NAME", "normalize by the reference results of a suite: its name or a YAML file")
    add("--weights NAME=W,…", "weights of the suite's benchmarks; those left out weigh nothing")
    baseline = "compare with a system (or path); without a name, with the first"
    add("--speedup BASELINE", baseline, nargs="?", const=_FIRST)
    compared = "what --speedup compares: systems (default), or the best results below each path"
    add("--by", compared, choices=("system", "path"), default="system")
    add_price_options(parser)
    add_showing_options(parser)
    parser.add_group()("--runs", "one row per run, not per folder")
    return parser


def _score(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    renderer = load_renderer(options)
    suite = load_suite(options.suite, options.rules) if options.suite else None
    if options.weights and suite is None:
        raise UsageError("--weights applies to a suite's benchmarks; name the suite with --suite")
    prices = read_prices(options)
    folders = read_folders(options, program)
    unread = report_unread(program, folders)
    scores = [_score_one(each, options, suite, prices) for each in folders]
    suites = _score_suites(scores, suite, options) if suite is not None else []
    speedups = _compare(scores, options) if options.speedup is not None else None
    document = _describe(scores, suites, speedups, renderer, options)
    write_document(document, renderer, options.output)
    if unread:
        return CANNOT_WORK
    return COMPLIANT if all(each.score.has_result for each in scores) else VIOLATION


def _score_one(
    found: FolderRuns, options: argparse.Namespace, suite: Suite | None, prices: dict[str, Price]
) -> PricedScore:
    runs = found.runs
    if options.unjudged:
        runs = tuple([run._replace(verdict=Outcome.PASSED) if run.summary.succeeded else run for run in runs])
    requirement = None
    if not any(run.benchmark for run in runs):
        requirement = _look_up_requirement(found, options)
    score = score_folder(found.folder, runs, requirement=requirement, method=options.method or OLYMPIC)
    in_suite = score_in_suite(score, suite, options.method) if suite is not None else None
    score = _note_choice(in_suite.score if in_suite is not None else score, options)
    price = find_price(prices, found.folder.system)
    return PricedScore(
        score,
        price_score(score, price) if price is not None else None,
        found.root,
        in_suite.normalized if in_suite is not None else None,
    )


def _look_up_requirement(found: FolderRuns, options: argparse.Namespace) -> Requirement | None:
    """How often the benchmark that the folder is named after is run, where no log names one."""
    from mlperf_logging.rules.repository import open_rules

    for run in found.runs[:1]:
        if run.ruleset is not None:
            ruleset = open_rules(options.rules).load(f"{run.usage}/{run.ruleset}")
            if found.folder.benchmark in ruleset.benchmarks:
                return read_requirement(ruleset.facts(found.folder.benchmark).get("runs"))
    return None


def _note_choice(score: FolderScore, options: argparse.Namespace) -> FolderScore:
    """Say that an automatic round may be too new where that is why there is no result."""
    failed = any(
        run.verdict == Outcome.FAILED and run.several_runs is None and not run.unread.text
        for run in score.runs
    )
    if score.has_result or not failed or options.ruleset != AUTO or score.ruleset is None:
        return score
    fits = [run.compliant_under for run in score.runs if run.verdict == Outcome.FAILED]
    shared = next((name for name in fits[0] if all(name in each for each in fits)), None)
    what = "name the round with --ruleset if it is an older one"
    if shared is not None:
        what = f"the runs that break its rules are compliant under {shared}: name your round with --ruleset"
    note = f"judged by {score.ruleset}, {score.ruleset_reason}; {what}"
    return score._replace(notes=(*score.notes, note))


def _score_suites(
    scores: Sequence[PricedScore], suite: Suite, options: argparse.Namespace
) -> list[SuiteScore]:
    weights = _read_weights(options.weights) if options.weights else None
    results = [
        SuiteResult(name_system(each.score.folder), each.score, each.cost, each.normalized) for each in scores
    ]
    return score_systems(suite, results, weights)


def _read_weights(text: str) -> dict[str, float]:
    weights = {}
    for part in text.split(","):
        name, equals, number = part.partition("=")
        try:
            weights[name.strip()] = float(number)
        except ValueError:
            equals = ""
        if not equals:
            raise UsageError(f"{part!r} is not a valid weight; write NAME=NUMBER, as in first=2") from None
    return weights


def _compare(scores: Sequence[PricedScore], options: argparse.Namespace) -> SpeedupTable:
    """Scores side by side; of several results of a benchmark in one column the fastest counts."""
    minutes = gather_minutes(
        (
            each.root if options.by == "path" else name_system(each.score.folder),
            each.score.benchmark,
            each.score.score_minutes,
        )
        for each in scores
    )
    baseline = options.speedup or None
    if baseline is not None and baseline not in minutes:
        near = [column for column in minutes if column.endswith(f"/{baseline}")]
        baseline = near[0] if len(near) == 1 else baseline
    return compare_speeds(minutes, baseline)


def _describe(
    scores: Sequence[PricedScore],
    suites: Sequence[SuiteScore],
    speedups: SpeedupTable | None,
    form: BaseRenderer,
    options: argparse.Namespace,
) -> Document:
    """What is shown: for programs the results or the runs, for people more, and what is compared in both."""
    if form.for_people:
        tables = [describe_folder(each) for each in scores] if len(scores) == 1 or options.runs else []
        tables += [describe_results(scores)] if len(scores) > 1 else []
    else:
        tables = [describe_runs(scores) if options.runs else describe_results(scores)]
    if not form.single:
        if suites:
            names = [name for each in suites[:1] for name in (*each.normalized, *each.missing)]
            ordered = list(dict.fromkeys([*load_suite(options.suite, options.rules).benchmarks, *names]))
            tables.append(describe_suite(suites[0].suite, suites, ordered))
        if speedups is not None:
            tables.append(describe_speedups(speedups))
    return describe_scores(scores, tables, suites, speedups)
