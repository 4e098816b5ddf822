"""Finding examples of rules: written down in the rule file, or found by search and proven by the judge.

A full record in a rule file states its examples. A cell of a key table need not: most formulas are bounds
on one value, and an event that satisfies them (and one that does not) can be found from the numbers in the
formula. Every example, written or found, is judged by the real engine before it is shown; one that does not
show what it claims is an error of the rule file.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from mlperf_logging.compliance.findings import Finding
from mlperf_logging.compliance.judge import Judge
from mlperf_logging.compliance.messages import describe_violation
from mlperf_logging.errors import RuleError
from mlperf_logging.events import MS_PER_MINUTE, Event, Severity
from mlperf_logging.rules.clauses import END, OCCURS, ONCE_EACH, REST
from mlperf_logging.rules.closures import EVALUATION_ERRORS, RunState, compile_formula
from mlperf_logging.rules.examples import Example, read_events, write_event
from mlperf_logging.rules.formula import Node, walk
from mlperf_logging.rules.rule import CellRules, Rule
from mlperf_logging.rules.rulesets import Ruleset, compile_table

_TRIED = 60_000


def try_rule(
    ruleset: Ruleset, rule: Rule, events: list[Event], benchmark: str | None = None
) -> list[Finding]:
    """What one rule alone finds in a list of events, judged with the ruleset's state words."""
    table = compile_table(
        [{rule.key: CellRules(False, (rule,))}], ruleset.state, ruleset.join(benchmark), None
    )
    judge = Judge(table)
    for event in events:
        judge.feed(event)
    judge.finish()
    return [
        describe_violation(violation, ruleset)
        for violation in judge.violations
        if violation.rule.id == rule.id
    ]


def find_example(ruleset: Ruleset, rule: Rule) -> Example:
    """A passing and a failing example, each shown to be one by the engine; `RuleError` where that fails."""
    if rule.passing or rule.failing:
        example = Example(rule.passing, rule.failing)
    else:
        example = Example(*[tuple(map(write_event, events)) for events in _derive(ruleset, rule)])
    for events, should_pass in ((example.passing, True), (example.failing, False)):
        try:
            found = [
                f
                for f in try_rule(ruleset, rule, read_events(events))
                if f.severity == Severity.ERROR or rule.severity == Severity.WARNING
            ]
        except ValueError as error:
            raise rule.fail(str(error)) from None
        if bool(found) == should_pass:
            claim, verb = ("passing", "pass") if should_pass else ("failing", "fail")
            raise rule.fail(f"its {claim} example {events} does not {verb}")
    return example


def _event(
    key: str, value: Any = None, metadata: dict[str, Any] | None = None, benchmark: str | None = None
) -> Event:
    return Event(key, value, metadata or {}, 0, 1, 1, b"", benchmark=benchmark)


def _derive(ruleset: Ruleset, rule: Rule) -> tuple[list[Event], list[Event]]:
    key = rule.key.partition("|")[0]
    if rule.on == OCCURS:
        number = rule.node[1] if rule.node[0] == "at_least" else 1
        return [_event(key, 1)] * number, [_event(key, 1)] * (number - 1)
    if rule.on == ONCE_EACH:
        (_, name), names = rule.node[1], rule.node[3]
        events = [_event(key, None, {name: each}) for each in names]
        return events, events[:-1]
    found: dict[bool, list[Event]] = {}
    for events in itertools.islice(_candidates(ruleset, rule, key), _TRIED):
        found.setdefault(not try_rule(ruleset, rule, events), events)
        if len(found) == 2:
            return found[True], found[False]
    raise rule.fail("write examples under 'pass' and 'fail': none were found")


def _candidates(ruleset: Ruleset, rule: Rule, key: str) -> Iterator[list[Event]]:
    """Lists of events that end with one to be judged by the rule, likely ones first."""
    numbers = _numbers(rule.node)
    for before in _preludes(ruleset, rule.node, key, numbers):
        for subject in _subjects(rule.node, key, before, numbers):
            if rule.on == END:
                yield before
                break
            if rule.on != REST:
                yield [*before, subject]
                continue
            for first in itertools.islice(_subjects(rule.node, key, before, numbers), 8):
                yield [*before, first, subject]


