"""Checking a log: choose the ruleset, determine the kind of run, judge every event, give the verdict."""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from mlperf_logging.compliance.findings import Finding, RunPart, Verdict
from mlperf_logging.compliance.held_log import HeldLog
from mlperf_logging.compliance.judge import Judge, Judging
from mlperf_logging.compliance.plain_judging import arrange_rules
from mlperf_logging.compliance.ruleset_selection import (
    AUTOMATIC,
    Choice,
    RuleOptions,
    RuleSelection,
    choose_ruleset,
)
from mlperf_logging.compliance.violations import may_follow_from
from mlperf_logging.events import Outcome, Problem, Severity
from mlperf_logging.parsing.columns import Batch
from mlperf_logging.parsing.sources import Source
from mlperf_logging.rules.closures import RunState
from mlperf_logging.rules.rulesets import Table
from mlperf_logging.runs.summary import INIT_START, RUN_START, RUN_STOP, RunSummary, make_summary

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from mlperf_logging.runs.run import RunNotes


def check_log(
    source: Source, selection: RuleSelection = AUTOMATIC, **options: Unpack[RuleOptions]
) -> Verdict:
    """Judge one log.

    Args:
        source: path, ``"-"`` for standard input, the log's bytes, or a binary file.
        selection: the rules to judge by; by default the log chooses.
        options: fields of the selection that are to differ, such as ``division="open"`` or ``strict=True``.

    Returns:
        The verdict with all findings, ordered by line; findings about what is missing come last. Where a
        file holds several runs, that is the one finding, unless the selection names one of them.

    Raises:
        UnreadableLogError: the log cannot be opened, its compression is broken, or it does not hold the selected run.
        UsageError: there is no such usage, ruleset, division or benchmark.
        RuleError: a rule file is wrong.
    """
    (verdict,) = check_runs(source, selection, **options)
    return verdict


def check_runs(
    source: Source, selection: RuleSelection = AUTOMATIC, **options: Unpack[RuleOptions]
) -> list[Verdict]:
    """Judge the runs of a file that a selection names, which may be each of several (`several_runs.EACH`).

    Arguments and errors are those of `check_log`.
    """
    selection = selection.override(options)
    with no_collecting():
        return _check_runs(source, selection)


def _check_runs(source: Source, selection: RuleSelection) -> list[Verdict]:
    """The verdicts; what was read for them is freed with this frame, before garbage is collected again."""

    def begin(log: HeldLog) -> Judging | None:
        choice = choose_ruleset(selection, log.identity, path=log.path)
        return begin_judging(choice, choice.table(strict=selection.strict, level=selection.level))

    logs = open_logs(source, selection.run, begin=begin)
    return [_judge_held_log(log, selection) for log in logs]


def open_logs(
    source: Source,
    run: int | None,
    notes: RunNotes | None = None,
    begin: Callable[[HeldLog], Judging | None] | None = None,
) -> Iterable[HeldLog]:
    """The log as one run, or the runs of it that are asked for, see `several_runs.open_runs`; other arguments of `HeldLog`."""
    if run is None:
        return (HeldLog(source, notes, begin),)
    from mlperf_logging.compliance.several_runs import open_runs

    return open_runs(source, run, notes)


def _judge_held_log(log: HeldLog, selection: RuleSelection) -> Verdict:
    choice = choose_ruleset(selection, log.identity, path=log.path)
    judged = judge_items(log, choice, choice.table(strict=selection.strict, level=selection.level))
    return explain_several_runs(judged, judged.reach_verdict(selection), selection)


