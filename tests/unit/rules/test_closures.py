"""Formulas at work: what they give on an event, what they refuse, and that they stay within bounds."""

from __future__ import annotations

import math
from typing import Any

import pytest

from mlperf_logging.errors import RuleError
from mlperf_logging.events import Event
from mlperf_logging.rules.closures import (
    EVALUATION_ERRORS,
    EVENT_FIELDS,
    FUNCTIONS,
    MAX_EXPONENT,
    RunState,
    Unevaluable,
    compile_formula,
    name_kind,
)
from mlperf_logging.rules.formula import parse_formula

METADATA = {"epoch_num": 3, "status": "success", "nothing": None, "deep": {"list": [1, 2]}}


def event(key: str = "k", value: Any = None, time_ms: float = 0, benchmark: str | None = None) -> Event:
    """An event with the metadata that the tests look at."""
    return Event(key, value, METADATA, time_ms, 1, 1, b"", benchmark=benchmark)


def evaluate(text: str, value: Any = None, memory: RunState | None = None, **fields: Any) -> Any:
    """What a formula gives on an event with the given value."""
    words = frozenset({"run_started", "last_epoch"})
    closure = compile_formula(parse_formula(text), words)
    return closure(event(value=value, **fields), memory or RunState({"run_started": False, "last_epoch": 0}))


@pytest.mark.parametrize(
    ("text", "value", "result"),
    [
        ("value", 7, 7),
        ("value.BBOX", {"BBOX": 0.3}, 0.3),
        ("value[1]", [5, 6], 6),
        ("value[1].a[0]", [0, {"a": ["x"]}], "x"),
        ("meta.epoch_num", None, 3),
        ("meta.deep.list[1]", None, 2),
        ("meta.nothing == null", None, True),
        ("present(meta.nothing)", None, True),
        ("present(meta.other)", None, False),
        ("present(value.x)", {"x": None}, True),
        ("present(value.x)", 5, False),
        ("present(logged(seed))", None, False),
        ("1 + 2 * 3 - 4 / 2", None, 5.0),
        ("7 mod 4", None, 3),
        ("value mod 1", 2.5, 0.5),
        ("2 ^ 10", None, 1024),
        ("4 ^ 0.5", None, 2.0),
        ("2 ^ -1", None, 0.5),
        ("-value", 3, -3),
        ("value + 1", True, 2),
        ("value == 0", 0.0, True),
        ("value == 1", True, True),
        ("value == 0.1", 0.1, True),
        ("value == 0.30000000000000004", 0.3, False),
        ("value == 9007199254740993", 9007199254740992, False),
        ('value == "a"', "a", True),
        ("value != 1", "1", True),
        ("1 < value <= 3", 3, True),
        ("1 < value <= 3", 1, False),
        ("0 < value < 5 < 4", 2, False),
        ("in {sgd, 1, infinity}", "sgd", True),
        ("in {sgd, 1, infinity}", 1.0, True),
        ("in {sgd, 1, infinity}", math.inf, True),
        ("in {sgd, 1, infinity}", ["sgd"], False),
        ("in {-1, true}", -1, True),
        ("value > 0 and value < 5", 5, False),
        ("value > 0 and value < 5", 4, True),
        ("value < 0 or value > 3", 4, True),
        ("value < 0 or value > 3", 1, False),
        ("not value", 0, True),
        ("1 if value else 2", True, 1),
        ("1 if value else 2", "", 2),
        ("value < infinity", 10**400, True),
        ("true", None, True),
        ("null == value", None, True),
    ],
)
def test_formula_gives(text: str, value: Any, result: Any) -> None:
    """Places, arithmetic, comparisons and logic give what they say."""
    given = evaluate(text, value)
    assert given == result
    assert isinstance(given, bool) == isinstance(result, bool)


