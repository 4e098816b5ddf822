"""A judged run: a log's verdict, the typed view of its run, and the evaluations that met each target.

All three come from one reading and one judging of the log. Scores, analyses and reports read it and judge nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from mlperf_logging.compliance.checking import (
    begin_judging,
    explain_several_runs,
    judge_items,
    no_collecting,
    open_logs,
)
from mlperf_logging.compliance.findings import Verdict
from mlperf_logging.compliance.held_log import HeldLog
from mlperf_logging.compliance.joining import identify_evaluation
from mlperf_logging.compliance.judge import Judge, Judging
from mlperf_logging.compliance.ruleset_selection import (
    AUTOMATIC,
    Choice,
    RuleOptions,
    RuleSelection,
    choose_ruleset,
)
from mlperf_logging.compliance.targets import (
    LOGGED_TARGET,
    Bound,
    add_targets,
    find_missing,
    find_targets,
    list_bounds,
    read_logged_target,
    read_target,
)
from mlperf_logging.compliance.unread import Unread, read_unread
from mlperf_logging.compliance.violations import MISSING
from mlperf_logging.events import Event, minutes_between
from mlperf_logging.parsing.sources import Source
from mlperf_logging.rules.rule import Rule
from mlperf_logging.rules.rulesets import Ruleset, Table
from mlperf_logging.runs.run import Run, RunNotes

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from mlperf_logging.frames import DataFrame

_EVALUATION_KINDS = {
    "path": "text",
    "line": "count",
    "key": "text",
    "metric": "text",
    "value": "number",
    "minutes": "number",
    "epoch_num": "number",
    "samples_count": "number",
    "step_num": "number",
}
"""Columns of `JudgedRun.to_frame`, and what they hold."""

_VALUE_CODES = frozenset({"MLP302", "MLP304", "MLP305"})


class JudgedTarget(NamedTuple):
    """What at least one evaluation of a run must satisfy, and those that do.

    Attributes:
        text: the formula as written, with a word on where it comes from if that is not the run's own division.
        met: the events of the evaluations that met it, in the order of the log; joined ones where metrics are joined.
    """

    text: str
    met: tuple[Event, ...]


class JudgedRun(NamedTuple):
    """A run's verdict and what its log shows.

    Attributes:
        run: the typed view of the log; without any figure where the file holds several runs.
        verdict: the judgment of the log, by the rules that were selected.
        ruleset: the round that judged.
        variants: the benchmark's variants of the run.
        targets: what it had to reach. The round's own targets, strict ones included; else those of the closed
            division; else the one that the log states; or the one that the caller gave.
        bounds: the numbers that the targets ask for, in the scale that the log uses.
        broken_keys: keys whose values break a rule, strict ones included.
        missing_keys: keys that a rule requires, strict ones included, and the log does not contain.
    """

    run: Run
    verdict: Verdict
    ruleset: Ruleset
    variants: tuple[str, ...]
    targets: tuple[JudgedTarget, ...]
    bounds: tuple[Bound, ...]
    broken_keys: frozenset[str]
    missing_keys: frozenset[str]

    @property
    def division(self) -> str | None:
        """The division it was judged by: as given or logged, or None."""
        return self.verdict.division

    @property
    def benchmark(self) -> str | None:
        """The benchmark that it was judged as: as given or logged, or None."""
        return self.verdict.benchmark

    @property
    def unread(self) -> Unread:
        """The records that cannot be read as written."""
        return read_unread(self.verdict.findings)

    @property
    def join(self) -> dict[str, str] | None:
        """How the benchmark's events are joined (see `joining`), or None."""
        return self.ruleset.join(self.benchmark)

    @property
    def facts(self) -> dict[str, Any]:
        """What the round says about the benchmark: area, model, how often it is run …; empty if it is not known."""
        return self.ruleset.facts(self.benchmark)

    def to_frame(self) -> DataFrame:
        """The evaluations as a table of pandas, one row per value, with progress as logged.

        `tabulate_evaluations` gives them with progress in one unit, the target, and whether they meet it.

        Raises:
            UsageError: pandas is not installed.
        """
        from mlperf_logging.frames import make_frame

        start = self.run.start_ms
        rows = [
            (
                self.verdict.name,
                each.event.line,
                each.key,
                each.metric,
                each.value,
                None if start is None else minutes_between(start, each.time_ms),
                *each.progress,
            )
            for each in self.run.evaluations
        ]
        return make_frame(_EVALUATION_KINDS, rows)

    def _repr_html_(self) -> str:
        """The run for notebooks: its verdict, what it had to reach, and its last evaluations."""
        from mlperf_logging.markup import MOST_ROWS, write_facts, write_grid

        run = self.run
        size = run.global_batch_size
        facts = [
            ("target", " and ".join(target.text for target in self.targets)),
            ("status", run.status),
            ("batch size", None if size is None else f"{size:,.0f}"),
            ("evaluations", len(run.evaluations)),
        ]
        shown = self.verdict._repr_html_() + write_facts(facts)
        if not run.evaluations:
            return shown
        last = run.evaluations[-MOST_ROWS:]
        rows = [
            (each.event.line, each.key, each.metric or "", "" if each.value is None else f"{each.value:.6g}")
            for each in last
        ]
        left_out = len(run.evaluations) - len(last)
        notes = [f"{left_out:,} evaluations before these"] if left_out else []
        return shown + write_grid(("line", "key", "metric", "value"), rows, (0, 3), notes)


