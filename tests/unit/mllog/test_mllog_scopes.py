"""Intervals, runs and the named events of a submission."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mlperf_logging import mllog
from mlperf_logging.events import Event
from mlperf_logging.mllog.testing import capture_events


def fields(event: Event) -> dict[str, Any]:
    """Metadata without the call site."""
    return {name: value for name, value in event.metadata.items() if name not in ("file", "lineno")}


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """What the shared logger logs during the test."""
    with capture_events() as captured:
        yield captured


@pytest.mark.parametrize("key", ["eval", "eval_start"])
def test_interval_logs_begin_and_end(events: list[Event], key: str) -> None:
    """The block sets the end's value; both events carry the metadata; either form of the key will do."""
    with mllog.interval(key, 7, {"epoch_num": 1}) as interval:
        assert len(events) == 1
        interval.value = 0.5
        interval.metadata["samples"] = 10
    begin, end = events
    assert (begin.key, begin.event_type, begin.value, fields(begin)) == (
        "eval_start",
        "INTERVAL_START",
        7,
        {"epoch_num": 1},
    )
    assert (end.key, end.event_type, end.value, fields(end)) == (
        "eval_stop",
        "INTERVAL_END",
        0.5,
        {"epoch_num": 1, "samples": 10},
    )


def test_interval_with_a_separate_stop_key(events: list[Event]) -> None:
    """The key of the end can be named."""
    with mllog.interval("staging_start", stop="staged", namespace="io"):
        pass
    assert [(event.key, event.namespace) for event in events] == [("staging_start", "io"), ("staged", "io")]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_interval_ends_on_exceptions_too(events: list[Event], error: type[BaseException]) -> None:
    """A block that is left by any exception ends with the status aborted, and the exception propagates."""
    with pytest.raises(error), mllog.interval("epoch"):
        raise error
    assert fields(events[-1]) == {"status": "aborted"}


def test_run_carries_values_and_ends_with_success(events: list[Event]) -> None:
    """Events of the run carry its fields; the others do not; the end says success."""
    with mllog.run(job="a") as run:
        run.event("x", metadata={"step": 1})
        with run.interval("eval"):
            pass
        mllog.event("y")
    assert [(event.key, fields(event)) for event in events] == [
        ("run_start", {"job": "a"}),
        ("x", {"job": "a", "step": 1}),
        ("eval_start", {"job": "a"}),
        ("eval_stop", {"job": "a"}),
        ("y", {}),
        ("run_stop", {"job": "a", "status": "success"}),
    ]


def test_run_that_gives_up_is_aborted(events: list[Event]) -> None:
    """A run can be given up without an exception."""
    with mllog.run() as run:
        run.abort()
    assert fields(events[-1]) == {"status": "aborted"}


def test_run_ends_on_exceptions_too(events: list[Event]) -> None:
    """An exception ends the run as aborted, once, and goes on."""
    run = mllog.run()
    run.status = "success"
    with pytest.raises(ZeroDivisionError), run:
        raise ZeroDivisionError
    assert [event.key for event in events] == ["run_start", "run_stop"]
    assert fields(events[-1]) == {"status": "aborted"}


def test_submission_logs_the_identity(events: list[Event]) -> None:
    """Each given fact is one event under its public key."""
    mllog.submission(
        benchmark="b", org="o", division="closed", platform="p", status="cloud", poc_name="n", poc_email=None
    )
    assert [(event.key, event.value) for event in events] == [
        ("submission_benchmark", "b"),
        ("submission_org", "o"),
        ("submission_division", "closed"),
        ("submission_platform", "p"),
        ("submission_status", "cloud"),
        ("submission_poc_name", "n"),
    ]


def test_seed_and_hyperparameters(events: list[Event]) -> None:
    """They log one event a value, with another logger too."""
    mllog.seed(17)
    mllog.hyperparameters({"opt_name": "adam", "global_batch_size": 32}, logger=mllog.bind(a=1))
    assert [(event.key, event.value, fields(event)) for event in events] == [
        ("seed", 17, {}),
        ("opt_name", "adam", {"a": 1}),
        ("global_batch_size", 32, {"a": 1}),
    ]


def test_bound_logger_can_run(events: list[Event]) -> None:
    """A bound logger's runs carry its values."""
    with mllog.bind("w", a=1).run(b=2) as run:
        run.event("x")
    assert [(event.namespace, event.metadata["a"], event.metadata["b"]) for event in events] == [
        ("w", 1, 2)
    ] * 3