class JudgedLog(NamedTuple):
    """A log that was judged, before its violations are put into words.

    Attributes:
        judge: holds the violations and what the run has shown.
        problems: records that could not be read as written.
        foreign: number of records of each dialect that the round does not read.
        event_count: events that were judged.
    """

    log: HeldLog
    choice: Choice
    judge: Judge
    problems: list[Problem]
    foreign: dict[str, int]
    event_count: int

    def reach_verdict(
        self, selection: RuleSelection, counting: Collection[str] | None = None, unkept_count: int = 0
    ) -> Verdict:
        """The verdict, with what was found in words.

        Where an automatic round says no, the verdict also says under which others the log is compliant.

        Args:
            selection: by which rules.
            counting: ids of the rules that count; all of the table where None.
            unkept_count: events that the typed view of the run leaves out.
        """
        log, choice, count = self.log, self.choice, self.event_count
        unkept_count += self.judge.unkept_count
        violations = [each for each in self.judge.violations if counting is None or each.rule.id in counting]
        if self.problems and violations:
            errors = [each for each in self.problems if each.severity == Severity.ERROR]
            damaged = {each.key: each.line for each in errors if each.key is not None}
            violations = [each for each in violations if not may_follow_from(each, damaged)]
        findings: list[Finding] = list(choice.findings)
        if violations or self.problems or self.foreign or not count or unkept_count or log.unread_count:
            # Most logs break no rule: what puts findings into words is loaded with the first of them.
            from mlperf_logging.compliance import messages

            lines = log.identity.first_lines if self.foreign else {}
            ruleset = choice.ruleset
            findings = [
                *map(messages.describe_problem, self.problems),
                *messages.describe_foreign_records(self.foreign, lines, ruleset, count),
                *(
                    []
                    if count
                    else [messages.describe_empty_log(has_records=bool(self.foreign or self.problems))]
                ),
                *messages.describe_limits(log.unread_count, unkept_count),
                *findings,
                *[messages.describe_violation(each, ruleset) for each in violations],
            ]
            findings.sort(key=_place)
        dialect = choice.ruleset.dialect if count else next(iter(log.identity.dialects), None)
        verdict = choice.make_verdict(log.path, dialect, findings, summarize_run(self.judge.state), count)
        if verdict.verdict == Outcome.FAILED and choice.alternatives:
            from mlperf_logging.compliance.other_rounds import note_other_rounds

            return note_other_rounds(verdict, log, choice.alternatives, violations, selection)
        return verdict


def explain_several_runs(judged: JudgedLog, verdict: Verdict, selection: RuleSelection) -> Verdict:
    """The verdict itself, with the run's place where it is one of several.

    Of a log that holds several runs: a verdict with the one finding that says so. It is an error where the log as a
    whole is not compliant, and a warning where it is.
    """
    log, counts = judged.log, judged.judge.state.counts
    if log.number is not None:
        errors = sum(finding.severity == Severity.ERROR for finding in verdict.findings)
        return verdict._replace(runs=(RunPart(log.number, log.begin.line, verdict.verdict, errors),))
    failed = verdict.verdict == Outcome.FAILED
    if counts.get(RUN_START, 0) <= 1 and not (failed and counts.get(INIT_START, 0) > 1):
        return verdict
    from mlperf_logging.compliance.messages import describe_several_runs
    from mlperf_logging.compliance.several_runs import MOST_JUDGED_RUNS, find_runs

    begins = find_runs(log.items(), verdict.dialect)
    if not begins:
        return verdict

    parts = [_judge_held_log(run, selection) for run in islice(log.split(begins), MOST_JUDGED_RUNS)]
    runs = tuple([part.runs[0] for part in parts])
    finding = describe_several_runs(runs, begins, verdict.verdict)
    return verdict._replace(findings=(finding,), run=RunSummary(), runs=runs, compliant_under=())


def begin_judging(choice: Choice, table: Table) -> Judging | None:
    """Begin to judge a log whose items are judged as they come; None where a round reads them in another order."""
    return None if choice.ruleset.reading else Judging(table, choice.ruleset.dialect)


def judge_items(log: HeldLog, choice: Choice, table: Table) -> JudgedLog:
    """Judge the items of a log by the rules for its kind of run."""
    dialect, reading = choice.ruleset.dialect, choice.ruleset.reading
    judging = log.take_judging()
    if judging is None or judging.judge.table is not table or judging.dialect != dialect or reading:
        judging = Judging(table, dialect)
        plain = log.plain_batches(dialect) if not reading else ()
        # Who asks for the typed view of the run asks for the events that met the targets, too.
        if plain and log.notes is None and _judge_plainly(plain, judging):
            return JudgedLog(log, choice, judging.judge, [], {}, judging.event_count)
        if plain:
            judging.take_batches(plain)
        else:
            judging.take(log.arrange(reading))
    judging.judge.finish()
    return JudgedLog(log, choice, judging.judge, judging.problems, judging.foreign, judging.event_count)


def _judge_plainly(batches: Sequence[Batch], judging: Judging) -> bool:
    """Judge events that break no rule, all at once; False where some may break one, and then nothing has been done."""
    state = arrange_rules(judging.judge.table).judge(batches)
    if state is None:
        return False
    judging.judge.state = state
    judging.event_count = sum(map(len, batches))
    return True


class no_collecting:  # noqa: N801 - a context, named for what it does; contextlib costs a cold start
    """What is made of a log is not garbage, and there is a lot of it to look through."""

    def __enter__(self) -> None:
        self._was_on = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._was_on:
            gc.enable()


def summarize_run(state: RunState) -> RunSummary:
    """The run from the first ``run_start`` to the last ``run_stop``."""
    return make_summary(state.first_ms.get(RUN_START), state.last.get(RUN_STOP))


def _place(finding: Finding) -> tuple[float, int]:
    return (finding.line if finding.line is not None else float("inf"), finding.column or 0)
