"""What findings say: one sentence with what was expected, what was found and, where it helps, what to do."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from mlperf_logging.compliance.findings import Finding
from mlperf_logging.compliance.messages import (
    EXCERPT_LENGTH,
    SHOWN_LENGTH,
    show_excerpt,
    show_value,
    suggest_name,
)

Judged = Callable[..., list[Finding]]

STATE = "state:\n  run_start: {run_started: true, epoch: meta.epoch_num}\n"


@pytest.mark.parametrize(
    ("cell", "events", "message"),
    [
        ("logged", [], "seed is required but not logged"),
        ("at least one of this or max_steps", [], "seed or max_steps is required but not logged"),
        ("at least 3", ["seed=1", "seed=1"], "seed must be logged at least 3 times but is logged twice"),
        (
            "logged",
            ["seed=1", "seed=1", "seed=1"],
            "seed must be logged once but is logged 3 times, each time as 1",
        ),
        (
            "logged",
            ['seed="a"', "seed=[1, null]"],
            'seed must be logged once but is logged twice, with different values: "a", [1, null]',
        ),
        ("== 0.9", ["seed=0.8"], "seed is 0.8, but `== 0.9` is required"),
        ("in {a, b}", ["seed=null"], "seed is null, but `in {a, b}` is required"),
        ("present(meta.x)", ["seed"], "seed: the metadata lacks 'x'"),
        ("present(value.x)", ['seed={"y": 1}'], "seed: value has no field 'x'"),
        ("present(logged(max_steps))", ["seed=1"], "seed: no max_steps is logged before it"),
        (
            "meta.x > 1 and value > 0",
            ['seed=3 {"x": 0}'],
            "seed must satisfy `meta.x > 1 and value > 0`; here meta.x is 0, value is 3",
        ),
        (
            "value == 2 * logged(max_steps)",
            ["max_steps=4", "seed=9"],
            "seed must satisfy `value == 2 * logged(max_steps)`; here value is 9, logged(max_steps) is 4",
        ),
        (
            "value.a < value.b",
            ['seed={"a": 2, "b": 1}'],
            "seed must satisfy `value.a < value.b`; here value.a is 2, value.b is 1",
        ),
        (
            "minutes_since(first run_start) < 1",
            ["run_start @0s", "seed @90s"],
            "seed must satisfy `minutes_since(first run_start) < 1`; "
            "here minutes_since(first run_start) is 1.50",
        ),
        (
            "state.run_started",
            ["seed=1"],
            "seed must satisfy `state.run_started`; here state.run_started is false",
        ),
        ("meta.x > 1", ["seed"], "seed cannot be judged by `meta.x > 1`: the metadata lacks 'x'"),
        (
            "value > 1",
            ['seed="2"'],
            "seed cannot be judged by `value > 1`: value is text: kinds that cannot be compared this way",
        ),
        (
            "value + 1 > 1",
            ['seed="2"'],
            "seed cannot be judged by `value + 1 > 1`: text where a number is needed",
        ),
        ("value.x > 1", ["seed=2"], "seed cannot be judged by `value.x > 1`: int has no field 'x'"),
        ("value.x > 1", ["seed={}"], "seed cannot be judged by `value.x > 1`: value has no field 'x'"),
        ("value[3] > 1", ["seed=[1]"], "seed cannot be judged by `value[3] > 1`: value[3] is missing"),
        ("1 / value > 1", ["seed=0"], "seed cannot be judged by `1 / value > 1`: a division by zero (0)"),
        (
            "value > logged(max_steps)",
            ["seed=1"],
            "seed cannot be judged by `value > logged(max_steps)`: no max_steps is logged before it",
        ),
        (
            "minutes_since(first run_start) < 1",
            ["seed=1"],
            "seed cannot be judged by `minutes_since(first run_start) < 1`: no run_start is logged before it",
        ),
        (
            "rest value > previous(meta.x)",
            ["seed=1", "seed=2"],
            "seed cannot be judged by `value > previous(meta.x)`: previous(meta.x) is missing",
        ),
        (
            "2 ^ value > 1",
            ["seed=1000"],
            "seed cannot be judged by `2 ^ value > 1`: the exponent 1000 is beyond 64",
        ),
    ],
)
def test_message(cell: str, events: list[str], message: str, judge_events: Judged) -> None:
    """Each kind of violation has its sentence, which shows what the formula looked at."""
    occurs = "" if cell.startswith(("logged", "at least")) else "any number; "
    found = judge_events(f"seed: {occurs}{cell}", *events, more=STATE)
    assert [finding.message for finding in found][-1:] == [message]


def test_summary_takes_the_place_of_the_formula(judge_events: Judged) -> None:
    """A record says in words what it wants; what the log contains is added."""
    record = (
        "rules:\n  - {id: whole, key: seed, cell: integer(value) and meta.x, code: MLP304, hint: Round it.,"
        " source: chapter 3, summary: the seed is whole., why: none, pass: [seed=1], fail: [seed=1.5]}\n"
    )
    (finding,) = judge_events("seed: any number", 'seed=1.5 {"x": 1}', more=record)
    assert finding.message == "the seed is whole; here value is 1.5, meta.x is 1"
    assert (finding.hint, finding.source) == ("Round it.", "chapter 3")


def test_every_finding_says_what_to_do(judge_events: Judged) -> None:
    """A finding without a hint of its own has that of its code."""
    cells = "seed: logged\nrun_start: logged\neval_accuracy: at least one; reaches value > 1"
    found = judge_events(cells, "eval_accuracy=0")
    assert len(found) == 3
    assert all(finding.hint.endswith(".") for finding in found)


def test_messages_of_long_values_stay_short(judge_events: Judged) -> None:
    """A value of a megabyte does not make a message of a megabyte."""
    (finding,) = judge_events("seed: any number; value == 1", f'seed="{"x" * 1_000_000}"')
    assert len(finding.message) < 200
    assert len(finding.excerpt) <= EXCERPT_LENGTH


def test_place_is_left_out_where_there_is_none(judge_events: Judged) -> None:
    """What is missing has no line, and no excerpt."""
    (finding,) = judge_events("seed: logged")
    assert (finding.line, finding.column, finding.excerpt, finding.found) == (
        None,
        None,
        "",
        "logged 0 times",
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        ("é\n", '"é\\n"'),
        ([1, 2.5], "[1, 2.5]"),
        ({"a": []}, '{"a": []}'),
        (math.nan, "NaN"),
        (1e-08, "1e-08"),
        ({1}, "{1}"),
        pytest.param(10**5000, "int too large to show", id="10**5000"),
    ],
)
def test_values_are_shown_as_json(value: Any, text: str) -> None:
    """A value is shown as a log would hold it; what is no JSON, as Python shows it."""
    assert show_value(value) == text


def test_deep_value_is_shown() -> None:
    """A value nested beyond the reach of an encoder is named, not crashed on."""
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    assert show_value(value) == "list too large to show"


def test_long_value_is_cropped() -> None:
    """A long value ends in an ellipsis."""
    shown = show_value("x" * 1_000)
    assert len(shown) == SHOWN_LENGTH
    assert shown.endswith("x…")
    assert show_value("x" * (SHOWN_LENGTH - 2)).endswith('x"')


def test_excerpt_is_text_of_bounded_length() -> None:
    """The excerpt of a record is readable whatever its bytes are."""
    assert len(show_excerpt(b":::MLLOG \xff\x00" + b"a" * 10_000 + b"\r\n")) == EXCERPT_LENGTH
    assert show_excerpt(b":::MLLOG \xff {}\r\n") == ":::MLLOG \ufffd {}"


@pytest.mark.parametrize(
    ("key", "candidates", "expected"),
    [
        ("opt_name", ["opt_nam"], "opt_nam"),
        ("opt_name", ["opt_nmae"], "opt_nmae"),
        ("opt_name", ["OPT_NAME"], "OPT_NAME"),
        ("opt_name", ["opt_names", "opt_nmaes"], "opt_names"),
        ("opt_name", ["optimizer"], None),
        ("opt_name", ["opt_name"], None),
        ("opt_name", [], None),
        ("seed", ["sed"], "sed"),
        ("seed", ["sd"], None),
        ("sgd", ["adam", "lars", "sgdw"], "sgdw"),
        ("global_batch_size", ["global_batchsize"], "global_batchsize"),
        ("global_batch_size", ["batch_size"], None),
        ("a.b+c(", ["a.b+c"], "a.b+c"),
        pytest.param("x" * 1_000_000, ["x"], None, id="a million letters"),
    ],
)
def test_suggestion_is_the_nearest_candidate(key: str, candidates: list[str], expected: str | None) -> None:
    """A name is suggested when few edits make it the one that is missing."""
    assert suggest_name(key, candidates) == expected
