"""The training loop: the only one, for every task and device."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from reference_impls.harness.errors import DivergenceError, SettingError, TrainerError
from reference_impls.harness.run.checkpoints import Checkpoint
from reference_impls.harness.run.runtime import Batch, Runtime
from reference_impls.harness.workload import Evaluation, Workload

SHOW_EVERY_S = 0.2
LOOK_EVERY_STEPS = 100
"""Reading a loss waits for the device, so losses are read no more often than this, and at the end of an epoch."""

Show = Callable[[int, int | None, Mapping[str, float]], None]
Pause = Callable[[int, int | None], bool]


class Recorder(Protocol):
    """Receives what happens in the loop, for the log and for people."""

    def start(self) -> None:
        """The clock starts; data may be touched."""

    def start_epoch(self, epoch: int) -> None:
        """An epoch begins."""

    def show_step(self, step: int, steps: int | None, losses: Mapping[str, float]) -> None:
        """Some steps of the epoch are done."""

    def finish_epoch(self, epoch: int, steps: int, part: float, losses: Mapping[str, float]) -> None:
        """The epoch's training is done: its steps so far, the part of the epoch that was trained here, its losses."""

    def start_eval(self, progress: float, total_steps: int) -> None:
        """An evaluation begins, after so many epochs, the last one perhaps in part, and so many steps in all."""

    def finish_eval(self, evaluation: Evaluation) -> bool:
        """An evaluation is done; returns whether the target is reached."""

    def save(self, epoch: int, step: int, total_steps: int, part: int) -> None:
        """Everything up to this epoch, and a part of the next one, is done; time for a `Checkpoint`."""


