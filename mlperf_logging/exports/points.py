"""The numbers of a run as points: which metric, at which step, when, what. Events in, points out.

The same reader takes the events of a log that was judged and those of a run that is still being logged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite, nan
from typing import Any, NamedTuple

from mlperf_logging.events import Event
from mlperf_logging.exports.names import clean_name, tell_apart
from mlperf_logging.runs.evaluations import EVALUATION_KEYS, read_evaluations
from mlperf_logging.runs.intervals import Progress, read_progress
from mlperf_logging.runs.kept_events import KEPT_EVENTS
from mlperf_logging.runs.progress import EPOCHS, measure_progress, read_counting, to_float
from mlperf_logging.runs.run import NO_SERIES_KEYS, STATS_KEY
from mlperf_logging.runs.series import NUMBERS, read_series

PARTS_OF_AN_EPOCH = 1_000
"""Steps in an epoch where a log counts in parts of epochs and does not say how many samples an epoch has."""

_COUNTING_KEYS = frozenset({"train_samples", "global_batch_size", "max_sequence_length"})
_LARGEST_STEP = 1 << 62
_LATEST_MS = 253_402_300_799_999
"""The end of the year 9999: beyond it, tools and calendars know no time."""


def clean_time(time_ms: float | None, otherwise: float) -> float:
    """A time in milliseconds since the epoch that every tool takes; another one where it is none, or not known."""
    return time_ms if time_ms is not None and 0 <= time_ms <= _LATEST_MS else otherwise


class Point(NamedTuple):
    """One number.

    Attributes:
        name: of the metric: the log key, or the name of a statistic; the metric's own name follows a slash.
        step: how far training had come, in the unit that the log counts in; else the number of the point, from 1.
        time_ms: when it was logged, in milliseconds since the epoch.
        value: the number.
    """

    name: str
    step: int
    time_ms: float
    value: float


class PointReader:
    """Takes in the events of one run in their order and gives their points.

    A number whose key is logged once is a parameter; only when it is logged again, at another point of training or with
    another value, it is a series, and the points held back until then come too.

    Args:
        facts: what the rules say about the benchmark's progress; see `read_counting`.
        hyperparameters: those that are known before the first event.
        is_fractional: whether the run counts in parts of epochs; otherwise the first such part tells.
        start_ms: the time of points whose records have none, unless one with a time comes before them.

    Attributes:
        is_fractional: whether the run counts in parts of epochs: steps are whole, so they are samples then.
        series_keys: log keys that have turned out to be series, so that they are no parameters.
    """

    def __init__(
        self,
        facts: Mapping[str, Any] | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
        *,
        is_fractional: bool = False,
        start_ms: float = 0.0,
    ) -> None:
        self.is_fractional = is_fractional
        self.series_keys: set[str] = set()
        self._facts = facts or {}
        self._known = {
            name: value for name, value in (hyperparameters or {}).items() if name in _COUNTING_KEYS
        }
        self._counting = read_counting(self._facts, self._known)
        self._held: dict[str, list[Event]] = {}
        self._names: dict[tuple[str, str | None], str] = {}
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}
        self._last_ms = start_ms

    def read(self, event: Event) -> list[Point]:
        """The points that an event gives; none for one that logs no number of a metric."""
        key = event.key
        if key in _COUNTING_KEYS and key not in self._known:
            self._known[key] = event.value
            self._counting = read_counting(self._facts, self._known)
        if key in EVALUATION_KEYS:
            return list(self._read_evaluation(event))
        if key == STATS_KEY:
            return list(self._read_series(event))
        if type(event.value) not in NUMBERS or key in NO_SERIES_KEYS:
            return []
        return [point for each in self._release(event) for point in self._read_series(each)]

    def _release(self, event: Event) -> list[Event]:
        """The event, with those held before it, once its key is a series; else it is held."""
        if event.key in self.series_keys:
            return [event]
        held = self._held.setdefault(event.key, [])
        held.append(event)
        first = held[0]
        is_same = event.value == first.value and read_progress(event) == read_progress(first)
        if is_same and len(held) < KEPT_EVENTS:
            return []
        self.series_keys.add(event.key)
        return self._held.pop(event.key)

    def _read_evaluation(self, event: Event) -> Iterator[Point]:
        for each in read_evaluations([event]):
            if each.value is not None:
                metric = None if each.metric == each.key else each.metric
                yield self._place(each.key, metric, each.value, each.progress, each.time_ms)

    def _read_series(self, event: Event) -> Iterator[Point]:
        for each in read_series([event]):
            yield self._place(each.key, each.metric, each.value, each.progress, each.time_ms)

    def _place(self, key: str, metric: str | None, value: float, progress: Progress, time_ms: float) -> Point:
        name = self._names.get((key, metric)) or self._give_name(key, metric)
        self._last_ms = clean_time(time_ms, self._last_ms)
        return Point(name, self._count_step(name, progress), self._last_ms, to_float(value))

    def _give_name(self, key: str, metric: str | None) -> str:
        if metric is None:
            wanted = key
        elif key in EVALUATION_KEYS:
            wanted = f"{key}/{metric}"
        else:
            wanted = (
                metric if clean_name(metric) not in {*self._taken, *EVALUATION_KEYS} else f"{key}/{metric}"
            )
        name = tell_apart(clean_name(wanted), self._taken)
        self._taken.add(name)
        self._names[key, metric] = name
        return name

    def _count_step(self, name: str, progress: Progress) -> int:
        number = self._counts[name] = self._counts.get(name, 0) + 1
        training = measure_progress(progress, self._counting)
        step = training.progress
        if training.unit == EPOCHS:
            self.is_fractional = self.is_fractional or (isfinite(step) and step != int(step))
            if self.is_fractional:
                step = training.samples if isfinite(training.samples) else step * PARTS_OF_AN_EPOCH
        return round(step) if -_LARGEST_STEP < (step if isfinite(step) else nan) < _LARGEST_STEP else number
