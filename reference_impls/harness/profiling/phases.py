"""How long the phases of an epoch take."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from reference_impls.harness.errors import TrainerError
from reference_impls.harness.run.loop import Loop
from reference_impls.harness.run.runtime import Batch, Collected, Runtime, Share, Step
from reference_impls.harness.run.stages import STAGES

_REPEATS = 3
"""Each stage of a step is timed so often on each batch; the shortest time counts."""


class Epoch(NamedTuple):
    """The beginning of an epoch of training, as the loop does it.

    Attributes:
        data: its batches.
        made_seconds: until the batches are described; of a workload with self-play, the games.
        first_seconds: from then on until the first batch is there.
        wait_seconds: that the loop waits for each batch after the first, on average, while it trains on the one before.
        batches: those that were trained on after the first.
    """

    data: tf.data.Dataset
    made_seconds: float
    first_seconds: float
    wait_seconds: float
    batches: Sequence[Batch]


def begin_epoch(loop: Loop, epoch: int, steps: int) -> Epoch:
    """Begin an epoch: make its batches, and train on some of them.

    Args:
        loop: a loop on one device, built, its workload's data loaded.
        epoch: which.
        steps: steps after the first.

    Raises:
        TrainerError: the epoch has no second batch.
    """
    started = time.perf_counter()
    data = loop.workload.train_data(epoch, loop.share)
    made = time.perf_counter()
    run = loop.runtime.compile("train", loop.train_step, data)
    iterator = iter(data)
    batches, waits = [], []
    for _ in range(1 + steps):
        before = time.perf_counter()
        batch = next(iterator, None)
        if batch is None:
            break
        waits.append(time.perf_counter() - before)
        batches.append(batch)
        finish(run(iter([batch])))
    if len(batches) < 2:
        raise TrainerError("a profile needs epochs of two batches or more; set a smaller global_batch_size")
    first, *others = waits
    return Epoch(data, made - started, first, sum(others) / len(others), batches[1:])


def measure_stages(loop: Loop, epoch: Epoch) -> dict[str, float]:
    """The seconds of a step's stages, on average over the batches of an epoch.

    Three functions are timed on each batch: the forward pass; that and the gradients with their norm; the whole step. The
    differences are the stages, so that their sum is the time of the step; a difference below zero, which is noise,
    counts as none. The functions take turns, and of several repetitions the shortest counts.

    Args:
        loop: as for `begin_epoch`.
        epoch: its batches are trained on again.
    """
    functions = {
        stage: loop.runtime.compile(f"train until {stage}", end_after(loop, stage), epoch.data)
        for stage in STAGES[:-1]
    }
    functions[STAGES[-1]] = loop.runtime.compile("train", loop.train_step, epoch.data)
    for function in functions.values():
        finish(function(iter(epoch.batches[:1])))  # compiles
    sums = dict.fromkeys(STAGES, 0.0)
    for batch in epoch.batches:
        shortest = dict.fromkeys(STAGES, math.inf)
        for _ in range(_REPEATS):
            for stage, function in functions.items():
                started = time.perf_counter()
                finish(function(iter([batch])))
                shortest[stage] = min(shortest[stage], time.perf_counter() - started)
        for stage, seconds in shortest.items():
            sums[stage] += seconds
    return subtract_stages({stage: seconds / len(epoch.batches) for stage, seconds in sums.items()})


def subtract_stages(until: Mapping[str, float]) -> dict[str, float]:
    """The time of each stage alone, from the times until the end of each stage, in the order of `STAGES`."""
    stages, reached = {}, 0.0
    for stage in STAGES:
        stages[stage] = max(0.0, until[stage] - reached)
        reached = max(reached, until[stage])
    return stages


def end_after(loop: Loop, stage: str) -> Step:
    """The step of training, ending after a stage."""

    def step(batch: Batch) -> Mapping[str, Any]:
        workload = loop.workload
        before = workload.last_stage
        workload.last_stage = stage
        try:
            return loop.train_step(batch)
        finally:
            workload.last_stage = before

    return step


def finish(values: Mapping[str, tf.Tensor]) -> None:
    """Wait until values have been computed."""
    for value in values.values():
        value.numpy()


class CutShortError(Exception):
    """An evaluation has seen enough batches.

    Attributes:
        seconds: that all batches would take.
        done: batches that were evaluated.
        of: all batches.
    """

    def __init__(self, seconds: float, done: int, of: int) -> None:
        super().__init__(f"ended after {done} of {of} batches")
        self.seconds, self.done, self.of = seconds, done, of


class SpacedBatches:
    """Evenly spaced batches of a data set, all of whose batches are made. Evenly, because some are sorted by length.

    Args:
        data: the data set, of a known number of batches.
        most: batches that are given.

    Attributes:
        element_spec: of a batch.
        seconds: that making all batches took, as far as they were waited for.
    """

    def __init__(self, data: tf.data.Dataset, most: int) -> None:
        self.element_spec = data.element_spec
        self.seconds = 0.0
        self._data = data
        self._most = most

    def __iter__(self) -> Iterator[Batch]:
        of, most = int(self._data.cardinality()), self._most
        started = time.perf_counter()
        for number, batch in enumerate(self._data):
            self.seconds += time.perf_counter() - started
            if number * most % of + most >= of:
                yield batch
            started = time.perf_counter()
        self.seconds += time.perf_counter() - started


class LimitedRuntime(Runtime):
    """A runtime whose evaluations end early where there are too many batches.

    Attributes:
        most_batches: an evaluation of more evaluates only so many and ends with a `CutShortError`. All are made, and
            only the time of what is done with them is scaled.
        batches: batches of the latest evaluation.
    """

    most_batches = 1
    batches = 0

    def collect(
        self, data: Callable[[Share], tf.data.Dataset], step: Step, collects: str = "sums"
    ) -> Collected:
        """As of `Runtime`, for all batches or some."""
        self.batches = of = int(data(self.share).cardinality())
        most = self.most_batches
        if of <= most:  # or their number is unknown
            return super().collect(data, step, collects)
        started = time.perf_counter()
        spaced = SpacedBatches(data(self.share), most)
        super().collect(lambda _: spaced, step, collects)
        others = time.perf_counter() - started - spaced.seconds
        raise CutShortError(spaced.seconds + others * of / most, most, of)


class Evaluated(NamedTuple):
    """The time of an evaluation.

    Attributes:
        match_seconds: around it: of a workload with self-play, the match for the best model's place.
        seconds: of all its batches and, unless it was cut short, of measuring the quality.
        done: batches that were evaluated.
        of: all batches.
    """

    match_seconds: float
    seconds: float
    done: int
    of: int


def measure_evaluation(loop: Loop, runtime: LimitedRuntime, epoch: int, most_batches: int) -> Evaluated:
    """Evaluate on a limited number of batches.

    Args:
        loop: as for `begin_epoch`.
        runtime: the workload's.
        epoch: the current one.
        most_batches: see `LimitedRuntime`.
    """
    runtime.most_batches = most_batches
    started = time.perf_counter()
    with loop.workload.around_evaluation(epoch):
        begun = time.perf_counter()
        try:
            loop.evaluate()
        except CutShortError as cut:
            seconds, done = cut.seconds, cut.done
        else:
            seconds, done = time.perf_counter() - begun, runtime.batches
        ended = time.perf_counter()
    around = begun - started + time.perf_counter() - ended
    return Evaluated(around, seconds, done, runtime.batches)
