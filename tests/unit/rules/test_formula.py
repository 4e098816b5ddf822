"""The rule language: what its texts mean as trees, and how a slip is reported."""

from __future__ import annotations

import json

import pytest

from mlperf_logging.errors import RuleError
from mlperf_logging.rules.formula import parse_cell, parse_formula, walk, write_formula

VALUE = ["value"]
ONE, TWO, THREE = (["number", number] for number in (1, 2, 3))

TREES = {
    "value": VALUE,
    "meta.epoch_num": ["meta", "epoch_num"],
    "event.benchmark": ["event", "benchmark"],
    "state.run_started": ["state", "run_started"],
    "value.BBOX": ["field", VALUE, "BBOX"],
    "value[1]": ["index", VALUE, ONE],
    "meta.a.b[1].c": ["field", ["index", ["field", ["meta", "a"], "b"], ONE], "c"],
    "logged(seed)": ["logged", "seed"],
    "logged(seed)[1]": ["index", ["logged", "seed"], ONE],
    "count(seed)": ["count", "seed"],
    "previous(meta.n)": ["previous", ["meta", "n"]],
    "minutes_since(first init_start)": ["minutes_since", "init_start"],
    "present(value.x)": ["present", ["field", VALUE, "x"]],
    "present(logged(seed))": ["present", ["logged", "seed"]],
    "present(previous(value))": ["present", ["previous", VALUE]],
    "integer(value)": ["call", "integer", VALUE],
    "max(1, 2, value)": ["call", "max", ONE, TWO, VALUE],
    "1": ONE,
    "1_200_000": ["number", 1200000],
    "0.5": ["number", 0.5],
    "8e-05": ["number", 8e-05],
    "2E3": ["number", 2000.0],
    '"two words"': ["string", "two words"],
    '""': ["string", ""],
    "infinity": ["infinity"],
    "true": ["true"],
    "false": ["false"],
    "null": ["null"],
    "== 1": ["comparison", VALUE, "==", ONE],
    "!= 1": ["comparison", VALUE, "!=", ONE],
    "< 1": ["comparison", VALUE, "<", ONE],
    "<= 1": ["comparison", VALUE, "<=", ONE],
    "> 1": ["comparison", VALUE, ">", ONE],
    ">= 1": ["comparison", VALUE, ">=", ONE],
    "value == null": ["comparison", VALUE, "==", ["null"]],
    "1 < value <= 2": ["comparison", ONE, "<", VALUE, "<=", TWO],
    "in {sgd, lars}": ["membership", VALUE, ["string", "sgd"], ["string", "lars"]],
    'in {1, -2.5, "a b", true, infinity}': [
        "membership",
        VALUE,
        ONE,
        ["number", -2.5],
        ["string", "a b"],
        ["true"],
        ["infinity"],
    ],
    "meta.status in {success}": ["membership", ["meta", "status"], ["string", "success"]],
    "in benchmarks": ["membership", VALUE, ["benchmarks"]],
    "event.benchmark in benchmarks": ["membership", ["event", "benchmark"], ["benchmarks"]],
    "value + 1 - 2": ["subtract", ["add", VALUE, ONE], TWO],
    "1 - 2 - 3": ["subtract", ["subtract", ONE, TWO], THREE],
    "1 + 2 * 3": ["add", ONE, ["multiply", TWO, THREE]],
    "(1 + 2) * 3": ["multiply", ["add", ONE, TWO], THREE],
    "1 / 2 / 3": ["divide", ["divide", ONE, TWO], THREE],
    "value mod 2": ["modulo", VALUE, TWO],
    "1 ^ 2 ^ 3": ["power", ONE, ["power", TWO, THREE]],
    "-1 ^ 2": ["negative", ["power", ONE, TWO]],
    "2 ^ -1": ["power", TWO, ["negative", ONE]],
    "not value": ["negation", VALUE],
    "not value == 1": ["negation", ["comparison", VALUE, "==", ONE]],
    "value and true and false": ["conjunction", VALUE, ["true"], ["false"]],
    "value or true and false": ["disjunction", VALUE, ["conjunction", ["true"], ["false"]]],
    "1 if value else 2 if true else 3": ["conditional", ONE, VALUE, ["conditional", TWO, ["true"], THREE]],
}


@pytest.mark.parametrize("text", TREES)
def test_text_gives_the_tree(text: str) -> None:
    """Each construct of the language has one tree, with the precedence that the grammar gives."""
    assert parse_formula(text) == TREES[text]


def test_written_trees_read_back() -> None:
    """The text made from a tree gives the same tree again."""
    assert {text: parse_formula(write_formula(tree)) for text, tree in TREES.items()} == TREES


def test_trees_survive_json() -> None:
    """A tree is made of JSON values only, so that it can be compiled when the package is built."""
    trees = {text: parse_formula(text) for text in TREES}
    assert json.loads(json.dumps(trees)) == trees


