"""How far training had come, in epochs, samples and the unit that the log counts in.

Logs count in ``samples_count``, ``epoch_num`` or ``step_num``; in some benchmarks ``epoch_num`` holds samples or
tokens, and ``train_samples`` is not always the size of the training set. The rule files say what holds for a
benchmark (``progress``); where they say nothing, the log is believed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from mlperf_logging.runs.intervals import Progress

EPOCHS, SAMPLES, TOKENS, STEPS = "epochs", "samples", "tokens", "steps"


class Counting(NamedTuple):
    """What a log's progress means.

    Attributes:
        counts: what ``epoch_num`` counts: "epochs", "samples" or "tokens".
        counts_from: numbers below this are epochs in any case.
        begins: ``epoch_num`` before any training.
        epoch_samples: samples in an epoch; None if it is unknown.
        batch_size: samples in a step; None where it was not logged.
        sequence_length: tokens in a sample; None where it was not logged.
    """

    counts: str = EPOCHS
    counts_from: float = 0
    begins: float = 0
    epoch_samples: float | None = None
    batch_size: float | None = None
    sequence_length: float | None = None


class TrainingProgress(NamedTuple):
    """How far training had come. What is unknown is NaN.

    Attributes:
        progress: in the unit that the log counts in.
        unit: "epochs", "samples", "tokens" or "steps"; "" where nothing is logged.
        epochs: passes over the training set.
        samples: samples trained on.
    """

    progress: float
    unit: str
    epochs: float
    samples: float


NOWHERE = TrainingProgress(math.nan, "", math.nan, math.nan)


def read_counting(facts: Mapping[str, Any], hyperparameters: Mapping[str, Any]) -> Counting:
    """What progress means in one run, by the benchmark's ``progress`` in the rule files and what was logged."""
    counts = str(facts.get("counts", EPOCHS))
    size = facts.get("epoch_samples")
    if size is None and counts == EPOCHS:
        size = _read_positive(hyperparameters.get("train_samples"))
    return Counting(
        counts,
        float(facts.get("from", 0)),
        float(facts.get("begins", 0)),
        size,
        _read_positive(hyperparameters.get("global_batch_size")),
        _read_positive(hyperparameters.get("max_sequence_length")),
    )


def measure_progress(progress: Progress, counting: Counting) -> TrainingProgress:
    """How far training had come when something was logged, by what the logged numbers mean."""
    if progress.samples_count is not None:
        samples = to_float(progress.samples_count)
        counted_twice = progress.epoch_num == progress.samples_count
        if counting.counts == EPOCHS and progress.epoch_num is not None and not counted_twice:
            return TrainingProgress(samples, SAMPLES, to_float(progress.epoch_num) - counting.begins, samples)
        return TrainingProgress(samples, SAMPLES, _divide(samples, counting.epoch_samples), samples)
    number, steps = progress.epoch_num, progress.step_num
    if number is not None and (number >= counting.counts_from or steps is None):
        return _measure_epoch(to_float(number), counting)
    if steps is not None:
        samples = to_float(steps) * (counting.batch_size or math.nan)
        return TrainingProgress(to_float(steps), STEPS, _divide(samples, counting.epoch_samples), samples)
    return NOWHERE


def _measure_epoch(number: float, counting: Counting) -> TrainingProgress:
    size = counting.epoch_samples
    if counting.counts == EPOCHS or number < counting.counts_from:
        epochs = number - counting.begins
        return TrainingProgress(number, EPOCHS, epochs, epochs * (size or math.nan))
    samples = number if counting.counts == SAMPLES else _divide(number, counting.sequence_length)
    return TrainingProgress(number, counting.counts, _divide(samples, size), samples)


def to_float(number: float) -> float:
    """A number as a float; infinite where it is a whole number too large for one, which logs may hold."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _divide(number: float, by: float | None) -> float:
    return number / by if by else math.nan


def _read_positive(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return to_float(value) if 1 < value < math.inf else None