def judge_run(
    source: Source,
    selection: RuleSelection = AUTOMATIC,
    *,
    target: str | None = None,
    **options: Unpack[RuleOptions],
) -> JudgedRun:
    """Judge one log and give the typed view of its run, from one reading.

    Args:
        source: path, ``"-"`` for standard input, the log's bytes, or a binary file.
        selection: the rules to judge by; by default the log chooses.
        target: a formula such as "value >= 0.759" in place of the rules' target; it takes no part in the verdict.
        options: fields of the selection that are to differ, such as ``division="open"`` or ``strict=True``.

    Raises:
        UnreadableLogError: the log cannot be opened or its compression is broken.
        UsageError: there is no such usage, ruleset, division or benchmark, or the target is not a formula.
        RuleError: a rule file is wrong.
    """
    (judged,) = judge_runs(source, selection.override(options), target=target)
    return judged


def judge_runs(
    source: Source, selection: RuleSelection = AUTOMATIC, *, target: str | None = None
) -> list[JudgedRun]:
    """Judge the runs of a file that a selection names, which may be each of several (`several_runs.EACH`).

    Arguments and errors are those of `judge_run`.
    """
    with no_collecting():
        return _judge_runs(source, selection, _TargetedRules(selection, target))


def _judge_runs(source: Source, selection: RuleSelection, rules: _TargetedRules) -> list[JudgedRun]:
    """The judged runs; what is not part of them is freed with this frame, before garbage is collected again."""
    runs = open_logs(source, selection.run, RunNotes(), rules.begin_judging)
    return [_judge_held_run(run, selection, rules) for run in runs]


class _TargetedRules:
    """The rules and the targets by which the runs of a file are judged."""

    def __init__(self, selection: RuleSelection, target: str | None) -> None:
        self._selection = selection
        self._given = None if target is None else [read_target(target)]
        self._tables: list[tuple[Table, list[Rule], Table]] = []

    def choose(self, log: HeldLog) -> tuple[Choice, list[Rule], Table]:
        """What a log is judged by, as far as it was read: the choice, the targets, and the rules with the targets."""
        choice = choose_ruleset(self._selection, log.identity, path=log.path)
        ruleset, notes = choice.ruleset, cast("RunNotes", log.notes)
        targets = (
            self._given
            or find_targets(ruleset, choice.division, choice.benchmark, choice.variants)
            or read_logged_target(notes.last_events(ruleset.dialect).get(LOGGED_TARGET))
        )
        # Strict rules add to the others and replace none, so one pass serves the verdict with and without them.
        codes = None if self._selection.strict else _VALUE_CODES
        rules = choice.table(strict=True, level=self._selection.level, strict_codes=codes)
        for known, known_targets, table in self._tables:
            if known is rules and known_targets == targets:
                return choice, targets, table
        self._tables.append((rules, targets, add_targets(rules, targets)))
        return choice, targets, self._tables[-1][2]

    def begin_judging(self, log: HeldLog) -> Judging | None:
        """Begin to judge a long log, see `HeldLog`."""
        choice, _, table = self.choose(log)
        return begin_judging(choice, table)


def _judge_held_run(log: HeldLog, selection: RuleSelection, rules: _TargetedRules) -> JudgedRun:
    notes = cast("RunNotes", log.notes)
    choice, targets, table = rules.choose(log)
    ruleset, variants = choice.ruleset, choice.variants
    last = notes.last_events(ruleset.dialect)
    judged = judge_items(log, choice, table)
    counting = None
    if not selection.strict:
        counting = {rule.id for rule in choice.table(strict=False, level=selection.level).rules}
    verdict = explain_several_runs(
        judged, judged.reach_verdict(selection, counting, notes.unkept_count), selection
    )
    dialect = ruleset.dialect if verdict.event_count else None
    run = notes.make_run(log.path, dialect, log.identity.events(dialect or ""))
    if len(verdict.runs) > 1:  # no figure is of one run
        run, targets = run.without_figures(), []
    evaluations = run.evaluations
    bounds = list_bounds(targets, evaluations, last)
    missing = find_missing(evaluations, bounds, table.join)
    violations = judged.judge.violations
    return JudgedRun(
        run=run,
        verdict=verdict,
        ruleset=ruleset,
        variants=variants,
        targets=tuple([_describe_target(each, judged.judge, missing) for each in targets]),
        bounds=bounds,
        broken_keys=frozenset(
            [each.rule.key.partition("|")[0] for each in violations if each.code in _VALUE_CODES]
        ),
        missing_keys=frozenset(
            [key for each in violations if each.kind == MISSING for key in each.rule.key.split("|")]
        ),
    )


def _describe_target(target: Rule, judge: Judge, missing: frozenset[bytes | str]) -> JudgedTarget:
    """A target with the evaluations that met it, but for those that miss its number in the log's scale."""
    met = judge.met.get(target.id, ())
    kept = [event for event in met if identify_evaluation(event, judge.table.join) not in missing]
    return JudgedTarget(target.text, tuple(kept))