class Loop:
    """Trains a workload until it reaches its target or its limit of epochs.

    Args:
        workload: the task.
        strategy: where it computes.
        checkpoint_steps: steps from one checkpoint within an epoch to the next; 0: none.
        jit_compile: whether XLA compiles the steps of training and evaluation.
        scratch: see `Runtime`.
        steps_per_call: training steps that one call of TensorFlow does. The batches of more than one are fetched within
            the call, and copied to the device ahead of time where a process feeds only one. The values are the same.

    Attributes:
        runtime: what the workload computes with.
        share: which part of each batch this process feeds.
        steps: number of steps of the latest epoch.
        part: the part of that epoch that was trained here; below 1 where the run was resumed or ended within it.
        total_steps: number of steps of all epochs so far.
    """

    def __init__(
        self,
        workload: Workload[Any],
        strategy: tf.distribute.Strategy,
        *,
        checkpoint_steps: int = 0,
        jit_compile: bool = False,
        scratch: Path | None = None,
        steps_per_call: int = 1,
    ) -> None:
        self.workload = workload
        self.steps_per_call = steps_per_call
        self.checkpoint_steps = checkpoint_steps
        self.runtime = workload.runtime = Runtime(strategy, jit_compile=jit_compile, scratch=scratch)
        self.share = self.runtime.share
        self.steps = self.total_steps = 0
        self.part = 0.0
        self._loss_names: tuple[str, ...] = ()
        self._calls: dict[str, Callable[..., tf.Tensor]] = {}

    def build(self) -> None:
        """Create the workload's models on the strategy's devices."""
        with self.runtime.strategy.scope():
            self.workload.build()

    def run(self, recorder: Recorder, resumed: Checkpoint | None = None) -> bool:
        """Train.

        Args:
            recorder: receives everything that happens.
            resumed: where to go on; None: at the start.

        Returns:
            Whether the target was reached.

        Raises:
            DivergenceError: a loss, a gradient norm or the quality is not finite.
        """
        config = self.workload.config
        resumed = resumed or Checkpoint(0, 0, {})
        self.total_steps = resumed.total_steps
        recorder.start()
        self.workload.load(self.share)
        for epoch in range(resumed.epoch + 1, config.max_epochs + 1):
            is_resumed = epoch == resumed.epoch + 1
            if self._run_epoch(recorder, epoch, *((resumed.step, resumed.part) if is_resumed else (0, 0))):
                return True
            if self._is_due(config.checkpoint_every_epochs, epoch):
                recorder.save(epoch, 0, self.total_steps, 0)
        return False

    def _run_epoch(self, recorder: Recorder, epoch: int, done: int, part: int) -> bool:
        """Train and evaluate an epoch, or what is missing of it; returns whether the target is reached."""
        config = self.workload.config
        parts = count(part + 1)
        reached = False

        def pause(steps: int, of: int | None) -> bool:
            nonlocal reached
            if self._is_due(config.eval_every_steps, self.total_steps):
                reached = self._evaluate(recorder, epoch, epoch - 1 + steps / of if of else epoch)
            if not reached and steps != of and self._is_due(self.checkpoint_steps, steps):
                recorder.save(epoch - 1, steps, self.total_steps, 0)
            return reached

        recorder.start_epoch(epoch)
        self.runtime.save = lambda: recorder.save(epoch - 1, 0, self.total_steps, next(parts))
        losses = self.train_epoch(epoch, recorder.show_step, done=done, pause=pause)
        recorder.finish_epoch(epoch, self.steps, self.part, losses)
        since = epoch - config.first_eval_epoch
        if not config.eval_every_steps and since >= 0 and since % config.eval_every_epochs == 0:
            reached = self._evaluate(recorder, epoch, epoch)
        return reached

    @staticmethod
    def _is_due(every: int, count: int) -> bool:
        return bool(every) and count % every == 0

    def _evaluate(self, recorder: Recorder, epoch: int, progress: float) -> bool:
        """Evaluate and report it; returns whether the target is reached.

        Raises:
            DivergenceError: the quality is not finite.
        """
        recorder.start_eval(progress, self.total_steps)
        with self.workload.around_evaluation(epoch):
            evaluation = self.evaluate()
        quality = evaluation.quality
        for name, value in (
            quality if isinstance(quality, Mapping) else {self.workload.metric: quality}
        ).items():
            if not math.isfinite(value):
                raise DivergenceError(f"{name} is {value} after epoch {epoch}: training has diverged")
        return recorder.finish_eval(evaluation)

    def train_epoch(
        self, epoch: int, show: Show | None = None, *, done: int = 0, pause: Pause | None = None
    ) -> dict[str, float]:
        """Train one epoch, or until the run shall end.

        Args:
            epoch: its number, from 1.
            show: called now and then with the step, the number of steps if known, and the latest losses.
            done: steps of the epoch that have been done before.
            pause: called whenever an evaluation or a checkpoint is due by steps, with the steps of the epoch so far and
                their number if known; returns whether the run shall end.

        Returns:
            Mean of each loss over the steps.

        Raises:
            DivergenceError: a loss or gradient norm is not finite; found at most `LOOK_EVERY_STEPS` steps later, or when
                the call that they end in returns.
            SettingError: one call is to do several steps, and nobody knows how many an epoch has.
        """
        data = self.workload.train_data(epoch, self.share)
        size = int(data.cardinality())
        total = size // self.share.replicas if size > 0 else None  # negative: infinite or unknown
        if total is None and self.steps_per_call > 1:
            raise SettingError("the number of steps of an epoch is unknown; train without --steps-per-call")
        data = data.skip(done * self.share.replicas) if done else data
        if self.steps_per_call > 1 and self.share.replicas == 1:
            device = self.runtime.strategy.extended.worker_devices[0]
            data = data.apply(tf.data.experimental.prefetch_to_device(device, self.steps_per_call))
        run = self._compile_calls(data)
        batches = iter(data)
        seen: list[tf.Tensor] = []  # not yet read
        read: list[np.ndarray] = []
        shown = time.monotonic()
        steps = looked = done
        # Not until the data ends: a call that then finds no batch might have begun its step.
        while total is None or steps < total:
            at_once = self._count_steps(steps, total)
            try:
                seen.append(run(batches, at_once))
            except (StopIteration, tf.errors.OutOfRangeError):
                break
            steps += at_once
            self.total_steps += at_once
            is_due = self._is_due(self.checkpoint_steps, steps) and steps != total
            is_due |= self._is_due(self.workload.config.eval_every_steps, self.total_steps)
            if is_due or steps - looked >= LOOK_EVERY_STEPS:
                looked = steps
                self._read_losses(seen, read, epoch, steps)
            if show is not None and time.monotonic() - shown > SHOW_EVERY_S:
                shown = time.monotonic()
                show(steps, total, self._name_losses(read[-1]) if read else {})
            if pause is not None and is_due and pause(steps, total):
                break
        if not steps:
            raise TrainerError(
                f"epoch {epoch} has no batch: the batch of {self.workload.config.global_batch_size} samples is "
                "larger than the training data; set a smaller global_batch_size"
            )
        self._read_losses(seen, read, epoch, steps)
        self.steps, self.part = steps, (steps - done) / (total or steps)
        return self._name_losses(np.sum(read, axis=0) / len(read)) if read else {}

    def _count_steps(self, steps: int, total: int | None) -> int:
        """Steps of the next call: it ends where the epoch does, or where a checkpoint or an evaluation is due."""
        most = self.steps_per_call
        if total is not None:
            most = min(most, total - steps)
        if self.checkpoint_steps:
            most = min(most, self.checkpoint_steps - steps % self.checkpoint_steps)
        if every := self.workload.config.eval_every_steps:
            most = min(most, every - self.total_steps % every)
        return most

    def _compile_calls(self, data: tf.data.Dataset) -> Callable[[Iterator[Batch], int], tf.Tensor]:
        """A function that does a number of training steps and returns the losses of each: float32 [steps, losses]."""
        one = self.runtime.compile("train", self.train_step, data)
        if self.steps_per_call == 1:
            return lambda batches, _: one(batches)["losses"]
        signature = str(data.element_spec)
        if signature not in self._calls:

            def step(
                batches: Iterator[Batch], number: tf.Tensor, losses: tf.TensorArray
            ) -> tuple[tf.Tensor, tf.TensorArray]:
                return number + 1, losses.write(number, one(batches)["losses"])

            def run(batches: Iterator[Batch], count: tf.Tensor) -> tf.Tensor:
                _, losses = tf.while_loop(
                    lambda number, _: number < count,
                    lambda number, losses: step(batches, number, losses),
                    (tf.constant(0), tf.TensorArray(tf.float32, size=count)),
                    parallel_iterations=1,
                )
                return losses.concat()

            self._calls[signature] = tf.function(run)
        many = self._calls[signature]
        return lambda batches, count: many(batches, tf.constant(count))

    def train_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """The workload's step; its scalars come as one row, which is read with a single copy from the device."""
        losses = self.workload.train_step(batch)
        self._loss_names = tuple(losses)
        return {"losses": tf.stack([tf.cast(each, tf.float32) for each in losses.values()])[tf.newaxis]}

    def _name_losses(self, values: np.ndarray) -> dict[str, float]:
        return dict(zip(self._loss_names, values.tolist(), strict=True))

    def _read_losses(self, seen: list[tf.Tensor], read: list[np.ndarray], epoch: int, steps: int) -> None:
        """Move the losses of the latest steps from the device to `read`, with a single copy.

        Raises:
            DivergenceError: a value is not finite.
        """
        if not seen:
            return
        found = tf.concat(seen, axis=0).numpy().astype(np.float64)
        for step, values in enumerate(found, steps - len(found) + 1):
            for name, value in self._name_losses(values).items():
                if not math.isfinite(value):
                    raise DivergenceError(
                        f"{name.replace('_', ' ')} is {value} in step {step} of epoch {epoch}: training has diverged"
                    )
        read.extend(found)
        seen.clear()

    def evaluate(self) -> Evaluation:
        """Evaluate the workload as it is now."""
        return self.workload.evaluate()