def _numbers(node: Node) -> list[float]:
    found = [part[1] for part in walk(node) if part[0] == "number"]
    near = [number * factor for number in found for factor in (1, 1.5, 0.5, 2)]
    return list(dict.fromkeys([*found, *near, 1, 0, -1, 2, 64, 0.5, 1024]))


def _preludes(ruleset: Ruleset, node: Node, key: str, numbers: list[float]) -> Iterator[list[Event]]:
    parts = walk(node)
    logged = sorted({part[1] for part in parts if part[0] in {"logged", "count"}})
    timed = [_event(part[1]) for part in parts if part[0] == "minutes_since"]
    if timed:
        yield timed
        return
    if logged:
        words = [part[1] for part in parts if part[0] == "string"]
        values: list[Any] = [1024, *words, *numbers]
        if any(part[0] == "index" and part[1][0] == "logged" for part in parts):
            values += [list(pair) for pair in itertools.product(numbers[:10], repeat=2)]
        for keys in [logged, *itertools.combinations(logged, len(logged) - 1), ()]:
            for choice in itertools.product(values, repeat=len(keys)):
                yield [_event(each, value) for each, value in zip(keys, choice, strict=True)]
        return
    if not any(part[0] == "state" for part in parts):
        yield []
        return
    metadata = {"epoch_num": 1, "first_epoch_num": 1, "epoch_count": 1}
    keys = list(ruleset.state.on)
    for length in range(4):
        for sequence in itertools.product(keys, repeat=length):
            yield [_event(each, None, metadata) for each in sequence]


def _subjects(node: Node, key: str, before: list[Event], numbers: list[float]) -> Iterator[Event]:
    parts = walk(node)
    fields = sorted({part[1] for part in parts if part[0] == "meta"})
    value_fields = sorted({part[2] for part in parts if part[0] == "field" and part[1] == ["value"]})
    words = [part[1] for part in parts if part[0] == "string"]
    scalars: list[Any] = [*words, *_solutions(node, key, before, fields, numbers), *numbers, True, False, "x"]
    if any(part[0] in {"index", "call"} and (part[0] == "index" or part[1] == "length") for part in parts):
        scalars = [[number] * length for length in (2, 1, 3, 0) for number in numbers[:6]] + scalars
    benchmarks = [*words, "unknown"] if ["event", "benchmark"] in parts else [None]
    if value_fields:
        values: list[Any] = [dict.fromkeys(value_fields, scalar) for scalar in scalars]
        values += [
            dict(zip(value_fields, pair, strict=False))
            for pair in itertools.product(scalars, repeat=len(value_fields))
        ]
        values += [{}]
    else:
        values = scalars if ["value"] in parts or not fields else [None]
    if any(part[0] == "minutes_since" for part in parts):
        for number in numbers:
            yield _event(key)._replace(time_ms=number * MS_PER_MINUTE)
        return
    for value in values:
        for metadata in _metadata_choices(fields, scalars if fields else []):
            for benchmark in benchmarks:
                yield _event(key, value, metadata, benchmark)


def _metadata_choices(fields: list[str], scalars: list[Any]) -> Iterator[dict[str, Any]]:
    if not fields:
        yield {}
        return
    yield dict.fromkeys(fields, 1)
    yield {}
    for scalar in scalars:
        yield dict.fromkeys(fields, scalar)
    for scalar, field in itertools.product(scalars, fields):
        yield {field: scalar}


def _solutions(
    node: Node, key: str, before: list[Event], fields: list[str], numbers: list[float]
) -> list[Any]:
    """Numbers that make two compared sides equal, where the sides are linear in one place."""
    state = RunState({})
    for event in before:
        state.last[event.key] = event
    found: list[Any] = []
    pairs = [(part[1], part[3]) for part in walk(node) if part[0] == "comparison"]
    pairs += [(part[1], part[2]) for part in walk(node) if part[0] in {"subtract", "modulo"}]
    for left, right in pairs:

        def gap(x: float, left: Node = left, right: Node = right) -> float:
            event = _event(key, x, dict.fromkeys(fields, x))
            sides = [compile_formula(side, frozenset())(event, state) for side in (left, right)]
            return float(sides[0]) - float(sides[1])

        try:
            at_zero, slope = gap(0), gap(1) - gap(0)
            root = -at_zero / slope
        except (*EVALUATION_ERRORS, RuleError):
            continue
        found += [int(root)] if root == int(root) else [root]
    return [*found, *[root * 1.25 for root in found], *[root + 1 for root in found]]
