"""The resolved rulesets say what the shared facts say of the public rounds' checks.

Both sides are brought into one form first: a table for each kind of run, its keys with how often they are
logged and the set of clauses that hold. Formulas are compared as trees, after the rewritings of `simplify`,
none of which changes what a formula means.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mlperf_logging.events import DIVISIONS
from mlperf_logging.rules.formula import Node, parse_formula
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.rules.rule import Rule
from mlperf_logging.rules.rulesets import Ruleset, merge_layers

pytestmark = pytest.mark.corpus

Clauses = frozenset[tuple[str, str]]
"""What holds of one key: (``occurs``, ``every`` …; the clause in one form)."""

_OWN_LIST = "the facts give minigo a list of its own; which list holds follows from the logged benchmark"
_FORMER = "the facts list benchmarks that the round has retired and has no rules of its own for"
_PROSE = "the facts say in their README, not in a row, which keys go with which optimizer"
TOLERATED: dict[tuple[str, str, str], str] = {
    ("training/0.6.0", "*", "submission_benchmark"): _OWN_LIST,
    ("training/4.0.0", "*", "submission_benchmark"): _FORMER,
    ("training/4.1.0", "*", "submission_benchmark"): _FORMER,
    ("training/0.6.0", "resnet", "opt_learning_rate_decay_boundary_epochs"): _PROSE,
    ("training/0.6.0", "resnet", "lars_opt_learning_rate_decay_steps"): _PROSE,
    ("training/0.6.0", "resnet", "lars_opt_learning_rate_decay_poly_power"): _PROSE,
    ("training/0.6.0", "resnet", "lars_opt_weight_decay"): _PROSE,
    ("training/0.6.0", "resnet", "lars_epsilon"): _PROSE,
}
"""(ruleset, benchmark or ``*``, key): why the two sides differ there."""

_DEAD = "the round does not accept the benchmark's name, so its rows can never hold"
UNLISTED: dict[tuple[str, str], str] = {
    ("training/3.0.0", "dlrm"): _DEAD,
    ("training/3.0.0", "minigo"): _DEAD,
    ("training/3.1.0", "dlrm"): _DEAD,
    ("training/3.1.0", "minigo"): _DEAD,
    ("training/5.1.0", "bert"): _DEAD,
}
"""(ruleset, benchmark): why the round does not know a benchmark that the facts have rows of."""


# --- one form for formulas ---------------------------------------------------------------------------------


def simplify(node: Any) -> Any:
    """A formula's tree without the freedom of writing it in several ways.

    ``A if C else B`` becomes ``(C and A) or (not C and B)``; ``x == false`` becomes ``not x``; nested
    conjunctions and disjunctions are flattened and, like the members of a set, sorted.
    """
    if not isinstance(node, list):
        return node
    name, *parts = [simplify(part) for part in node]
    match name, parts:
        case "conditional", [then, condition, otherwise]:
            both = [["conjunction", condition, then], ["conjunction", ["negation", condition], otherwise]]
            return simplify(["disjunction", *both])
        case "comparison", [["state", _] as word, "==", ["false"]]:
            return ["negation", word]
        case (("conjunction" | "disjunction"), _):
            flat: list[Any] = []
            for part in parts:
                flat += part[1:] if part[0] == name else [part]
            return [name, *sorted(flat, key=repr)]
        case "membership", [subject, *members]:
            return [name, subject, *sorted(members, key=repr)]
        case "number", [number]:
            return [name, float(number)]
        case _:
            return [name, *parts]


def split(node: Node) -> list[Node]:
    """The clauses that a formula on every event is made of."""
    return node[1:] if node[0] == "conjunction" else [node]


def without_excluded(clauses: list[Node]) -> list[Node]:
    """``value in {a, b} and value != "b"`` as ``value in {a}``."""
    excluded = [node for node in clauses if node[:1] == ["comparison"] and node[1:3] == [["value"], "!="]]
    sets = [node for node in clauses if node[:2] == ["membership", ["value"]]]
    if not sets or not excluded:
        return clauses
    words = [node[3] for node in excluded]
    return [
        [*node[:2], *[member for member in node[2:] if member not in words]] if node in sets else node
        for node in clauses
        if node not in excluded
    ]


@cache
def read_formula(text: str) -> Any:
    """A formula of the facts in one form; ``kind(value) == int`` names a kind as a bare word there."""
    quoted = re.sub(r"(kind\(\w+\) == )(\w+)", r'\1"\2"', text)
    return simplify(parse_formula(quoted))


def list_clauses(kind: str, tree: Any) -> list[tuple[str, str]]:
    """The clauses of one constraint; the reader guarantees ``present(value)``, so it says nothing."""
    trees = without_excluded(split(tree)) if kind in {"every", "first", "rest"} else [tree]
    return [(kind, repr(each)) for each in trees if each != ["present", ["value"]]]


# --- the facts as tables -----------------------------------------------------------------------------------


def read_occurrence(text: str) -> Node | None:
    """How often a key is logged, as a node of the rule language; None for any number."""
    if text == "any number":
        return None
    if text in {"exactly one", "at least one"}:
        return [text.replace(" ", "_")]
    if number := re.fullmatch(r"at least (\d+)", text):
        return ["at_least", int(number[1])]
    if other := re.fullmatch(r"at least one, of this or (\w+)", text):
        return ["at_least_one_of", other[1]]
    if other := re.match(r"alternating with (\w+)", text):
        return ["alternating", other[1]]
    raise ValueError(text)


def read_row(row: dict[str, Any]) -> list[tuple[str, str]]:
    """What a row of the facts says of its key."""
    occurs = read_occurrence(row["occurs"])
    clauses = [] if occurs is None else [("occurs", repr(occurs))]
    for constraint in row.get("constraints", ()):
        kind = {"every but the first": "rest"}.get(constraint["on"], constraint["on"])
        clauses += list_clauses(kind, read_formula(constraint["must"]))
    return clauses


@cache
def load_facts(path: Path) -> dict[str, dict[tuple[str, str], dict[str, list[tuple[str, str]]]]]:
    """Ruleset to (benchmark, division) to key to clauses; rows of one scope as the facts' README has them.

    The later row of a key counts, except in the graded round, where rows add up.
    """
    facts: dict[str, Any] = defaultdict(lambda: defaultdict(dict))
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        scope = facts[f"{row['usage']}/{row['ruleset']}"][row["benchmark"], row["division"]]
        former = scope.get(row["key"], []) if "level" in row else []
        scope[row["key"]] = former + read_row(row)
    return facts


def merge_facts(
    rows: dict[tuple[str, str], dict[str, list[tuple[str, str]]]],
    division: str | None,
    names: list[str],
    *,
    graded: bool,
) -> dict[str, Clauses]:
    """The facts' table for one kind of run.

    A more specific scope replaces what a wider one says of a key; in the graded round it adds to it.
    """
    merged: dict[str, list[tuple[str, str]]] = {}
    for name in ("*", *names):
        for layer in ("both", division) if division else ("both",):
            for key, clauses in rows.get((name, layer), {}).items():
                merged[key] = merged.get(key, []) + clauses if graded else clauses
    return {key: frozenset(clauses) for key, clauses in merged.items() if clauses}


def merge_rules(
    ruleset: Ruleset, division: str | None, benchmark: str, variants: tuple[str, ...]
) -> dict[str, Clauses]:
    """Our table for one kind of run, in the form of the facts."""
    merged = merge_layers(ruleset.layers(division, benchmark, variants), None)
    table = {
        key: frozenset(clause for rule in rules for clause in read_rule(rule))
        for key, rules in merged.items()
    }
    return {key: clauses for key, clauses in table.items() if clauses}


def read_rule(rule: Rule) -> list[tuple[str, str]]:
    """What a rule says, in the form of the facts; lists of tensors are compared by a test of their own."""
    if rule.on == "once_each" or rule.node[0] == "any_number":
        return []
    if rule.on == "occurs":
        return [("occurs", repr(rule.node))]
    return list_clauses(rule.on, simplify(rule.node))


def list_kinds(ruleset: Ruleset) -> list[tuple[str | None, str, tuple[str, ...]]]:
    """All kinds of run with a benchmark: each variant, and all variants together."""
    divisions = DIVISIONS if ruleset.has_divisions else (None,)
    kinds = []
    for benchmark in ruleset.benchmarks:
        variants = tuple(ruleset.variants(benchmark))
        choices = [(), *[(name,) for name in variants], *([variants] if len(variants) > 1 else [])]
        kinds += [(division, benchmark, choice) for division in divisions for choice in choices]
    return kinds


def find_differences(name: str, facts: Path) -> dict[tuple[str, str], str]:
    """(benchmark, key) to what the facts have and we do not, and the other way round."""
    rows = load_facts(facts)[name]
    ruleset = open_rules().load(name)
    graded = any(rule.level == 2 for rule in ruleset.table(None, None).rules)
    found: dict[tuple[str, str], str] = {}
    for division, benchmark, variants in list_kinds(ruleset):
        names = [benchmark, *[f"{benchmark}_{variant}" for variant in variants]]
        wanted = merge_facts(rows, division, names, graded=graded)
        stated = merge_rules(ruleset, division, benchmark, variants)
        for key in sorted({*wanted, *stated}):
            missing = wanted.get(key, frozenset()) - stated.get(key, frozenset())
            extra = stated.get(key, frozenset()) - wanted.get(key, frozenset())
            if missing or extra:
                kind = f"{division or 'any'} division, variants {variants}"
                found[benchmark, key] = f"{kind}: missing {sorted(missing)}, extra {sorted(extra)}"
    return found


OWN_USAGES = {"mini", "original"}
"""Usages whose rules this project states itself; the public rounds' facts hold nothing of them."""

