"""Series: numbers that a log repeats in the course of the run, such as losses, learning rates and throughput."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from mlperf_logging.events import Event
from mlperf_logging.runs.evaluations import read_number, spread_metrics
from mlperf_logging.runs.intervals import Progress, read_progress
from mlperf_logging.runs.kept_events import KEPT_EVENTS

NUMBERS = frozenset({int, float})
"""Types of logged numbers; that of true and false is none of them."""


class SeriesPoint(NamedTuple):
    """One number of a series.

    Attributes:
        key: the log key ("tracked_stats", "train_loss", …).
        metric: name of the number: that of the statistic within ``tracked_stats``, else the key.
        value: the number.
        progress: how far training had come.
        time_ms: when it was logged, in milliseconds since the epoch.
        line: number of its record's line in the log, counted from 1.
    """

    key: str
    metric: str
    value: float
    progress: Progress
    time_ms: float
    line: int


def find_repeated(events: Sequence[Event]) -> list[Event]:
    """Those numbers whose key is logged again at another point of training, or with another value.

    A parameter that each of several processes logs is none.
    """
    seen: dict[str, set[tuple[Progress, float]]] = {}
    progress = [read_progress(event) for event in events]
    for event, place in zip(events, progress, strict=True):
        seen.setdefault(event.key, set()).add((place, event.value))
    return [event for event in events if len(seen[event.key]) > 1]


def read_series(events: Iterable[Event]) -> Iterator[SeriesPoint]:
    """The numbers of some events, in their order: of an object each under its name; identical records count once."""
    once = {event.raw.rstrip(): event for event in events}
    return islice(_read_points(once.values()), KEPT_EVENTS)


def _read_points(events: Iterable[Event]) -> Iterator[SeriesPoint]:
    for event in events:
        progress = read_progress(event)
        for name, part in spread_metrics(event.value, event.key):
            value = read_number(part)
            if value is not None:
                yield SeriesPoint(event.key, name or event.key, value, progress, event.time_ms, event.line)
