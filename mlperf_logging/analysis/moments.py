"""When training had come as far as an evaluation tells of.

Mostly that is when the evaluation's record was written. Some benchmarks evaluate saved models after the run: then it
is the end of the block or epoch that brought training so far.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mlperf_logging.analysis.progress import Counting, Reach, measure_progress
from mlperf_logging.analysis.targets import identify
from mlperf_logging.runs import Evaluation, Interval, Progress, Run

GRACE_MS = 1_000
"""Records this short after run_stop still belong to the run: clocks and writers are not that exact."""

_TRAINING = ("block", "epoch")


class Moment(NamedTuple):
    """A point in a run at which quality was measured.

    Attributes:
        time_ms: when training had come so far, in milliseconds since the epoch; NaN where the record was written
            after the run and nothing in the log says when training was there.
        reach: how far that was.
        order: number of the evaluation in its run, from 0.
    """

    time_ms: float
    reach: Reach
    order: int

    @property
    def place(self) -> tuple[bool, float, int]:
        """Orders moments: by time, those of no known time last and in the order of the log."""
        is_late = math.isnan(self.time_ms)
        return is_late, 0.0 if is_late else self.time_ms, self.order


def list_moments(run: Run, join: Mapping[str, str] | None, counting: Counting) -> dict[Any, Moment]:
    """The points at which a run's quality was measured, by the identity of the evaluations (see `identify`).

    Args:
        run: the run.
        join: how the benchmark's events are joined, or None; joined events share a moment.
        counting: what progress means.
    """
    late = [each for each in run.evaluations if _is_late(each, run)]
    ends = _list_ends(run) if late else {}
    # Where only some are found, training and evaluation do not count alike, and those found are found by accident.
    if not all(_simplify(each.progress) in ends for each in late):
        ends = {}
    parts: dict[Any, list[tuple[Evaluation, float]]] = {}
    for each in run.evaluations:
        time_ms = ends.get(_simplify(each.progress), math.nan) if _is_late(each, run) else each.time_ms
        parts.setdefault(identify(each.event, join), []).append((each, time_ms))
    return {
        name: Moment(
            max([time_ms for _, time_ms in members]),
            measure_progress(members[0][0].progress, counting),
            order,
        )
        for order, (name, members) in enumerate(parts.items())
    }


def _is_late(evaluation: Evaluation, run: Run) -> bool:
    return run.stop_ms is not None and evaluation.time_ms > run.stop_ms + GRACE_MS


def _list_ends(run: Run) -> dict[Progress, float]:
    """Progress to the end of the training interval that brought it."""
    ends: dict[Progress, float] = {}
    for name in _TRAINING:
        for each in run.intervals[name]:
            if each.stop_ms is not None:
                for progress in _list_progress(each):
                    ends.setdefault(_simplify(progress), each.stop_ms)
    return ends


def _list_progress(interval: Interval) -> Iterable[Progress]:
    yield interval.stop
    if interval.name == "epoch":  # a block's start says where it began
        yield interval.start


def _simplify(progress: Progress) -> Progress:
    """Samples where they are logged, else epochs, else steps: writers differ in what they add."""
    if progress.samples_count is not None:
        return Progress(samples_count=progress.samples_count)
    if progress.epoch_num is not None:
        return Progress(epoch_num=progress.epoch_num)
    return progress
