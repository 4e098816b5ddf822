"""Examples of rules: their notation, and finding them where none is written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mlperf_logging.compliance.example_search import find_example, try_rule
from mlperf_logging.errors import RuleError
from mlperf_logging.events import Event
from mlperf_logging.rules.examples import read_events, write_event
from mlperf_logging.rules.rulesets import Ruleset

Round = Callable[..., Ruleset]


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ("seed", Event("seed", None, {}, 0, 1, 1, b"seed")),
        ("seed=1", Event("seed", 1, {}, 0, 1, 1, b"seed=1")),
        ('name="a b"', Event("name", "a b", {}, 0, 1, 1, b'name="a b"')),
        ("seed=[1, 2]", Event("seed", [1, 2], {}, 0, 1, 1, b"seed=[1, 2]")),
        ('v={"a": {"b": 1}}', Event("v", {"a": {"b": 1}}, {}, 0, 1, 1, b'v={"a": {"b": 1}}')),
        ('stop {"a": 1}', Event("stop", None, {"a": 1}, 0, 1, 1, b'stop {"a": 1}')),
        ('v={"a": 1} {"b": 2}', Event("v", {"a": 1}, {"b": 2}, 0, 1, 1, b'v={"a": 1} {"b": 2}')),
        ("v=1 @1.5s", Event("v", 1, {}, 1500, 1, 1, b"v=1 @1.5s")),
        ("v of ssd", Event("v", None, {}, 0, 1, 1, b"v of ssd", benchmark="ssd")),
        (
            'v=1 {"a": 1} of ssd @2s',
            Event("v", 1, {"a": 1}, 2000, 1, 1, b'v=1 {"a": 1} of ssd @2s', benchmark="ssd"),
        ),
        ('v="x @3s of y"', Event("v", "x @3s of y", {}, 0, 1, 1, b'v="x @3s of y"')),
    ],
)
def test_notation(line: str, event: Event) -> None:
    """An event is written as key, value, metadata, benchmark and time, each where it has one."""
    assert read_events((line,)) == [event]
    assert write_event(event) == line


def test_lines_are_numbered() -> None:
    """The events of an example stand on lines of their own."""
    assert [event.line for event in read_events(("a", "b", "c"))] == [1, 2, 3]


@pytest.mark.parametrize(
    "line", ["", "=1", "a b", "a =1", "a=", "a={1}", "a=1 2", "a @5", "a of", 'a {"b"}', "a=1]"]
)
def test_other_texts_are_refused(line: str) -> None:
    """What is not in the notation is quoted."""
    with pytest.raises(ValueError, match="not the notation of an event: "):
        read_events((line,))


@pytest.mark.parametrize(
    "cell",
    [
        "logged",
        "at least one",
        "at least 3",
        "at least one of this or other",
        "== 0.9",
        "in {a, b}",
        'value != ""',
        "0.1 < value < 0.2",
        "integer(value / 0.02)",
        "integer(log2(value / 0.0001))",
        "length(value) == 2",
        'kind(value) == "bool"',
        "value",
        "not value",
        "present(meta.x)",
        "meta.x > 5",
        "meta.x in {a}",
        "present(value.a) and present(value.b)",
        "value.a < 0.3 and value.b > 7",
        "value[1] == 3",
        "value == 2 * logged(other)",
        "value mod logged(other) == 0",
        "present(logged(other))",
        "logged(other) < 10 and value > logged(other)",
        "close(value, 1e-06)",
        "value ^ 2 == 16",
        "minutes_since(first run_start) < 30",
        "state.run_started",
        "not state.run_started",
        "event.benchmark in {ssd, resnet}",
        "rest meta.x > previous(meta.x)",
        "first value == 7",
        "reaches value >= 0.759 and value < 1.0",
        "reaches value.a >= 0.3 and value.b >= 0.2",
        "end logged(seed) == ceil(100 / logged(other))",
        "abs(value - 0.125) < 1e-09",
    ],
)
def test_examples_are_found(cell: str, small_round: Round) -> None:
    """For a bound, a set, a relation or a state, events that satisfy and that break it are found."""
    ruleset = small_round(f"state: {{run_start: {{run_started: true}}}}\ncommon:\n  seed: {cell}\n")
    rules = ruleset.table(None, None).rules
    assert rules
    for rule in rules:
        example = find_example(ruleset, rule)
        assert example.passing != example.failing
        assert try_rule(ruleset, rule, read_events(example.passing)) == []
        assert try_rule(ruleset, rule, read_events(example.failing))


def test_names_are_their_own_example(small_round: Round) -> None:
    """A list of names is satisfied by all of them and broken by all but one."""
    ruleset = small_round(
        "closed: {seed: any number}\n",
        knitting="lists: {l: ['{a,b,c}']}\nboth:\n  seed: any number; each meta.x once in l\n",
    )
    (rule,) = (each for each in ruleset.table("closed", "knitting").rules if each.on == "once_each")
    example = find_example(ruleset, rule)
    assert example.passing == ('seed {"x": "a"}', 'seed {"x": "b"}', 'seed {"x": "c"}')
    assert example.failing == example.passing[:-1]


@pytest.mark.parametrize("cell", ["value == value", "false", "meta.x == 123456.789 and meta.x == 5"])
def test_rule_without_examples_says_what_to_do(cell: str, small_round: Round) -> None:
    """Where a rule always holds, or never, examples must be written."""
    ruleset = small_round(f"common:\n  seed: any number; {cell} or false\n")
    rule = ruleset.table(None, None).rules[1]
    with pytest.raises(RuleError, match="write examples under 'pass' and 'fail'") as caught:
        find_example(ruleset, rule)
    assert caught.value.rule == rule.id


def test_written_examples_are_taken(small_round: Round) -> None:
    """A record's own examples are shown, not searched for."""
    ruleset = small_round(
        "rules:\n  - {id: whole, key: seed, cell: integer(value), code: MLP304, summary: s, why: w,"
        " pass: [seed=7], fail: [seed=7.5, seed=8]}\n"
    )
    (rule,) = ruleset.table(None, None).rules
    assert find_example(ruleset, rule) == (("seed=7",), ("seed=7.5", "seed=8"))