PUBLIC_ROUNDS = [entry.name for entry in open_rules().index() if entry.usage not in OWN_USAGES]
every_round = pytest.mark.parametrize("name", PUBLIC_ROUNDS)


@every_round
def test_tables_say_what_the_facts_say(name: str, shared: Path) -> None:
    """For each kind of run, each key is asked for as the facts have it, and no other key is."""
    found = find_differences(name, shared / "facts" / "rules.jsonl")
    tolerated = {(benchmark, key) for round_name, benchmark, key in TOLERATED if round_name == name}
    unexplained = {
        place: text
        for place, text in found.items()
        if place not in tolerated and ("*", place[1]) not in tolerated
    }
    assert unexplained == {}
    keys = {key for _, key in found}
    assert {
        place for place in tolerated if place not in found and (place[0] != "*" or place[1] not in keys)
    } == set()


@every_round
def test_benchmarks_are_those_of_the_facts(name: str, shared: Path) -> None:
    """A round knows the benchmarks that the facts have rows of, but for those that it does not accept."""
    rows = load_facts(shared / "facts" / "rules.jsonl")[name]
    ruleset = open_rules().load(name)
    known = {
        spelling
        for benchmark in ruleset.benchmarks
        for spelling in (benchmark, *[f"{benchmark}_{variant}" for variant in ruleset.variants(benchmark)])
    }
    unlisted = {benchmark for benchmark, _ in rows} - known - {"*"}
    assert unlisted == {benchmark for round_name, benchmark in UNLISTED if round_name == name}


