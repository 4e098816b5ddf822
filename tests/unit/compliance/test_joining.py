"""Joining the events that log one evaluation's metrics apart."""

from __future__ import annotations

from typing import Any

from mlperf_logging.compliance.joining import Joiner
from mlperf_logging.events import Event
from mlperf_logging.runs.kept_events import KEPT_EVENTS

JOIN = {"key": "both", "of": "part", "by": "step", "name": "metric"}


def part(value: Any, line: int = 1, time_ms: float = 0, **metadata: Any) -> Event:
    """An event to be joined."""
    return Event("part", value, metadata, time_ms, line, 1, b"raw")


def join(*events: Event) -> list[Event]:
    """The joined events."""
    joiner = Joiner(JOIN)
    for event in events:
        joiner.take(event)
    return joiner.events()


def test_metrics_of_one_step_make_one_event() -> None:
    """Events with the same step become one, whose value holds the step and each metric."""
    (event,) = join(part(90, step=5, metric="FID"), part(0.2, step=5, metric="CLIP"))
    assert (event.key, event.value, event.metadata) == ("both", {"step": 5, "FID": 90, "CLIP": 0.2}, {})


def test_steps_keep_their_order() -> None:
    """Joined events come in the order of their first parts, also where the parts are mixed."""
    events = join(
        part(1, step=2, metric="a"),
        part(2, step=1, metric="a"),
        part(3, step=2, metric="b"),
        part(4, step=1, metric="b"),
    )
    assert [event.value for event in events] == [{"step": 2, "a": 1, "b": 3}, {"step": 1, "a": 2, "b": 4}]


def test_joined_event_is_where_its_last_part_is() -> None:
    """A finding about the joined event points at the part that completed it, and its time is the latest."""
    (event,) = join(part(1, 3, 50.0, step=1, metric="a"), part(2, 7, 40.0, step=1, metric="b"))
    assert (event.line, event.time_ms) == (7, 50.0)


def test_metric_logged_again_counts_anew() -> None:
    """Of a metric that is logged twice for one step the later value holds."""
    (event,) = join(part(1, step=1, metric="a"), part(2, step=1, metric="a"))
    assert event.value == {"step": 1, "a": 2}


def test_event_without_a_metric_is_left_out() -> None:
    """An event that does not say which metric it is cannot be joined."""
    assert join(part(1, step=1), part(1, step=1, metric=None)) == []


def test_events_without_a_step_are_joined_without_it() -> None:
    """Where the step is missing, so it is in the joined value: a rule asks for it."""
    (event,) = join(part(1, metric="a"), part(2, metric="b"))
    assert event.value == {"a": 1, "b": 2}


def test_steps_of_any_kind_are_distinguished() -> None:
    """A step may be any value of a log, also one that cannot be hashed."""
    events = join(*[part(1, step=step, metric="a") for step in ([1], {"x": 1}, "1", 1, None)])
    assert [event.value["step"] for event in events] == [[1], {"x": 1}, "1", 1, None]


def test_joined_events_are_bounded() -> None:
    """Of more parts than are kept the first are joined, in one event or in many."""
    assert len(join(*[part(1, step=step, metric="a") for step in range(KEPT_EVENTS + 5)])) == KEPT_EVENTS
    (event,) = join(*[part(1, step=1, metric=str(metric)) for metric in range(KEPT_EVENTS + 5)])
    assert len(event.value) == KEPT_EVENTS + 1