@pytest.mark.parametrize(
    "word", ["value", "logged", "count", "first", "rest", "end", "in", "true", "also", "at"]
)
def test_words_of_the_language_are_names_where_only_names_fit(word: str) -> None:
    """Fields and keys may be called like words of the language."""
    assert parse_formula(f"meta.{word}") == ["meta", word]
    assert parse_formula(f"logged({word})") == ["logged", word]


@pytest.mark.parametrize(
    ("text", "rest", "place"),
    [
        ("value => 1", "'=> 1'", 7),
        ("value = 1", "'= 1'", 7),
        ("value..x", "'.x'", 7),
        ("value.1", "'1'", 7),
        ("in {}", "'}'", 5),
        ("in {a b}", "'b}'", 7),
        ("value)", "')'", 6),
        ("'a'", "\"'a'\"", 1),
        ('value == "a', "'\"a'", 10),
        ("logged()", "')'", 8),
        ("logged(value.x)", "'.x)'", 13),
        ("minutes_since(init_start)", "'init_start)'", 15),
        ("present(1)", "'1)'", 9),
        ("value.real.__class__(1)", "'(1)'", 21),
        ("value @ 2", "'@ 2'", 7),
        ("lambda x: x", "'x: x'", 8),
        ("value; value", "'; value'", 6),
        ("logged; value", "'; value'", 7),
    ],
)
def test_slip_is_shown_with_its_place(text: str, rest: str, place: int) -> None:
    """What cannot be read is quoted, with the character at which reading ended."""
    with pytest.raises(RuleError) as caught:
        parse_formula(text)
    assert str(caught.value) == f"cannot read the formula {text!r} at {rest} (character {place})"


@pytest.mark.parametrize("text", ["", "value >", "value and", "in {a", "(value", "value if true", "logged("])
def test_text_that_stops_early_is_reported(text: str) -> None:
    """Where the rest is missing there is nothing to quote."""
    with pytest.raises(RuleError) as caught:
        parse_formula(text)
    assert str(caught.value) == f"cannot read the formula {text!r}: it ends too early"


def test_number_without_bound_is_refused() -> None:
    """A number that overflows is a slip and no infinity."""
    with pytest.raises(RuleError, match="the number 1e400 is too large"):
        parse_formula("value < 1e400")


CELLS = {
    "logged": (False, [("occurs", ["exactly_one"], "exactly one")]),
    "exactly one": (False, [("occurs", ["exactly_one"], "exactly one")]),
    "any number": (False, [("occurs", ["any_number"], "any number")]),
    "at least one": (False, [("occurs", ["at_least_one"], "at least one")]),
    "at least 2": (False, [("occurs", ["at_least", 2], "at least 2")]),
    "at least one of this or epoch_stop": (
        False,
        [("occurs", ["at_least_one_of", "epoch_stop"], "at least one of this or epoch_stop")],
    ),
    "alternating with run_stop": (
        False,
        [("occurs", ["alternating", "run_stop"], "alternating with run_stop")],
    ),
    "value > 0": (False, [("every", ["comparison", VALUE, ">", ["number", 0]], "value > 0")]),
    "also value": (True, [("every", VALUE, "value")]),
    "reaches value": (False, [("any", VALUE, "value")]),
    "first value": (False, [("first", VALUE, "value")]),
    "rest  value  ": (False, [("rest", VALUE, "value")]),
    "end count(seed)": (False, [("end", ["count", "seed"], "count(seed)")]),
    "each meta.tensor once in tensors": (
        False,
        [("once_each", ["once_each", ["meta", "tensor"], "tensors"], "each meta.tensor once in tensors")],
    ),
    "also at least one; == 1; reaches value": (
        True,
        [
            ("occurs", ["at_least_one"], "at least one"),
            ("every", ["comparison", VALUE, "==", ONE], "== 1"),
            ("any", VALUE, "value"),
        ],
    ),
}


@pytest.mark.parametrize("text", CELLS)
def test_cell_gives_its_clauses(text: str) -> None:
    """A cell's clauses come with kind, tree and words, in their order."""
    cell = parse_cell(text)
    assert (cell.also, list(cell.clauses)) == CELLS[text]


@pytest.mark.parametrize(
    "text", ["", "also", "at least", "at least value", "logged;", "reaches logged", "loged"]
)
def test_unreadable_cell_is_refused(text: str) -> None:
    """A cell that says nothing, or half of something, is an error."""
    with pytest.raises(RuleError, match="cannot read the cell"):
        parse_cell(text)


def test_walk_names_every_node_once() -> None:
    """Walking gives the tree itself first and then each tree below it."""
    tree = ["comparison", VALUE, "==", ["add", ONE, TWO]]
    assert walk(tree) == [tree, VALUE, ["add", ONE, TWO], ONE, TWO]