def test_every_round_of_the_facts_has_rules(shared: Path) -> None:
    """The rule files hold exactly the rounds that the facts have rows of, and this project's own."""
    rounds = load_facts(shared / "facts" / "rules.jsonl")
    assert set(PUBLIC_ROUNDS) == set(rounds)
    assert {entry.usage for entry in open_rules().index()} == {"training", "hpc"} | OWN_USAGES


def test_lists_of_tensors_are_those_of_the_facts(shared: Path) -> None:
    """A log must contain each tensor of the facts' lists once, and there are no other lists."""
    facts = json.loads((shared / "facts" / "initialized_tensors.json").read_text("utf-8"))
    wanted = {
        (f"{row['usage']}/{row['ruleset']}", row["division"], row["benchmark"]): sorted(row["tensors"])
        for row in facts
    }
    stated = {}
    for entry in open_rules().index():
        ruleset = open_rules().load(entry.name)
        for division, benchmark, variants in list_kinds(ruleset):
            for rule in ruleset.table(division, benchmark, variants).rules:
                if rule.on == "once_each":
                    assert (rule.key, rule.node[1]) == ("weights_initialization", ["meta", "tensor"])
                    stated[entry.name, division, benchmark] = sorted(rule.node[3])
    assert stated.keys() == wanted.keys()
    different = {
        place: set(stated[place]) ^ set(wanted[place]) for place in wanted if stated[place] != wanted[place]
    }
    assert different == {}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("value", "not value"),
        ("value >= 0.9", "value > 0.9"),
        ("value in {a, b}", 'value in {"a"}'),
        ("value and meta.x", "value or meta.x"),
        ("value if meta.x else true", "value if meta.y else true"),
        ('kind(value) == "int"', "kind(value) == bool"),
        ("logged(a) / logged(b)", "logged(b) / logged(a)"),
    ],
)
def test_comparison_tells_formulas_apart(ours: str, theirs: str) -> None:
    """The one form that formulas are compared in keeps what makes them different."""
    assert simplify(parse_formula(ours)) != read_formula(theirs)
