"""Values that lie about their type and variables that make no sense: a line of JSON, never an exception."""

from __future__ import annotations

import decimal
import enum
import json
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from mlperf_logging.mllog.encoder import encode_value


def make_liar(claimed: type, **members: object) -> object:
    """An object that says it is of another type."""
    return type("Liar", (), {"__class__": property(lambda self: claimed), **members})()


class LyingFloat(float):
    """A float whose arithmetic and text are wrong."""

    def __sub__(self, other: float) -> float:
        return 0.0

    def __repr__(self) -> str:
        return "not a number, not JSON"


class LyingInt(int):
    """An int whose text is wrong."""

    def __repr__(self) -> str:
        return "}"

    __str__ = __repr__


class LyingText(str):
    """A text whose characters are wrong."""

    def __str__(self) -> str:
        return '"'

    def __iter__(self) -> Any:
        raise RuntimeError


class LyingDict(dict[str, object]):
    """A dictionary whose items are none."""

    def items(self) -> Any:
        return [1, 2]

    def keys(self) -> Any:
        raise RuntimeError


class Nameless(type):
    """A metaclass that names its classes by something that is not text."""

    @property
    def __name__(cls) -> Any:
        raise RuntimeError


class WithoutName(metaclass=Nameless):
    """A class of that metaclass."""

    def __repr__(self) -> str:
        raise RuntimeError


FalseDecimal = type("Decimal", (), {"__module__": "decimal", "__str__": lambda self: "}{"})


class Truthless:
    """An object that is neither true nor false, as arrays are."""

    def __bool__(self) -> bool:
        raise ValueError("the truth value of an array is ambiguous")


class HashRaises:
    """An object that cannot be looked up."""

    def __hash__(self) -> int:
        raise TypeError("unhashable")


VALUES: list[object] = [
    *(
        mock.Mock(spec=kind)
        for kind in (int, float, str, bool, dict, list, bytes, decimal.Decimal, enum.Enum)
    ),
    *(mock.MagicMock(spec=kind) for kind in (int, float, str, dict, list, set)),
    *(make_liar(kind) for kind in (int, float, str, bool, dict, list, tuple, type, set, bytes, type(None))),
    make_liar(float, __float__=lambda self: float("nan")),
    LyingFloat("nan"),
    LyingFloat("inf"),
    LyingInt(7),
    LyingText("text"),
    LyingDict(a=1),
    WithoutName(),
    FalseDecimal(),
    Truthless(),
    HashRaises(),
    decimal.Decimal("1E+400"),
    10**5000,
    float("nan"),
    mock.Mock,
    [LyingFloat("nan"), {"a": mock.Mock(spec=int)}],
    {LyingText("name"): LyingInt(3), LyingInt(4): None},
]


def load_strictly(text: str) -> Any:
    """Read JSON, without what only Python calls JSON."""
    return json.loads(text, parse_constant=pytest.fail)


@pytest.mark.parametrize("number", range(len(VALUES)))
def test_a_value_that_lies_is_a_line_of_json_wherever_it_stands(recorder: Any, number: int) -> None:
    """As value, in metadata, as metadata, key, namespace, time and stack offset: an event, and no exception."""
    value: Any = VALUES[number]
    assert load_strictly(encode_value([value])[0])
    for _ in range(2):  # what is learned the first time is used the second time
        recorder.logger.event("key", value)
        recorder.logger.event("key", metadata={"a": value, "b": 1})
        recorder.logger.event("key", metadata=value)
        recorder.logger.event(value, 1)
        recorder.logger.event("key", namespace=value)
        recorder.logger.event("key", time_ms=value)
        recorder.logger.event("key", stack_offset=value)
        recorder.logger.bind(a=value).event("key", metadata=value)
    lines = [line for line in recorder.sink.lines if line.startswith(":::MLLOG ")]
    for line in lines:
        assert set(load_strictly(line[9:])["metadata"]) >= {"file", "lineno"}
    assert len([event for event in recorder.sink.events if event.key != "mllog_warning"]) == 16


def test_texts_and_numbers_of_lying_classes_are_what_they_hold() -> None:
    """Subclasses of JSON's own types are written as the value inside, not as what their methods say."""
    values = [LyingText("text"), LyingInt(7), LyingFloat(0.5), {LyingText("name"): True}]
    assert encode_value(values) == ('["text", 7, 0.5, {"name": true}]', None)
    assert encode_value([LyingFloat("nan"), LyingFloat("-inf")]) == ('["NaN", -1e999]', None)


def test_an_exception_of_a_signal_handler_is_not_swallowed(
    recorder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is raised while an event is formatted, and not by the event, propagates to the script."""

    def interrupt(text: object) -> str:
        raise ValueError("time is over")

    monkeypatch.setattr("mlperf_logging.mllog.formatter.encode_text", interrupt)
    with pytest.raises(ValueError, match="time is over"):
        recorder.logger.event("key", "text")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MLLOG_RANKS", "9" * 5000),
        ("MLLOG_RANKS", "0-" + "9" * 5000),
        ("MLLOG_RANKS", "first"),
        ("MLLOG_RANK", "first"),
        ("MLLOG_RANK", "-1"),
        ("RANK", "1.5"),
        ("SLURM_PROCID", "9" * 5000),
        ("TF_CONFIG", "[" * 100_000),
        ("TF_CONFIG", '{"task": {"type": "worker", "index": 1e999}}'),
        ("TF_CONFIG", '{"task": {"type": "worker", "index": ' + "9" * 5000 + "}}"),
        ("MLLOG_BUFFER_SECONDS", "nan"),
        ("MLLOG_BUFFER_SECONDS", "inf"),
        ("MLLOG_BUFFER_SECONDS", "-1"),
        ("MLLOG_BUFFER_SECONDS", "soon"),
        ("MLLOG_STDOUT", "maybe"),
        ("MLLOG_CHECK", "training/no-such-round\x1b[31m"),
        ("MLLOG_ON_VIOLATION", "panic"),
    ],
)
def test_a_variable_that_makes_no_sense_is_reported_once(
    run_script: Callable[..., Any], name: str, text: str
) -> None:
    """One short notice names the variable; the script runs and logs as if it were not set."""
    env = {"MLLOG_FILE": "log_{rank}.txt", "MLLOG_RANKS": "0", name: text}
    done = run_script(
        "from mlperf_logging import mllog\nfor n in range(3): mllog.event('key', n)\n"
        "print(open('log_0.txt').read())\n",
        env=env,
    )
    assert (done.returncode, done.stdout.count(":::MLLOG")) == (0, 6)
    (notice,) = done.stderr.splitlines()
    assert notice.startswith(f"mllog: {name}=")
    assert len(notice) < 400
    assert notice.isprintable()


def test_many_ranks_are_chosen_at_once(run_script: Callable[..., Any]) -> None:
    """A choice of a million million ranks is a choice like any other."""
    done = run_script(
        "from mlperf_logging import mllog\nmllog.event('key')\n",
        env={"MLLOG_RANKS": "5-999999999999", "RANK": "123456789012"},
    )
    assert (done.returncode, done.stderr, done.stdout.count(":::MLLOG")) == (0, "", 1)


@pytest.mark.usefixtures("shared_logger")
@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1.0, "1", 1e300])
def test_a_buffer_that_makes_no_sense_is_refused(seconds: Any) -> None:
    """What a script says to config itself is an error with the range."""
    from mlperf_logging import mllog

    with pytest.raises(ValueError, match="buffer_seconds must be a number"):
        mllog.config(filename="/dev/null", buffer_seconds=seconds)
