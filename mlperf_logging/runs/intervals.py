"""Intervals of a run: pairs of ``…_start`` and ``…_stop`` events, and how far training had come at each."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from mlperf_logging.events import Event, minutes_between

INTERVALS = ("init", "staging", "epoch", "block", "eval")
"""What is logged as an interval, apart from the run itself."""


class Progress(NamedTuple):
    """How far training had come when an event was logged; None where the log does not say.

    Attributes:
        epoch_num: number of the epoch; fractional in some logs.
        samples_count: samples seen.
        step_num: number of the step.
    """

    epoch_num: float | None = None
    samples_count: float | None = None
    step_num: float | None = None


class Interval(NamedTuple):
    """A part of the run's time.

    Attributes:
        name: "epoch", "block", "eval", "init" or "staging".
        start_ms: when it began, in milliseconds since the epoch.
        stop_ms: when it ended; None where that was not logged.
        start: progress logged with the start.
        stop: progress logged with the stop.
    """

    name: str
    start_ms: float
    stop_ms: float | None
    start: Progress
    stop: Progress

    @property
    def minutes(self) -> float | None:
        """How long it took, in minutes; None where its end was not logged."""
        return None if self.stop_ms is None else minutes_between(self.start_ms, self.stop_ms)


PROGRESS_NAMES = frozenset(
    {
        *("epoch_num", "first_epoch_num", "epoch"),
        *("samples_count", "train_samples"),
        *("step_num", "step", "curr_global_step"),
    }
)
"""Fields of metadata that say how far training had come, see `read_progress`."""

_STARTS = frozenset({f"{name}_start" for name in INTERVALS})
_NOWHERE = Progress()
_LARGEST = int(sys.float_info.max)


def read_progress(event: Event) -> Progress:
    """How far training had come, by an event's metadata; in the oldest dialect by its value."""
    fields: Any = event.metadata
    if event.benchmark is not None:
        fields = event.value if isinstance(event.value, dict) else {"epoch": event.value}
    get = fields.get
    epoch = get("epoch_num")
    if epoch is None:
        epoch = get("first_epoch_num", get("epoch"))
    samples = get("samples_count")
    if samples is None:
        samples = get("train_samples")
    step = get("step_num")
    if step is None:
        step = get("step", get("curr_global_step"))
    return Progress(
        epoch if epoch is None else _read_count(epoch),
        samples if samples is None else _read_count(samples),
        step if step is None else _read_count(step),
    )


def _read_count(value: Any) -> float | None:
    """A number, not a bool, that fits a float; None for any other value."""
    is_number = type(value) is float or (type(value) is int and -_LARGEST <= value <= _LARGEST)
    return value if is_number else None


def pair_intervals(name: str, events: Sequence[Event]) -> tuple[Interval, ...]:
    """The intervals that starts and stops make, in the order of their starts.

    A stop ends the latest open start of the same progress, else the latest open one. A start that repeats an
    open one (each of many processes may log it) begins nothing new. A start that nothing ends is kept open.
    Identical records (several writers print every one) count once.
    """
    once = {event.raw.rstrip(): event for event in reversed(events)}
    found: list[Interval] = []
    opened: dict[Progress, int] = {}
    for event in reversed(once.values()):
        progress = read_progress(event)
        if event[0] in _STARTS:
            if progress not in opened:
                opened[progress] = len(found)
                found.append(Interval(name, event.time_ms, None, progress, _NOWHERE))
        elif opened:
            begun_at = progress if progress in opened else next(reversed(opened))
            index = opened.pop(begun_at)
            begun = found[index]
            found[index] = Interval(name, begun.start_ms, event.time_ms, begun.start, progress)
    return tuple(found)
