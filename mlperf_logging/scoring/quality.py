"""Time to quality: when, and after how much training, a run reached its target. Scores and analyses mean this one.

A run reached its quality when, for each target, some evaluation had met it: at the first evaluation that meets a
target, and where there are several targets, at the last of these. It counts when training had come as far as that
evaluation tells of. Mostly that is when the evaluation's record was written. Some benchmarks evaluate saved models
after the run: then it is the end of the block or epoch that brought training so far. Where the metrics of one
evaluation are logged apart and joined, models may be evaluated in any order, and the first is the least trained.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import NamedTuple

from mlperf_logging.compliance.joining import identify_evaluation
from mlperf_logging.compliance.judged_run import JudgedRun
from mlperf_logging.runs.evaluations import Evaluation
from mlperf_logging.runs.intervals import Interval, Progress
from mlperf_logging.runs.progress import TrainingProgress, measure_progress, read_counting
from mlperf_logging.runs.run import Run

GRACE_MS = 1_000
"""Records this short after run_stop still belong to the run: clocks and writers are not that exact."""

_TRAINING = ("block", "epoch")


class QualityPoint(NamedTuple):
    """A point in a run at which quality was measured.

    Attributes:
        time_ms: when training had reached that point, in milliseconds since the epoch; NaN where the record was written
            after the run and nothing in the log says when training was there.
        logged: how far that was, as logged.
        training: how far that was, in the benchmark's units.
        is_joined: whether several metrics, logged apart, make the evaluation.
        order: number of the evaluation in its run, from 0.
    """

    time_ms: float
    logged: Progress
    training: TrainingProgress
    is_joined: bool
    order: int

    @property
    def place(self) -> tuple[float, bool, float, int]:
        """Orders points: joined ones by training; then by time, those of no known time last and as logged."""
        is_late = math.isnan(self.time_ms)
        training = self.training.progress if self.is_joined else 0.0
        return (
            math.inf if math.isnan(training) else training,
            is_late,
            0.0 if is_late else self.time_ms,
            self.order,
        )


def list_quality_points(judged: JudgedRun) -> dict[bytes | str, QualityPoint]:
    """The points at which a run's quality was measured, by evaluation (see `identify_evaluation`)."""
    run, join, evaluations = judged.run, judged.join, judged.run.evaluations
    counting = read_counting(judged.facts.get("progress", {}), run.hyperparameters)
    late = [each for each in evaluations if _is_late(each, run)]
    ends = _list_ends(run) if late else {}
    # Where only some are found, training and evaluation do not count alike, and those found are found by accident.
    if not all(_simplify(each.progress) in ends for each in late):
        ends = {}
    parts: dict[bytes | str, list[tuple[Evaluation, float]]] = {}
    for each in evaluations:
        time_ms = ends.get(_simplify(each.progress), math.nan) if _is_late(each, run) else each.time_ms
        parts.setdefault(identify_evaluation(each.event, join), []).append((each, time_ms))
    return {
        name: QualityPoint(
            max([time_ms for _, time_ms in members]),
            members[0][0].progress,
            measure_progress(members[0][0].progress, counting),
            join is not None and members[0][0].key == join["of"],
            order,
        )
        for order, (name, members) in enumerate(parts.items())
    }


def find_meeting(judged: JudgedRun) -> tuple[frozenset[bytes | str], ...]:
    """For each target, which evaluations met it (see `identify_evaluation`)."""
    join = judged.join
    return tuple(
        [frozenset([identify_evaluation(event, join) for event in target.met]) for target in judged.targets]
    )


def find_quality(judged: JudgedRun, points: Mapping[bytes | str, QualityPoint]) -> QualityPoint | None:
    """The point of `list_quality_points` at which a run had reached its quality; None without one, or without target."""
    # Where the round joins by a field that this log does not have, what was joined is not a single evaluation.
    meeting = [found & points.keys() for found in find_meeting(judged)]
    if not meeting or not all(meeting):
        return None
    place = attrgetter("place")
    return max([min([points[name] for name in found], key=place) for found in meeting], key=place)


def _is_late(evaluation: Evaluation, run: Run) -> bool:
    return run.stop_ms is not None and evaluation.time_ms > run.stop_ms + GRACE_MS


def _list_ends(run: Run) -> dict[Progress, float]:
    """Progress to the end of the training interval that brought it."""
    ends: dict[Progress, float] = {}
    intervals = run.intervals
    for name in _TRAINING:
        for each in intervals[name]:
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
