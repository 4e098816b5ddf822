"""From a log to rows: what a run took, where it got to, and every evaluation on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from mlperf_logging.analysis.places import Place, place_log
from mlperf_logging.analysis.progress import read_counting, to_float
from mlperf_logging.analysis.rows import ReadRun, describe_evaluations, describe_run
from mlperf_logging.analysis.targets import (
    Target,
    find_meeting,
    find_missing,
    find_targets,
    list_bounds,
    read_logged_target,
    read_target,
)
from mlperf_logging.compliance.checking import Identity, find_variants
from mlperf_logging.compliance.judge import Judge
from mlperf_logging.compliance.ruleset_selection import choose_ruleset
from mlperf_logging.errors import UnreadableLogError
from mlperf_logging.parsing import Log, read_log
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.runs import Run, make_run

_SHARED = ("path", "benchmark", "submitter", "system", "seed")
"""Columns that both tables have."""

_VALUE_CODES = ("MLP302", "MLP304", "MLP305")


@dataclass(frozen=True)
class ReadingParameters:
    """By what logs are read.

    Attributes:
        usage: "training", "hpc" …; None lets the log choose.
        ruleset: a round's numbers; "auto" for the newest that knows the log's dialect and benchmark. The target
            and the meaning of progress come from it, so name the round where a benchmark's target has changed.
        division: by which division's target; None for the logged one.
        benchmark: by which benchmark's target; None for the logged one.
        target: a formula such as "value >= 0.759" in place of the rules' target; None for theirs.
        rules: folder of other rule files; None for those of the package.
    """

    usage: str | None = None
    ruleset: str = "auto"
    division: str | None = None
    benchmark: str | None = None
    target: str | None = None
    rules: str | None = None


class RunRows(NamedTuple):
    """What one log gives.

    Attributes:
        run: its row in the table of runs.
        evaluations: its rows in the table of evaluations.
        hyperparameters: key to last logged value.
        broken: keys whose values break a rule.
        ruleset: name of the round that was used; None where the log holds no event.
        division: the division whose rules were used.
        variants: the benchmark's variants that the run is of.
    """

    run: dict[str, Any]
    evaluations: list[dict[str, Any]]
    hyperparameters: dict[str, Any]
    broken: frozenset[str] = frozenset()
    ruleset: str | None = None
    division: str | None = None
    variants: tuple[str, ...] = ()


def read_rows(path: str, parameters: ReadingParameters | None = None) -> RunRows:
    """Read one log into rows. What cannot be told is missing, and the row's ``note`` says why.

    Args:
        path: the log; "-" for standard input.
        parameters: see there.

    Raises:
        UsageError: there is no such usage, ruleset, division or benchmark, or the target is no formula.
        RuleError: a rule file is wrong.
    """
    chosen = parameters or ReadingParameters()
    given = [read_target(chosen.target)] if chosen.target is not None else None
    place = place_log(path)
    base = {"path": path, "submitter": place.submitter, "system": place.system}
    try:
        log = read_log(path)
    except UnreadableLogError as trouble:
        return RunRows({**base, "note": str(trouble)}, [], {})
    run = make_run(log)
    if not log.events:
        lines = len({problem.line for problem in log.problems})
        problems = f" ({lines:,} line{'s' * (lines != 1)} with records that cannot be read)" if lines else ""
        note = f"the file holds no event of a known log dialect{problems}"
        return RunRows({**base, "events": 0, "note": note}, [], {})
    known = _look_up(log, run, place, chosen, given)
    evaluations = describe_evaluations(known)
    row = describe_run(known, evaluations)
    rows = [{**{name: row[name] for name in _SHARED}, **each} for each in evaluations]
    return RunRows(
        row,
        rows,
        dict(run.hyperparameters),
        _list_broken(log, known),
        known.choice.ruleset.name,
        known.choice.division,
        known.variants,
    )


def _list_broken(log: Log, known: ReadRun) -> frozenset[str]:
    """Keys that a rule on their values blames; strict rules too, since they are what the written rules say."""
    judge = Judge(known.choice.ruleset, known.table)
    for event in log.events:
        judge.feed(event)
    judge.finish()
    return frozenset(
        [finding.key for finding in judge.findings if finding.key and finding.code in _VALUE_CODES]
    )


def _look_up(
    log: Log, run: Run, place: Place, parameters: ReadingParameters, given: list[Target] | None
) -> ReadRun:
    identity = Identity({}, {})
    identity.note(log.events)
    choice = choose_ruleset(
        open_rules(parameters.rules),
        parameters.usage,
        parameters.ruleset,
        parameters.division,
        parameters.benchmark,
        identity,
    )
    ruleset, benchmark = choice.ruleset, choice.benchmark
    variants = find_variants(ruleset, benchmark, identity)
    table = ruleset.table(choice.division, benchmark, variants, strict=True)
    last = {event.key: event for event in log.events}
    targets = given
    if targets is None:
        stated = find_targets(ruleset, choice.division, benchmark, variants)
        targets = stated or read_logged_target(last)
    facts = ruleset.facts(benchmark).get("progress", {}) if benchmark in ruleset.benchmarks else {}
    values = {each.metric: to_float(each.value) for each in run.evaluations if each.value is not None}
    bounds = list_bounds(targets, values, last)
    missing = find_missing(run.evaluations, bounds, table.join)
    meeting = tuple([found - missing for found in find_meeting(log.events, targets, table)])
    return ReadRun(
        run,
        place,
        choice,
        table,
        targets,
        meeting,
        bounds,
        read_counting(facts, run.hyperparameters),
        variants,
    )
