"""Judging: events in, violations out, one pass, in the order of the log.

A `Judge` holds one run's state; the compiled `Table` that it judges by is shared. Events are judged before
they act on the state, so that a rule sees what the log had shown up to then.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mlperf_logging.compliance import violations
from mlperf_logging.compliance.joining import Joiner
from mlperf_logging.compliance.violations import Violation, collect_evidence
from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing.columns import Batch, EventColumns
from mlperf_logging.rules.clauses import ANY, OCCURS, ONCE_EACH
from mlperf_logging.rules.closures import EVALUATION_ERRORS, NO_EVENT, RunState
from mlperf_logging.rules.rule import Rule
from mlperf_logging.rules.rulesets import CompiledCell, CompiledRule, Table
from mlperf_logging.runs.kept_events import LONG_RECORD, EventBudget, crop_event

_UNKNOWN_KEYS_KEPT = 1_000
_OTHER_VALUES_KEPT = 100
_NAMES_KEPT, _NAME_LENGTH = 10_000, 1_000

VIOLATIONS_KEPT = 1_000
"""Violations of one rule in one log that are reported one by one; those beyond are counted."""

LISTED_VIOLATIONS = 10_000
"""Violations of all rules that are; of each rule at least the first is."""


class Judge:
    """Judges the events of one run by one table of rules.

    Attributes:
        violations: everything found so far, in the order found.
        state: what the run has shown so far.
        met: id of each target to the events that met it, in the order judged; those of joined metrics come last.
        table: the rules that it judges by.
        unkept_count: events that were too many, or too long, to be joined.
        unknown: keys that no rule speaks of to the lines of their first events, as many as are kept.
        is_cropping: whether it keeps the beginnings of long records only; those that are in memory anyway need not be
            looked at, which takes longer than to judge them.
    """

    def __init__(self, table: Table) -> None:
        self.is_cropping = True
        self.violations: list[Violation] = []
        self.state = RunState(table.initial_state)
        self.met: dict[str, list[Event]] = {}
        self.table = table
        self.unkept_count = 0
        self._first_values: dict[str, Any] = {}
        self._other_values: dict[str, list[Any]] = {}
        self._unevaluable: dict[str, Violation] = {}
        self._logged_names: dict[str, dict[str, int]] = {}
        self.unknown: dict[str, int] = {}
        self._open: dict[str, Event] = {}
        self._broken: dict[str, int] = {}
        self._unlisted: dict[str, int] = {}
        self._listed_budget, self._met_budget = EventBudget(LISTED_VIOLATIONS), EventBudget()
        self._others_budget = EventBudget()
        self._joiner = Joiner(table.join) if table.join else None

    def feed(self, event: Event) -> None:
        """Judge one event; what it breaks is appended to `violations`."""
        key = event[0]
        entry = self.table.entries.get(key)
        if entry is None:
            if key not in self.unknown and len(self.unknown) < _UNKNOWN_KEYS_KEPT:
                self.unknown[key] = event[4]
            return
        state = self.state
        count = state.counts.get(key, 0)
        if not (count and entry.first_only):
            for rule in entry.every:
                error = None
                try:
                    if rule[1](event, state):
                        continue
                except EVALUATION_ERRORS as raised:
                    error = raised.with_traceback(None)  # it would hold this frame and those above
                self._report(rule, event, error)
            if entry.more:
                self._judge_more(entry, event, count)
        if self.is_cropping and len(event[6]) > LONG_RECORD:
            event = crop_event(event)  # from here on, only what is kept matters
        if not count:
            state.first_ms[key] = event[3]
            if entry.needs_values:
                self._first_values[key] = event[1]
        elif entry.needs_values and event[1] != self._first_values[key]:
            others = self._other_values.setdefault(key, [])
            if not others or (len(others) < _OTHER_VALUES_KEPT and self._others_budget.take([event])):
                others.append(event[1])
        state.counts[key] = count + 1
        if entry.pairs:
            self._pair(entry.pairs, event)
        for word, closure in entry.change:
            try:
                state.words[word] = closure(event, state)
            except EVALUATION_ERRORS:  # the rules on this event say what it lacks
                continue
        state.last[key] = event
        if entry.joined and self._joiner is not None:
            self._joiner.take(event)

    def finish(self) -> None:
        """Judge what only the whole log can show: what is missing, never reached, or not balanced."""
        if self._joiner is not None:
            joiner, self._joiner = self._joiner, None
            self.unkept_count += joiner.budget.refused
            for event in joiner.events():
                self.feed(event)
        for rule in self.table.rules:
            if more := self._unlisted.get(rule.id):
                self._add(rule, violations.MORE, None, more)
        for compiled in self.table.end:
            self._judge_end(compiled)
        for rule in self.table.rules:
            if rule.on == OCCURS:
                self._judge_occurrence(rule)
            elif rule.on == ANY:
                self._judge_target(rule)
            elif rule.on == ONCE_EACH:
                self._judge_names(rule)

    def _add(self, rule: Rule, kind: str, event: Event | None, evidence: object = None) -> None:
        self.violations.append(Violation(rule, kind, crop_event(event) if event else None, evidence))

    def _judge_more(self, entry: CompiledCell, event: Event, count: int) -> None:
        if entry.first and not count:
            self._judge_all(entry.first, event)
        if entry.rest and count:
            self._judge_all(entry.rest, event)
        if entry.targets:
            self._try_targets(entry.targets, event)
        if entry.names:
            self._note_names(entry.names, event)

    def _judge_all(self, rules: tuple[CompiledRule, ...], event: Event) -> None:
        for rule in rules:
            error = None
            try:
                if rule.holds(event, self.state):
                    continue
            except EVALUATION_ERRORS as raised:
                error = raised.with_traceback(None)
            self._report(rule, event, error)

    def _report(self, compiled: CompiledRule, event: Event, error: Exception | None) -> None:
        rule = compiled.rule
        if self._is_listed(rule, event):
            evidence = collect_evidence(rule.node, event, self.state, error)
            self._add(rule, violations.BROKEN, event, evidence)

    def _is_listed(self, rule: Rule, event: Event) -> bool:
        """Whether one more event that breaks a rule is reported by itself; else it is counted."""
        count = self._broken[rule.id] = self._broken.get(rule.id, 0) + 1
        if count == 1 or (count <= VIOLATIONS_KEPT and self._listed_budget.take([event])):
            return True
        self._unlisted[rule.id] = self._unlisted.get(rule.id, 0) + 1
        return False

    def _try_targets(self, targets: tuple[CompiledRule, ...], event: Event) -> None:
        for rule, holds in targets:
            try:
                if holds(event, self.state):
                    self.met.setdefault(rule.id, []).extend(self._met_budget.take([event]))
            except EVALUATION_ERRORS as error:
                if rule.id not in self._unevaluable:
                    evidence = collect_evidence(rule.node, event, self.state, error)
                    self._unevaluable[rule.id] = Violation(rule, violations.UNEVALUABLE, event, evidence)

    def _pair(self, rules: tuple[Rule, ...], event: Event) -> None:
        for rule in rules:
            opener = self._open.get(rule.id)
            if event.key == rule.key:
                self._open[rule.id] = event
                if opener is not None and self._is_listed(rule, event):
                    self._add(rule, violations.UNFOLLOWED, event, opener)
            elif opener is None:
                if self._is_listed(rule, event):
                    self._add(rule, violations.UNPRECEDED, event)
            else:
                del self._open[rule.id]

    def _note_names(self, rules: tuple[CompiledRule, ...], event: Event) -> None:
        for rule, read in rules:
            try:
                name = str(read(event, self.state))
            except EVALUATION_ERRORS:  # another rule asks for the field
                continue
            logged = self._logged_names.setdefault(rule.id, {})
            if name in logged or (len(logged) < _NAMES_KEPT and len(name) <= _NAME_LENGTH):
                logged[name] = logged.get(name, 0) + 1

    def _judge_end(self, compiled: CompiledRule) -> None:
        rule, error = compiled.rule, None
        try:
            if compiled.holds(NO_EVENT, self.state):
                return
        except EVALUATION_ERRORS as raised:
            error = raised.with_traceback(None)
        self._add(rule, violations.AT_END, None, collect_evidence(rule.node, NO_EVENT, self.state, error))

    def _judge_target(self, rule: Rule) -> None:
        seen = [key for key in rule.key.split("|") if key in self.state.last]
        if not seen:
            return
        if rule.id in self._unevaluable:
            self.violations.append(self._unevaluable[rule.id])
        elif rule.id not in self.met:
            last = self.state.last[seen[-1]]
            self._add(rule, violations.UNMET, last, collect_evidence(rule.node, last, self.state))

    def _judge_names(self, rule: Rule) -> None:
        if rule.key in self.state.last:
            logged = self._logged_names.get(rule.id, {})
            if logged.keys() != set(rule.node[3]) or any(count > 1 for count in logged.values()):
                self._add(rule, violations.NAMES, None, logged)

    def _judge_occurrence(self, rule: Rule) -> None:
        kind, *operands = rule.node
        counts = self.state.counts
        count = sum([counts.get(key, 0) for key in rule.key.split("|")])
        if kind == "exactly_one" and count > 1:
            self._report_repetition(rule, count)
        elif (
            (kind in ("exactly_one", "at_least_one") and count == 0)
            or (kind == "at_least" and count < operands[0])
            or (kind == "at_least_one_of" and count == 0 and not counts.get(operands[0]))
        ):
            self._add(rule, violations.MISSING, None, violations.Absence(count, self.unknown))
        elif kind == "alternating" and rule.id in self._open:
            self._add(rule, violations.UNFINISHED, self._open[rule.id])

    def _report_repetition(self, rule: Rule, count: int) -> None:
        keys = [key for key in rule.key.split("|") if key in self._first_values]
        first, *rest = (self._first_values[key] for key in keys)
        others = [value for value in rest if value != first]
        others += [value for key in keys for value in self._other_values.get(key, ())]
        event = max((self.state.last[key] for key in keys), key=lambda event: event.line)
        self._add(rule, violations.REPETITION, event, violations.Repetition([first, *others], count))


class Judging:
    """Judges the items of a log, in their order, by the rules for its kind of run.

    Attributes:
        judge: holds the violations and what the run has shown.
        dialect: the dialect whose events are judged.
        problems: records that could not be read as written.
        foreign: number of records of each other dialect.
        event_count: events that were judged.
    """

    def __init__(self, table: Table, dialect: str) -> None:
        self.judge = Judge(table)
        self.dialect = dialect
        self.problems: list[Problem] = []
        self.foreign: dict[str, int] = {}
        self.event_count = 0

    def take_batches(self, batches: Iterable[Batch]) -> None:
        """Judge all events of a log that is held in memory, of the dialect."""
        judge = self.judge
        judge.is_cropping = False
        feed, entries = judge.feed, judge.table.entries
        for batch in batches:
            self.event_count += len(batch)
            if isinstance(batch, EventColumns):  # most events of some logs are of no rule
                events: Iterable[Any] = batch.make_events_of(entries)
            else:
                events = batch
            for event in events:
                feed(event)

    def take(self, items: Iterable[Event | Problem]) -> None:
        """Judge some items."""
        feed, dialect = self.judge.feed, self.dialect
        for item in items:
            if item.dialect != dialect and item.dialect:  # a fault of the file itself is of no dialect
                more = item.occurrences if isinstance(item, Problem) else 1
                self.foreign[item.dialect] = self.foreign.get(item.dialect, 0) + more
            elif type(item) is Event:
                self.event_count += 1
                feed(item)
            elif isinstance(item, Problem):
                self.problems.append(item)
            del item  # free before the next one is read, which may be as long
