"""Intervals of a run: pairs of ``…_start`` and ``…_stop`` events, and how far training had come at each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import merge
from typing import Any, NamedTuple

from mlperf_logging.events import Event

INTERVALS = ("init", "staging", "epoch", "block", "eval")
"""What is logged as an interval, beside the run itself."""


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
        return None if self.stop_ms is None else (self.stop_ms - self.start_ms) / 60_000


_FIELDS = (
    ("epoch_num", "first_epoch_num", "epoch"),
    ("samples_count", "train_samples"),
    ("step_num", "step", "curr_global_step"),
)


def read_progress(event: Event) -> Progress:
    """How far training had come, by an event's metadata; in the oldest dialect by its value.

    Args:
        event: any event.
    """
    fields = event[2]
    if event.benchmark is not None:
        value = event.value
        fields = value if isinstance(value, dict) else {"epoch_num": value}
    return Progress(*[_first_number(fields, names) for names in _FIELDS])


def pair_intervals(name: str, starts: Sequence[Event], stops: Sequence[Event]) -> tuple[Interval, ...]:
    """The intervals that starts and stops make, in the order of their starts.

    A stop ends the latest open start of the same progress, else the latest open one. A start that repeats an
    open one (each of many processes may log it) begins nothing new. A start that nothing ends is kept open.

    Args:
        name: what the intervals are.
        starts: the start events, in the order of the log.
        stops: the stop events, in the order of the log.
    """
    found: list[Interval] = []
    opened: list[int] = []
    for _, _, event, begins in merge(_mark(starts, 1), _mark(stops, 0)):
        progress = read_progress(event)
        if begins:
            if not any(found[index].start == progress for index in opened):
                opened.append(len(found))
                found.append(Interval(name, event.time_ms, None, progress, Progress()))
        elif opened:
            same = [index for index in opened if found[index].start == progress]
            index = (same or opened)[-1]
            opened.remove(index)
            found[index] = found[index]._replace(stop_ms=event.time_ms, stop=progress)
    return tuple(found)


def _mark(events: Iterable[Event], begins: int) -> Iterable[tuple[int, int, Event, int]]:
    return ((event.line, event.column, event, begins) for event in events)


def _first_number(fields: Any, names: tuple[str, ...]) -> float | None:
    for name in names:
        value = fields.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value
    return None
