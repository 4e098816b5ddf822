"""The training loop: the only one, for every task and device."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from reference_impls.harness.errors import DivergenceError, SettingError, TrainerError
from reference_impls.harness.workload import Batch, Collected, Evaluation, Share, Workload

SHOW_EVERY_S = 0.2
LOOK_EVERY_STEPS = 100
"""Reading a loss waits for the device, so losses are read no more often than this, and at the end of an epoch."""

Step = Callable[[Batch], Mapping[str, tf.Tensor]]


class Recorder(Protocol):
    """Receives what happens in the loop, for the log and for people."""

    def start(self) -> None:
        """The clock starts; data may be touched."""

    def start_epoch(self, epoch: int) -> None:
        """An epoch begins."""

    def show_step(self, step: int, steps: int | None, losses: Mapping[str, float]) -> None:
        """Some steps of the epoch are done."""

    def finish_epoch(self, epoch: int, steps: int, losses: Mapping[str, float]) -> None:
        """The epoch's training is done."""

    def start_eval(self, epoch: int) -> None:
        """An evaluation begins."""

    def finish_eval(self, epoch: int, evaluation: Evaluation) -> bool:
        """An evaluation is done; returns whether the target is reached."""

    def save(self, epoch: int, step: int = 0) -> None:
        """Everything up to this epoch, and so many steps of the next one, is done; time for a checkpoint."""


