"""Every rule of every round, tested by its own passing and failing example.

The cases are made from the rule files: a rule that is added there is tested here. A rule is judged within
the whole table of the kind of run that it holds for, as `check_log` would judge it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from mlperf_logging.compliance.example_search import find_example
from mlperf_logging.compliance.findings import Finding
from mlperf_logging.errors import RuleError
from mlperf_logging.events import DIVISIONS
from mlperf_logging.rules.codes import CONFLICTING, REPEATED
from mlperf_logging.rules.examples import read_events
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.rules.rule import Rule
from mlperf_logging.rules.rulesets import Ruleset, Table, compile_table
from tests.judging import judge_events

Kind = tuple[str | None, str | None, tuple[str, ...]]


class Case(NamedTuple):
    """One rule, and a kind of run for which it holds.

    Attributes:
        ruleset: name of the first round that has the rule in these words.
        kind: division, benchmark and variants of the run.
        rule: the rule.
    """

    ruleset: str
    kind: Kind
    rule: Rule


def list_kinds(ruleset: Ruleset) -> Iterator[Kind]:
    """All kinds of run that a round tells apart, the general ones first."""
    divisions = DIVISIONS if ruleset.has_divisions else (None,)
    for benchmark in (None, *ruleset.benchmarks):
        for division in divisions:
            yield division, benchmark, ()
            for variant in ruleset.variants(benchmark):
                yield division, benchmark, (variant,)


def list_cases() -> Iterator[Case]:
    """Each different rule of all rounds once, in the order of the rounds."""
    seen: set[tuple[str, str, str]] = set()
    for entry in open_rules().index():
        ruleset = open_rules().load(entry.name)
        for kind in list_kinds(ruleset):
            for rule in ruleset.table(*kind, strict=True).rules:
                mark = rule.id, rule.text, repr(rule.node)
                if rule.can_fail and mark not in seen:
                    seen.add(mark)
                    yield Case(entry.name, kind, rule)


CASES = list(list_cases())
ROUNDS = [entry.name for entry in open_rules().index()]
every_round = pytest.mark.parametrize("name", ROUNDS)


def cases_of(name: str) -> list[Case]:
    """The rules that a round is the first to state in these words."""
    return [case for case in CASES if case.ruleset == name]


def judge_notation(ruleset: Ruleset, table: Table, notation: tuple[str, ...], rule: Rule) -> list[Finding]:
    """What a table finds under one rule's id in events that are written in the notation of the rule files."""
    findings = judge_events(ruleset, table, read_events(notation))
    return [finding for finding in findings if finding.rule == rule.id]


def check_examples(ruleset: Ruleset, table: Table, rule: Rule) -> None:
    """Assert that a table finds a rule's failing example, and nothing of that rule in the passing one."""
    example = find_example(ruleset, rule)
    assert judge_notation(ruleset, table, example.passing, rule) == [], "the passing example does not pass"
    found = judge_notation(ruleset, table, example.failing, rule)
    assert found, "the failing example is not found"
    family = {rule.code, CONFLICTING.get(rule.code), REPEATED.get(rule.code)}
    assert {finding.code for finding in found} <= family
    assert rule.severity in {finding.severity for finding in found}
    assert all(finding.message and finding.expected for finding in found)


def remove_rule(ruleset: Ruleset, kind: Kind, rule: Rule) -> Table:
    """The table of one kind of run as it would be if the rule files did not state the rule."""
    layers = [
        {
            key: entry._replace(rules=tuple([kept for kept in entry.rules if kept.id != rule.id]))
            for key, entry in layer.items()
        }
        for layer in ruleset.layers(*kind, strict=True)
    ]
    return compile_table(layers, ruleset.state, ruleset.join(kind[1]))


@every_round
def test_examples_show_the_rules(name: str) -> None:
    """Of each rule that a round brings, the passing example passes and the failing one is found under its id."""
    ruleset = open_rules().load(name)
    wrong = []
    for _, kind, rule in cases_of(name):
        try:
            check_examples(ruleset, ruleset.table(*kind, strict=True), rule)
        except (AssertionError, RuleError) as error:
            wrong.append(f"{rule.id}: {error}")
    assert not wrong, "\n".join(wrong)


@every_round
def test_removing_a_rule_is_noticed(name: str) -> None:
    """Without a rule its failing example is no longer found, so the test above fails for each rule in turn."""
    ruleset = open_rules().load(name)
    unnoticed = []
    for _, kind, rule in cases_of(name):
        try:
            check_examples(ruleset, remove_rule(ruleset, kind, rule), rule)
        except AssertionError as error:
            if "the failing example is not found" in str(error):
                continue
        unnoticed.append(rule.id)
    assert unnoticed == []


def test_cases_cover_the_rules() -> None:
    """The cases are as many as the rule files promise, and no two have the same name."""
    names = [(case.ruleset, case.rule.id) for case in CASES]
    assert len(CASES) > 1_200
    assert len(set(names)) == len(names)


@every_round
def test_codes_are_known(name: str) -> None:
    """Each rule of a round gives a code of the vocabulary and one of the two severities."""
    ruleset = open_rules().load(name)
    codes = ruleset.vocabulary().codes
    rules = [rule for kind in list_kinds(ruleset) for rule in ruleset.table(*kind, strict=True).rules]
    assert rules
    assert [
        rule.id for rule in rules if rule.code not in codes or rule.severity not in {"error", "warning"}
    ] == []


@every_round
def test_ids_are_unique(name: str) -> None:
    """Within a round an id names one rule: the same words at the same place for every kind of run."""
    ruleset = open_rules().load(name)
    places: dict[str, set[tuple[str, str, int]]] = {}
    for kind in list_kinds(ruleset):
        for rule in ruleset.table(*kind, strict=True).rules:
            places.setdefault(rule.id, set()).add((rule.text, rule.path, rule.line))
    assert {rule: found for rule, found in places.items() if len(found) > 1} == {}


@every_round
def test_strict_only_adds(name: str) -> None:
    """A log that breaks a rule breaks it under --strict too: strict tables hold all default rules."""
    ruleset = open_rules().load(name)
    for kind in list_kinds(ruleset):
        strict = {rule.id for rule in ruleset.table(*kind, strict=True).rules}
        default = {rule.id for rule in ruleset.table(*kind).rules}
        assert default <= strict, kind


@every_round
def test_no_statement_is_dead(name: str) -> None:
    """Each rule that a round states is in force for some kind of run ("any number" asks for nothing)."""
    ruleset = open_rules().load(name)
    stated: set[str] = set()
    in_force: set[str] = set()
    for kind in list_kinds(ruleset):
        stated |= {
            rule.id
            for layer in ruleset.layers(*kind, strict=True)
            for entry in layer.values()
            for rule in entry.rules
            if rule.can_fail
        }
        in_force |= {rule.id for rule in ruleset.table(*kind, strict=True).rules}
    assert stated - in_force == set()
