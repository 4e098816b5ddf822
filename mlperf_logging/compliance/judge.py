"""Judging: events in, findings out, one pass, in the order of the log.

A `Judge` holds one run's memory; the compiled `Table` that it judges by is shared. Events are judged before
they act on the state, so that a rule sees what the log had shown up to then.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from mlperf_logging.compliance.findings import Finding
from mlperf_logging.compliance.joining import Joiner
from mlperf_logging.events import Event
from mlperf_logging.rules.closures import TROUBLES, Memory
from mlperf_logging.rules.rule import Rule
from mlperf_logging.rules.rulesets import CompiledCell, CompiledRule, Ruleset, Table


def _words() -> ModuleType:
    # Most logs break no rule: what puts findings into words is loaded with the first of them.
    from mlperf_logging.compliance import messages

    return messages


_NOTHING = Event("", None, {}, 0, 0, 0, b"")
_UNKNOWN_KEYS_KEPT = 1_000
_OTHER_VALUES_KEPT = 100

FINDINGS_KEPT = 1_000
"""Violations of one rule in one log that are reported one by one; those beyond are counted."""


class Judge:
    """Judges the events of one run by one table of rules.

    Attributes:
        findings: everything found so far, in the order found.
        memory: what the run has shown so far.
        table: the rules that it judges by.
    """

    def __init__(self, ruleset: Ruleset, table: Table) -> None:
        self.findings: list[Finding] = []
        self.memory = Memory(table.initial_state)
        self._ruleset = ruleset
        self.table = table
        self._first_values: dict[str, Any] = {}
        self._other_values: dict[str, list[Any]] = {}
        self._held: dict[str, Event] = {}
        self._unevaluable: dict[str, tuple[str, Event]] = {}
        self._logged_names: dict[str, list[Any]] = {}
        self._unknown: dict[str, Event] = {}
        self._open: dict[str, Event] = {}
        self._reported: dict[str, int] = {}
        self._joiner = Joiner(table.join) if table.join else None

    def feed(self, event: Event) -> None:
        """Judge one event; what it breaks is appended to `findings`."""
        key = event[0]
        entry = self.table.entries.get(key)
        if entry is None:
            if key not in self._unknown and len(self._unknown) < _UNKNOWN_KEYS_KEPT:
                self._unknown[key] = event
            return
        memory = self.memory
        count = memory.counts.get(key, 0)
        if not (count and entry.first_only):
            for rule in entry.every:
                try:
                    if rule[1](event, memory):
                        continue
                except TROUBLES:
                    pass
                self._report(rule, event)
            if entry.more:
                self._judge_more(entry, event, count)
        if not count:
            memory.first_ms[key] = event[3]
            if entry.needs_values:
                self._first_values[key] = event[1]
        elif entry.needs_values and event[1] != self._first_values[key]:
            others = self._other_values.setdefault(key, [])
            if len(others) < _OTHER_VALUES_KEPT:
                others.append(event[1])
        memory.counts[key] = count + 1
        if entry.pairs:
            self._pair(entry.pairs, event)
        for word, closure in entry.change:
            try:
                memory.state[word] = closure(event, memory)
            except TROUBLES:  # the rules on this event say what it lacks
                continue
        memory.last[key] = event
        if entry.joined and self._joiner is not None:
            self._joiner.take(event)

    def _comes_before(self, event: Event, former: Event) -> bool:
        """Whether a joined event is of earlier training; checkpoints may be evaluated in any order."""
        join = self.table.join
        if join is None or event.key != join["key"]:
            return False
        progress = event.value.get(join["by"]), former.value.get(join["by"])
        return all(isinstance(each, (int, float)) for each in progress) and progress[0] < progress[1]

    @property
    def reached(self) -> Event | None:
        """The event that met the last of the targets, each counted when it was met first; None: not all were.

        Where the targets are tested on joined events, it is one of those.
        """
        targets = [rule.id for rule in self.table.rules if rule.on == "any"]
        met = [self._held[target] for target in targets if target in self._held]
        if not targets or len(met) < len(targets):
            return None
        return max(met, key=lambda event: event.time_ms)

    def finish(self) -> None:
        """Judge what only the whole log can show: what is missing, never reached, or not balanced."""
        if self._joiner is not None:
            joiner, self._joiner = self._joiner, None
            for event in joiner.events():
                self.feed(event)
        for rule in self.table.rules:
            if self._reported.get(rule.id, 0) > FINDINGS_KEPT:
                more = self._reported[rule.id] - FINDINGS_KEPT
                self.findings.append(_words().describe_more(rule, more, self._ruleset))
        for compiled in self.table.end:
            self._judge_end(compiled)
        for rule in self.table.rules:
            if rule.on == "occurs":
                self._judge_occurrence(rule)
            elif rule.on == "any":
                self._judge_target(rule)
            elif rule.on == "once_each":
                self._judge_names(rule)

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
            try:
                if rule.holds(event, self.memory):
                    continue
            except TROUBLES:
                pass
            self._report(rule, event)

    def _report(self, compiled: CompiledRule, event: Event) -> None:
        rule = compiled.rule.id
        self._reported[rule] = self._reported.get(rule, 0) + 1
        if self._reported[rule] <= FINDINGS_KEPT:
            self.findings.append(_words().describe_violation(compiled, event, self.memory, self._ruleset))

    def _try_targets(self, targets: tuple[CompiledRule, ...], event: Event) -> None:
        for rule, holds in targets:
            try:
                if holds(event, self.memory):
                    former = self._held.get(rule.id)
                    if former is None or self._comes_before(event, former):
                        self._held[rule.id] = event
            except TROUBLES as trouble:
                self._unevaluable.setdefault(
                    rule.id, (_words().explain_trouble(rule.node, event, self.memory, trouble), event)
                )

    def _pair(self, rules: tuple[Rule, ...], event: Event) -> None:
        for rule in rules:
            opener = self._open.get(rule.id)
            if event.key == rule.key:
                self._open[rule.id] = event
                if opener is not None:
                    what = f"no {rule.node[1]} follows the {rule.key} of line {opener.line} before this one"
                    self.findings.append(_words().describe_pairing(rule, what, event, self._ruleset))
            elif opener is None:
                what = f"there is no {rule.key} before this {rule.node[1]}"
                self.findings.append(_words().describe_pairing(rule, what, event, self._ruleset))
            else:
                del self._open[rule.id]

    def _note_names(self, rules: tuple[CompiledRule, ...], event: Event) -> None:
        for rule, read in rules:
            try:
                name = read(event, self.memory)
            except TROUBLES:  # another rule asks for the field
                continue
            self._logged_names.setdefault(rule.id, []).append(name)

    def _judge_end(self, compiled: CompiledRule) -> None:
        try:
            if compiled.holds(_NOTHING, self.memory):
                return
            found = _words().list_places(compiled.rule.node, _NOTHING, self.memory)
        except TROUBLES as trouble:
            found = _words().explain_trouble(compiled.rule.node, _NOTHING, self.memory, trouble)
        self.findings.append(_words().describe_at_end(compiled.rule, found, self._ruleset))

    def _judge_target(self, rule: Rule) -> None:
        seen = [key for key in rule.key.split("|") if key in self.memory.last]
        if not seen:
            return
        if rule.id in self._unevaluable:
            text, event = self._unevaluable[rule.id]
            self.findings.append(_words().describe_unevaluable(rule, text, event, self._ruleset))
        elif rule.id not in self._held:
            self.findings.append(
                _words().describe_missed_target(rule, self.memory.last[seen[-1]], self.memory, self._ruleset)
            )

    def _judge_names(self, rule: Rule) -> None:
        if rule.key in self.memory.last:
            wanted, logged = rule.node[3], self._logged_names.get(rule.id, [])
            finding = _words().describe_names(rule, wanted, logged, self._ruleset)
            if finding is not None:
                self.findings.append(finding)

    def _judge_occurrence(self, rule: Rule) -> None:
        kind, *operands = rule.node
        memory = self.memory
        count = memory.counts.get(rule.key, 0)
        if "|" in rule.key:
            count = sum(memory.counts.get(key, 0) for key in rule.key.split("|"))
        if kind == "exactly_one" and count > 1:
            self._report_repetition(rule, count)
        elif kind == "exactly_one" and count == 0:
            self._report_missing(rule)
        elif (kind == "at_least_one" and count == 0) or (kind == "at_least" and count < operands[0]):
            self._report_missing(rule, count)
        elif kind == "at_least_one_of" and count == 0 and not memory.counts.get(operands[0]):
            self._report_missing(rule)
        elif kind == "alternating" and rule.id in self._open:
            what = f"the last {rule.key} is never followed by {operands[0]}"
            self.findings.append(_words().describe_pairing(rule, what, self._open[rule.id], self._ruleset))

    def _report_repetition(self, rule: Rule, count: int) -> None:
        keys = [key for key in rule.key.split("|") if key in self._first_values]
        first, *rest = (self._first_values[key] for key in keys)
        others = [value for value in rest if value != first]
        others += [value for key in keys for value in self._other_values.get(key, ())]
        event = max((self.memory.last[key] for key in keys), key=lambda event: event.line)
        finding = _words().describe_repetition(
            rule, [first, *others], count, bool(others), event, self._ruleset
        )
        self.findings.append(finding)

    def _report_missing(self, rule: Rule, count: int = 0) -> None:
        self.findings.append(_words().describe_missing(rule, count, self._unknown, self._ruleset))