@pytest.mark.parametrize(
    ("text", "value", "result"),
    [
        ("abs(value)", -2, 2),
        ("append(value, 3)", [1, 2], [1, 2, 3]),
        ("ceil(value)", 1.2, 2),
        ("close(value, 0.1)", 0.1 * (1 + 5e-10), True),
        ("close(value, 0.1)", 0.1 * (1 + 5e-9), False),
        ("finite(value)", [1, "text", {"a": 10**400, "b": None}], True),
        ("finite(value)", [1, {"a": math.nan}], False),
        ("finite(value)", {"a": {"b": "-Infinity"}}, False),
        ('finite(value, "loss")', {"rate": math.inf, "loss": 1, "times": [math.nan]}, True),
        ('finite(value, "loss")', {"rate": 1, "train": {"eval_loss": [math.nan]}}, False),
        ("floor(value)", -1.2, -2),
        ("int(value)", "12", 12),
        ("int(value)", 3.9, 3),
        ("integer(value)", 3.000009, True),
        ("integer(value)", 2.999991, True),
        ("integer(value)", 3.00002, False),
        ("integer(value)", 3, True),
        ("kind(value)", [1], "list"),
        ("length(value)", "abc", 3),
        ("length(value)", [1, 2], 2),
        ("length(value)", {"a": 1}, 1),
        ("log2(value)", 8, 3.0),
        ("max(1, value, 2)", 5, 5),
        ("min(1, value, 2)", 5, 1),
        ("number(value)", "0.5", 0.5),
        ("number(value)", 2, 2.0),
    ],
)
def test_function_gives(text: str, value: Any, result: Any) -> None:
    """Each function of the closed list does what its name says, with the tolerances of the public checks."""
    assert evaluate(text, value) == result


def test_every_function_is_tried_above() -> None:
    """The list of functions has not grown without a test."""
    (mark,) = test_function_gives.pytestmark
    assert {text.partition("(")[0] for text, _, _ in mark.args[1]} == set(FUNCTIONS)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(None, "null"), (True, "bool"), (1, "int"), (1.0, "float"), ("", "text"), ([], "list"), ({}, "object")],
)
def test_kinds_have_names(value: Any, kind: str) -> None:
    """Each JSON value is of one kind, and a truth value is not a number there."""
    assert name_kind(value) == kind


def test_event_fields() -> None:
    """Of an event itself only the benchmark and the time can be read."""
    assert evaluate("event.benchmark", benchmark="ssd") == "ssd"
    assert evaluate("event.seconds", time_ms=1500) == 1.5
    assert evaluate("event.time_ms", time_ms=1500) == 1500
    assert set(EVENT_FIELDS) == {"benchmark", "seconds", "time_ms"}


def test_memory_is_what_the_log_has_shown() -> None:
    """Earlier events are seen through their latest value, their number, and the time of the first."""
    memory = RunState({"run_started": True, "last_epoch": 4})
    memory.last["seed"] = event("seed", [8, 9])
    memory.last["k"] = event(value={"n": 5})
    memory.counts["seed"] = 2
    memory.first_ms["init_start"] = 60_000
    assert evaluate("logged(seed)", memory=memory) == [8, 9]
    assert evaluate("logged(seed)[1]", memory=memory) == 9
    assert evaluate("count(seed)", memory=memory) == 2
    assert evaluate("count(other)", memory=memory) == 0
    assert evaluate("previous(value.n)", memory=memory) == 5
    assert evaluate("minutes_since(first init_start)", memory=memory, time_ms=240_000) == 3
    assert evaluate("state.run_started and state.last_epoch == 4", memory=memory) is True
    assert evaluate("present(previous(value.n))", memory=memory) is True


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("value.x", 5),
        ("value.x", {"y": 1}),
        ("value.x", [1]),
        ("value[0]", "text"),
        ("value[0]", {"0": 1}),
        ("value[5]", [1]),
        ("value[1.5]", [1, 2]),
        ("value + 1", "1"),
        ("1 + value", None),
        ("value * 2", "ab"),
        ("-value", "x"),
        ("value > 0", "5"),
        ("value > 0", None),
        ("1 < value", [2]),
        ("1 / value", 0),
        ("1 mod value", 0.0),
        ("log2(value)", 0),
        ("log2(value)", -1),
        ("int(value)", "twelve"),
        ("int(value)", math.inf),
        ("int(value)", math.nan),
        ("number(value)", "half"),
        ("number(value)", []),
        ("ceil(value)", math.inf),
        ("integer(value)", "3"),
        ("integer(value)", math.nan),
        ("length(value)", 5),
        ("max(1, value)", "2"),
        ("append(value, 1)", 5),
        ("close(value, 1)", "1"),
        ("(0 - value) ^ 0.5", 2),
        ("0 ^ (0 - value)", 1),
        ("meta.other", None),
        ("meta.status.x", None),
        ("logged(seed)", None),
        ("previous(value)", None),
        ("minutes_since(first init_start)", None),
        ("value ^ value", 100),
        ("10 ^ value", 1e6),
        ("value ^ 64", 10**300),
        ("value / 3", 10**400),
        ("value * 0.5", 10**400),
    ],
)
def test_what_cannot_be_evaluated_differs_from_what_is_false(text: str, value: Any) -> None:
    """A missing field, a wrong kind or an impossible sum raises one of the known troubles."""
    with pytest.raises(EVALUATION_ERRORS):
        evaluate(text, value)


