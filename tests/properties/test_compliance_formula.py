"""Formulas of any shape: their texts read back, and evaluating them cannot do harm."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from strategies import STATE_WORDS, events, formulas, json_values, junk_trees

from mlperf_logging.errors import RuleError
from mlperf_logging.events import Event
from mlperf_logging.rules.brace_expansion import expand_names
from mlperf_logging.rules.closures import EVALUATION_ERRORS, RunState, compile_formula, name_kind
from mlperf_logging.rules.examples import read_events, write_event
from mlperf_logging.rules.formula import Node, parse_cell, parse_formula, walk, write_formula

WORDS = frozenset(STATE_WORDS)


def remember(seen: list[Event]) -> RunState:
    """A memory of some events."""
    memory = RunState(dict.fromkeys(STATE_WORDS, 0))
    for event in seen:
        memory.last[event.key] = event
        memory.first_ms.setdefault(event.key, event.time_ms)
        memory.counts[event.key] = memory.counts.get(event.key, 0) + 1
    return memory


@given(formulas)
def test_written_formula_reads_back(tree: Node) -> None:
    """The text of any tree gives that tree again."""
    assert parse_formula(write_formula(tree)) == tree


@given(formulas)
def test_formula_survives_the_cache(tree: Node) -> None:
    """A tree is the same after a way through JSON."""
    assert json.loads(json.dumps(tree)) == tree


@given(formulas, st.sampled_from(["", "reaches ", "first ", "rest ", "end "]), st.booleans())
def test_formula_is_in_a_cell(tree: Node, kind: str, also: bool) -> None:
    """Any formula may stand in a cell, as a clause of each kind, beside others."""
    text = write_formula(tree)
    cell = parse_cell(f"{'also ' * also}any number; {kind}{text}")
    name = {"": "every", "reaches ": "any"}.get(kind, kind.strip())
    assert cell == (also, (("occurs", ["any_number"], "any number"), (name, tree, text)))


@given(st.one_of(formulas, junk_trees), st.lists(events(), max_size=4), events())
def test_evaluating_gives_a_value_or_a_known_trouble(tree: Node, seen: list[Event], event: Event) -> None:
    """A tree is refused when it is compiled, or gives a value, or says that the log lacks something."""
    try:
        closure = compile_formula(tree, WORDS)
    except (RuleError, *EVALUATION_ERRORS):
        return
    memory = remember(seen)
    try:
        first = closure(event, memory)
    except EVALUATION_ERRORS:
        return
    second = closure(event, memory)
    assert repr(first) == repr(second)
    assert name_kind(first) in {"null", "bool", "int", "float", "text", "list", "object"}


@given(formulas)
def test_only_rule_errors_refuse_a_parsed_formula(tree: Node) -> None:
    """Compiling what the parser gives raises nothing but an error of the rule."""
    with suppress(RuleError):
        compile_formula(tree, WORDS)
        assert not [part for part in walk(tree) if part == ["benchmarks"]]


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever stands in a rule file is a formula or an error of the rule."""
    with suppress(RuleError):
        tree = parse_formula(text)
        assert parse_formula(write_formula(tree)) == tree


@given(st.text("ab{},.0123", max_size=12))
def test_names_expand_to_texts_or_are_refused(pattern: str) -> None:
    """A list of names stands for texts without the braces that were read, or is refused."""
    with suppress(ValueError):
        names = expand_names([pattern])
        assert "{" in pattern or names == [pattern]
        assert expand_names([pattern, pattern]) == names * 2


@given(
    json_values, st.dictionaries(st.text("ab", min_size=1), st.integers(), max_size=2), st.integers(0, 10**6)
)
def test_event_notation_reads_back(value: Any, metadata: dict[str, Any], seconds: int) -> None:
    """An event written in the notation of the rule files is the same event when it is read."""
    event = Event("seed", value, metadata, seconds * 1000.0, 1, 1, b"", benchmark="ssd")
    (again,) = read_events((write_event(event),))
    assert repr(again.value) == repr(value)
    assert (again.key, again.metadata, again.benchmark) == ("seed", metadata, "ssd")