class Loop:
    """Trains a workload until it reaches its target or its limit of epochs.

    Args:
        workload: the task.
        strategy: where it computes.
        checkpoint_steps: steps from one checkpoint within an epoch to the next; 0: none.
        jit_compile: whether XLA compiles the steps of training and evaluation.
        steps_per_call: training steps that one call of TensorFlow does. The batches of more than one are fetched within
            the call, and copied to the device ahead of time where a process feeds only one. The values are the same.

    Attributes:
        share: which part of each batch this process feeds.
        steps: number of steps of the latest epoch.
    """

    def __init__(
        self,
        workload: Workload[Any],
        strategy: tf.distribute.Strategy,
        *,
        checkpoint_steps: int = 0,
        jit_compile: bool = False,
        steps_per_call: int = 1,
    ) -> None:
        self.workload = workload
        self.steps_per_call = steps_per_call
        self.jit_compile = jit_compile
        self.checkpoint_steps = checkpoint_steps
        self.strategy = strategy
        self.share = find_share(strategy)
        self.steps = 0
        self._loss_names: tuple[str, ...] = ()
        self._steps: dict[str, Callable[..., Any]] = {}
        self._calls: dict[str, Callable[..., tf.Tensor]] = {}

    def build(self) -> None:
        """Create the workload's models on the strategy's devices."""
        with self.strategy.scope():
            self.workload.build()

    def run(self, recorder: Recorder, *, first_epoch: int = 1, first_step: int = 0) -> bool:
        """Train.

        Args:
            recorder: receives everything that happens.
            first_epoch: the epoch to start with.
            first_step: how many of its steps have been done before.

        Returns:
            Whether the target was reached.

        Raises:
            DivergenceError: a loss, a gradient norm or the quality is not finite.
        """
        config = self.workload.config
        recorder.start()
        self.workload.load(self.share)
        for epoch in range(first_epoch, config.max_epochs + 1):
            recorder.start_epoch(epoch)
            done = first_step if epoch == first_epoch else 0
            losses = self.train_epoch(epoch, recorder.show_step, done=done, save=recorder.save)
            recorder.finish_epoch(epoch, self.steps, losses)
            since = epoch - config.first_eval_epoch
            if since >= 0 and since % config.eval_every_epochs == 0:
                recorder.start_eval(epoch)
                evaluation = self.evaluate()
                if not math.isfinite(evaluation.quality):
                    raise DivergenceError(
                        f"{self.workload.metric} is {evaluation.quality} after epoch {epoch}: training has diverged"
                    )
                if recorder.finish_eval(epoch, evaluation):
                    return True
            if config.checkpoint_every_epochs and epoch % config.checkpoint_every_epochs == 0:
                recorder.save(epoch)
        return False

    def train_epoch(
        self,
        epoch: int,
        show: Callable[[int, int | None, Mapping[str, float]], None] | None = None,
        *,
        done: int = 0,
        save: Callable[[int, int], None] | None = None,
    ) -> dict[str, float]:
        """Train one epoch.

        Args:
            epoch: its number, from 1.
            show: called now and then with the step, the number of steps if known, and the latest losses.
            done: steps of the epoch that have been done before.
            save: called every `checkpoint_steps` with the last whole epoch and the steps since.

        Returns:
            Mean of each loss over the steps.

        Raises:
            DivergenceError: a loss or gradient norm is not finite; found at most `LOOK_EVERY_STEPS` steps later, or when
                the call that they end in returns.
            SettingError: one call is to do several steps, and nobody knows how many an epoch has.
        """
        data = self.workload.train_data(epoch, self.share)
        count = int(data.cardinality())
        total = count // self.share.replicas if count > 0 else None  # negative: infinite or unknown
        if total is None and self.steps_per_call > 1:
            raise SettingError("the number of steps of an epoch is unknown; train without --steps-per-call")
        data = data.skip(done * self.share.replicas) if done else data
        if self.steps_per_call > 1 and self.share.replicas == 1:
            device = self.strategy.extended.worker_devices[0]
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
            is_due = self.checkpoint_steps and steps % self.checkpoint_steps == 0 and steps != total
            if is_due or steps - looked >= LOOK_EVERY_STEPS:
                looked = steps
                self._read_losses(seen, read, epoch, steps)
            if show is not None and time.monotonic() - shown > SHOW_EVERY_S:
                shown = time.monotonic()
                show(steps, total, self._name_losses(read[-1]) if read else {})
            if save is not None and is_due:
                save(epoch - 1, steps)
        if not steps:
            raise TrainerError(
                f"epoch {epoch} has no batch: the batch of {self.workload.config.global_batch_size} samples is "
                "larger than the training data; set a smaller global_batch_size"
            )
        self._read_losses(seen, read, epoch, steps)
        self.steps = steps
        return self._name_losses(np.sum(read, axis=0) / len(read)) if read else {}

    def _count_steps(self, steps: int, total: int | None) -> int:
        """Steps of the next call: it ends where the epoch does, or where a checkpoint is due."""
        most = self.steps_per_call
        if total is not None:
            most = min(most, total - steps)
        if self.checkpoint_steps:
            most = min(most, self.checkpoint_steps - steps % self.checkpoint_steps)
        return most

    def _compile_calls(self, data: tf.data.Dataset) -> Callable[[Iterator[Batch], int], tf.Tensor]:
        """A function that does a number of training steps and returns the losses of each: float32 [steps, losses]."""
        one = self._compile("train", self._train_step, data)
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

    def _train_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
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
        return self.workload.evaluate(self.collect)

    def collect(self, data: Callable[[Share], tf.data.Dataset], step: Step) -> Collected:
        """Run a step on every batch of a data set in every replica.

        Args:
            data: returns the data set of a share.
            step: returns tensors by name.

        Returns:
            By name, sums or concatenated rows, as `Workload.collects` says.
        """
        rows = self.workload.collects == "rows"
        dataset = data(self.share)
        run = self._compile(f"eval {getattr(step, '__name__', id(step))}", step, dataset, gather=rows)
        found: dict[str, list[np.ndarray]] = {}
        batches = iter(dataset)
        while True:
            try:
                values = run(batches)
            except (StopIteration, tf.errors.OutOfRangeError):
                break
            for name, value in values.items():
                found.setdefault(name, []).append(value.numpy())
        if rows:
            return {name: np.concatenate(parts) for name, parts in found.items()}
        return {name: np.sum(np.asarray(parts, np.float64), axis=0) for name, parts in found.items()}

    def _compile(
        self, name: str, step: Step, dataset: tf.data.Dataset, *, gather: bool = False
    ) -> Callable[[Iterator[Batch]], dict[str, tf.Tensor]]:
        """A function that takes a batch for each replica of this process, runs the step on each and combines the results.

        It does not use the data sets of `tf.distribute`: each pass over one ends by waiting for a tuning thread whose
        sleeps double, so that a pass of 0.4 s takes 1.3 s, or 20 s with two workers.
        """
        strategy, replicas = self.strategy, self.share.replicas
        # One graph for all batch sizes: processes that traced at different times would number their collective
        # operations differently.
        signature = f"{name} {dataset.element_spec}"
        if signature not in self._steps:
            part = tf.function(step, jit_compile=True) if self.jit_compile else step

            def join(value: Any) -> tf.Tensor:
                if gather:
                    return strategy.gather(value, axis=0)
                return strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None)

            def run(*batches: Batch) -> dict[str, tf.Tensor]:
                first = self.share.index * replicas
                batch = strategy.experimental_distribute_values_from_function(
                    lambda context: batches[context.replica_id_in_sync_group - first]
                )
                values = strategy.run(part, args=(batch,))
                return {name: join(value) for name, value in values.items()}

            self._steps[signature] = tf.function(run, input_signature=[dataset.element_spec] * replicas)
        compiled = self._steps[signature]
        return lambda batches: compiled(*[next(batches) for _ in range(replicas)])


def find_share(strategy: tf.distribute.Strategy) -> Share:
    """Which part of each batch this process feeds."""
    resolver = strategy.cluster_resolver
    replicas = strategy.num_replicas_in_sync
    if resolver is None or not resolver.task_type:
        return Share(0, 1, replicas)
    count = len(resolver.cluster_spec().as_dict().get("worker", ())) or 1
    return Share(int(resolver.task_id or 0), count, replicas // count)
