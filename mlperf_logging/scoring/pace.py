"""The pace of training: how fast a run that goes on gets through its data, by the log's own times.

Evaluations tell it best, since convergence is counted in what they log: from the first to the last of them, which
includes the time that they take themselves. Before there are two of them, the marks of epochs and blocks and the
statistics of the run tell it; before these, the only evaluation and the start of the run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mlperf_logging.events import MS_PER_MINUTE, minutes_between
from mlperf_logging.runs.evaluations import EVALUATION_KEYS, read_number
from mlperf_logging.runs.intervals import Progress, read_progress
from mlperf_logging.runs.progress import EPOCHS, SAMPLES, STEPS, Counting, to_float
from mlperf_logging.runs.run import STATS_KEY, Run

_EPOCH, _SAMPLE, _STEP = range(len(Progress._fields))
_FIELDS = {EPOCHS: (_EPOCH, _SAMPLE, _STEP), SAMPLES: (_SAMPLE, _EPOCH, _STEP), STEPS: (_STEP, _SAMPLE)}
"""For each unit the fields of `Progress` that tell it, the best first."""

THROUGHPUT = "throughput"
"""Name of the statistic that says how many samples all accelerators train on in a second."""


class Mark(NamedTuple):
    """A point in the log at which it is known how far training had come.

    Attributes:
        time_ms: when, in milliseconds since the epoch.
        amount: how far, in the unit asked for, as convergence is counted.
    """

    time_ms: float
    amount: float


class TrainingPace(NamedTuple):
    """How fast training goes.

    Attributes:
        per_minute: amount of training in a minute, in the unit asked for.
        last: the latest mark that it is measured by.
        source: the log key, or the statistic, that it is measured by.
    """

    per_minute: float
    last: Mark
    source: str

    def time_of(self, amount: float) -> float:
        """When training will have come so far, in milliseconds since the epoch."""
        return self.last.time_ms + (amount - self.last.amount) / self.per_minute * MS_PER_MINUTE


def measure_pace(run: Run, unit: str, counting: Counting) -> TrainingPace | None:
    """The pace of a run as far as it was logged; None where the log does not say.

    Args:
        run: the run, which may go on.
        unit: "epochs", "samples" or "steps": what convergence is counted in.
        counting: what the logged progress means.
    """
    start_ms = run.start_ms
    if start_ms is None:
        return None
    begin = Mark(start_ms, counting.begins if unit == EPOCHS else 0.0)
    found = list(_list_series(run, unit, counting, begin))
    found.sort(key=lambda each: (each[0] not in EVALUATION_KEYS, -len(each[1])))
    paces = [_measure(key, marks) for key, marks in found if len(marks) > 1]
    paces += [_measure(key, [begin, *marks]) for key, marks in found]
    return next((pace for pace in paces if pace is not None), None)


def read_amount(progress: Progress, unit: str, counting: Counting) -> float | None:
    """How far training had come, as convergence is counted in a unit; None where a progress does not say."""
    return next((amount for _, amount in _read_amounts(progress, unit, counting)), None)


def _read_amounts(progress: Progress, unit: str, counting: Counting) -> Iterator[tuple[int, float]]:
    """Field and amount for each field of a progress that tells one, the best first."""
    size, batch = counting.epoch_samples or math.nan, counting.batch_size or math.nan
    for field in _FIELDS[unit]:
        number = progress[field]
        if number is None:
            continue
        amount = to_float(number)
        if field == _EPOCH:
            is_epoch = counting.counts == EPOCHS or amount < counting.counts_from
            if unit == SAMPLES and is_epoch:
                amount = (amount - counting.begins) * size
            elif unit == EPOCHS and not is_epoch:
                amount = counting.begins + amount / size
        elif unit == EPOCHS:
            amount = counting.begins + amount * (batch if field == _STEP else 1) / size
        elif unit == SAMPLES and field == _STEP:
            amount *= batch
        elif unit == STEPS and field == _SAMPLE:
            amount /= batch
        if math.isfinite(amount):
            yield field, amount


def _list_series(run: Run, unit: str, counting: Counting, begin: Mark) -> Iterator[tuple[str, list[Mark]]]:
    """Key and marks of each series of events that tells ever larger amounts."""
    series: dict[tuple[str, int], list[Mark]] = {}
    for key, time_ms, logged in _list_places(run):
        progress, number = logged, logged.epoch_num
        if key not in EVALUATION_KEYS and unit == SAMPLES and number is not None:
            # Blocks may count samples where evaluations count epochs: a small number may be either.
            progress = logged._replace(epoch_num=None if number < counting.counts_from else number)
        if time_ms >= begin.time_ms:
            for field, amount in _read_amounts(progress, unit, counting):
                series.setdefault((key, field), []).append(Mark(time_ms, amount))
    for (key, _), marks in series.items():
        # The first epoch that starts may be number 1, and nothing is done.
        done = marks[0].amount - begin.amount if key.endswith("_start") and unit == EPOCHS else 0.0
        rising = list(_keep_rising([Mark(time_ms, amount - done) for time_ms, amount in marks]))
        if rising and rising[-1].amount > begin.amount:
            yield key, rising


def _list_places(run: Run) -> Iterator[tuple[str, float, Progress]]:
    for event in run.evaluation_events:
        yield event.key, event.time_ms, read_progress(event)
    for events in run.interval_events.values():
        for event in events:
            yield event.key, event.time_ms, read_progress(event)
    for stats in run.tracked_stats:  # what they call a step is an epoch in some logs
        yield STATS_KEY, stats.time_ms, stats.progress._replace(step_num=None)


def _keep_rising(marks: Iterable[Mark]) -> Iterator[Mark]:
    """The marks that tell more than all before them."""
    most = -math.inf
    for mark in marks:
        if mark.amount > most and not math.isnan(mark.time_ms):
            most = mark.amount
            yield mark


def _measure(key: str, marks: Sequence[Mark]) -> TrainingPace | None:
    first, last = marks[0], marks[-1]
    minutes = minutes_between(first.time_ms, last.time_ms)
    if minutes <= 0 or last.amount <= first.amount:
        return None
    return TrainingPace((last.amount - first.amount) / minutes, last, key)


def find_throughput(run: Run) -> float | None:
    """The throughput that was logged last, in samples per second; None where there is none."""
    for stats in reversed(run.tracked_stats):
        logged = read_number(stats.stats.get(THROUGHPUT))
        if logged is not None and 0 < logged < math.inf:
            return logged
    return None