@pytest.mark.parametrize(
    ("text", "value", "says"),
    [
        ("value + 1", "1", "text where a number is needed"),
        ("value.x", 5, "int has no field 'x'"),
        ("value[0]", {}, "object has no element 0"),
        ("length(value)", 5, "int has no length"),
        ("value ^ 2.5", -2, "-2 ^ 2.5 is not a real number"),
        ("2 ^ value", 65, "the exponent 65 is beyond 64"),
        ("value ^ 64", 2**70, "is too large"),
    ],
)
def test_unevaluable_says_why(text: str, value: Any, says: str) -> None:
    """Where the judge itself refuses, it says what was missing or of the wrong kind."""
    with pytest.raises(Unevaluable) as caught:
        evaluate(text, value)
    assert says in str(caught.value)


def test_exponents_are_bounded() -> None:
    """No rule and no log can make a number of a million digits."""
    assert evaluate(f"value ^ {MAX_EXPONENT}", 2) == 2**MAX_EXPONENT
    assert evaluate(f"value ^ -{MAX_EXPONENT}", 2) == 2**-MAX_EXPONENT
    with pytest.raises(Unevaluable):
        evaluate("((value ^ 64) ^ 64) ^ 64", 2)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("open(value)", "unknown function 'open'; known: abs, append"),
        ("eval(value)", "unknown function 'eval'"),
        ("__import__(value)", "unknown function '__import__'"),
        ("integer(value, 1)", r"integer\(\) takes 1 argument, not 2"),
        ("close(value)", r"close\(\) takes 2 arguments, not 1"),
        ("event.raw", "event.raw is not known; known: benchmark, seconds, time_ms"),
        ("event.__class__", "event.__class__ is not known"),
        (
            "state.run_begun",
            "state.run_begun is not a state word of this ruleset; known: last_epoch, run_started",
        ),
        ("value ^ 65 > 1", "the exponent 65 is beyond 64"),
        ("value ^ -65 > 1", "the exponent -65 is beyond 64"),
        ("value / 0 > 1", "the formula divides by zero"),
        ("value mod 0.0 > 1", "the formula divides by zero"),
    ],
)
def test_slip_of_a_rule_is_found_before_any_log(text: str, says: str) -> None:
    """What is wrong with the rule itself is an error of the rule, when it is compiled."""
    with pytest.raises(RuleError, match=says):
        evaluate(text)


@pytest.mark.parametrize(
    "tree",
    [
        [],
        ["exec", "1"],
        ["__class__"],
        [["value"]],
        ["comparison", ["value"], "is", ["null"]],
        ["membership", ["value"], ["meta", "x"]],
        ["membership", ["value"], ["event", "benchmark"]],
        ["benchmarks"],
        ["once_each", ["value"], "names"],
    ],
)
def test_tree_that_no_text_gives_is_refused(tree: list[Any]) -> None:
    """A tree from a tampered cache can name nothing that the language does not have."""
    with pytest.raises(RuleError):
        compile_formula(tree)


@pytest.mark.parametrize("name", ["__class__", "real", "items", "append", "__len__", "upper"])
@pytest.mark.parametrize("value", [{}, [1], 5, "text", None], ids=name_kind)
def test_fields_are_never_python_attributes(name: str, value: Any) -> None:
    """A field is looked up in an object of the log and nowhere else."""
    assert evaluate(f"present(value.{name})", value) is False
    with pytest.raises(EVALUATION_ERRORS):
        evaluate(f"value.{name}", value)
