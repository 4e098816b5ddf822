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
        epoch_samples: samples in an epoch; None where it cannot be told.
        batch_size: samples in a step; None where it was not logged.
    """

    counts: str = EPOCHS
    counts_from: float = 0
    epoch_samples: float | None = None
    batch_size: float | None = None


class Reach(NamedTuple):
    """How far training had come. What cannot be told is NaN.

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


NOWHERE = Reach(math.nan, "", math.nan, math.nan)


def read_counting(
    facts: Mapping[str, Any], train_samples: Any = None, batch_size: float | None = None
) -> Counting:
    """What progress means in one run.

    Args:
        facts: the benchmark's ``progress`` in the rule files; empty where they say nothing.
        train_samples: as logged; believed where epochs are counted and the rule files do not say better.
        batch_size: the logged global batch size.
    """
    counts = str(facts.get("counts", EPOCHS))
    size = facts.get("epoch_samples")
    if size is None and counts == EPOCHS and isinstance(train_samples, (int, float)) and train_samples > 1:
        size = train_samples
    return Counting(counts, float(facts.get("from", 0)), size, batch_size)


def measure_progress(progress: Progress, counting: Counting) -> Reach:
    """How far training had come when something was logged.

    Args:
        progress: as logged.
        counting: what it means.
    """
    size = counting.epoch_samples
    if progress.samples_count is not None:
        samples = float(progress.samples_count)
        counted_twice = progress.epoch_num == progress.samples_count
        if counting.counts == EPOCHS and progress.epoch_num is not None and not counted_twice:
            return Reach(samples, SAMPLES, float(progress.epoch_num), samples)
        return Reach(samples, SAMPLES, samples / size if size else math.nan, samples)
    if progress.epoch_num is not None:
        number = float(progress.epoch_num)
        if counting.counts == EPOCHS or number < counting.counts_from:
            return Reach(number, EPOCHS, number, number * size if size else math.nan)
        if counting.counts == TOKENS:
            return Reach(number, TOKENS, math.nan, math.nan)
        return Reach(number, SAMPLES, number / size if size else math.nan, number)
    if progress.step_num is not None:
        steps = float(progress.step_num)
        samples = steps * counting.batch_size if counting.batch_size else math.nan
        return Reach(steps, STEPS, samples / size if size else math.nan, samples)
    return NOWHERE
