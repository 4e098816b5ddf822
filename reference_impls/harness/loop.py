"""The training loop: the only one, for every task and every kind of device."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from reference_impls.harness.errors import TrainerError
from reference_impls.harness.workload import Batch, Collected, Evaluation, Share, Workload

SHOW_EVERY_S = 0.2
Step = Callable[[Batch], Mapping[str, tf.Tensor]]


class Recorder(Protocol):
    """What the loop tells: the log, and whoever watches."""

    def start(self) -> None:
        """The clock starts; data may be touched."""

    def start_epoch(self, epoch: int) -> None:
        """An epoch begins."""

    def show_step(self, step: int, losses: Mapping[str, float]) -> None:
        """Some steps of the epoch are done."""

    def finish_epoch(
        self, epoch: int, steps: int, losses: Mapping[str, float], notes: Mapping[str, object]
    ) -> None:
        """The epoch's training is done."""

    def start_eval(self, epoch: int) -> None:
        """An evaluation begins."""

    def finish_eval(self, epoch: int, evaluation: Evaluation) -> bool:
        """An evaluation is done; gives whether the target is reached."""

    def save(self, epoch: int) -> None:
        """Everything up to this epoch is done; the moment for a checkpoint."""


class Loop:
    """Trains a workload until its target is reached or its limit.

    Args:
        workload: the task.
        strategy: where it computes.

    Attributes:
        share: which part of each batch this process feeds.
        steps: steps of the latest epoch.
    """

    def __init__(self, workload: Workload[Any], strategy: tf.distribute.Strategy) -> None:
        self.workload = workload
        self.strategy = strategy
        self.share = find_share(strategy)
        self.steps = 0
        self._steps: dict[str, Callable[[Batch], Any]] = {}

    def build(self) -> None:
        """Make the workload's models where they compute."""
        with self.strategy.scope():
            self.workload.build()

    def run(self, recorder: Recorder, *, first_epoch: int = 1) -> bool:
        """Train.

        Args:
            recorder: is told of everything that happens.
            first_epoch: the epoch to begin with.

        Returns:
            Whether the target was reached.
        """
        config = self.workload.config
        recorder.start()
        self.workload.load(self.share)
        for epoch in range(first_epoch, config.max_epochs + 1):
            recorder.start_epoch(epoch)
            losses = self.train_epoch(epoch, recorder.show_step)
            recorder.finish_epoch(epoch, self.steps, losses, self.workload.finish_epoch(epoch))
            since = epoch - config.first_eval_epoch
            if since >= 0 and since % config.eval_every_epochs == 0:
                recorder.start_eval(epoch)
                if recorder.finish_eval(epoch, self.evaluate()):
                    return True
            if config.checkpoint_every_epochs and epoch % config.checkpoint_every_epochs == 0:
                recorder.save(epoch)
        return False

    def train_epoch(
        self, epoch: int, show: Callable[[int, Mapping[str, float]], None] | None = None
    ) -> dict[str, float]:
        """Train one epoch.

        Args:
            epoch: its number, from 1.
            show: told now and then which step is done, with the latest losses.

        Returns:
            Mean of each loss over the epoch's steps.
        """
        data = self._distribute(lambda share: self.workload.train_data(epoch, share))
        run = self._compile("train", self.workload.train_step)
        batches = iter(data)
        seen: dict[str, list[tf.Tensor]] = {}
        shown = time.monotonic()
        steps = 0
        while True:
            try:
                losses = run(batches)
            except (StopIteration, tf.errors.OutOfRangeError):
                break
            steps += 1
            for name, value in losses.items():
                seen.setdefault(name, []).append(value)
            # Asking a tensor for its number waits for it, so that is done now and then only.
            if show is not None and time.monotonic() - shown > SHOW_EVERY_S:
                shown = time.monotonic()
                show(steps, {name: float(value) for name, value in losses.items()})
        if not steps:
            raise TrainerError(
                f"epoch {epoch} has no batch: the batch of {self.workload.config.global_batch_size} samples is "
                "larger than the training data; set a smaller global_batch_size"
            )
        self.steps = steps
        return {name: float(np.mean([float(each) for each in values])) for name, values in seen.items()}

    def evaluate(self) -> Evaluation:
        """Evaluate the workload as it is now."""
        return self.workload.evaluate(self.collect)

    def collect(self, data: Callable[[Share], tf.data.Dataset], step: Step) -> Collected:
        """Run a step on every batch of a data set in every replica.

        Args:
            data: gives the data set of a share.
            step: gives tensors by name.

        Returns:
            By name, sums or joined rows, as `Workload.collects` says.
        """
        rows = self.workload.collects == "rows"
        run = self._compile(f"eval {getattr(step, '__name__', id(step))}", step, gather=rows)
        found: dict[str, list[np.ndarray]] = {}
        batches = iter(self._distribute(data))
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

    def _distribute(self, data: Callable[[Share], tf.data.Dataset]) -> Any:
        if self.share.all_replicas == 1:
            # The wrapper would bring a thread that tunes the pipeline. It sleeps in steps that double, and the
            # end of a pass waits for it: a pass of 0.4 s takes 0.6 or 1.3 s then.
            return data(self.share)
        return self.strategy.distribute_datasets_from_function(lambda _: data(self.share))

    def _compile(self, name: str, step: Step, *, gather: bool = False) -> Callable[[Any], Any]:
        """A graph that takes a batch for each replica, runs the step on each, and joins what comes out."""
        if name not in self._steps:
            strategy = self.strategy

            def join(value: Any) -> tf.Tensor:
                if gather:
                    return strategy.gather(value, axis=0)
                return strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None)

            def run(batch: Any) -> dict[str, tf.Tensor]:
                values = strategy.run(step, args=(batch,))
                return {name: join(value) for name, value in values.items()}

            self._steps[name] = tf.function(run, reduce_retracing=True)
        compiled = self._steps[name]
        return lambda batches: compiled(next(batches))


def find_share(strategy: tf.distribute.Strategy) -> Share:
    """Which part of each batch this process feeds."""
    resolver = strategy.cluster_resolver
    replicas = strategy.num_replicas_in_sync
    if resolver is None or not resolver.task_type:
        return Share(0, 1, replicas)
    count = len(resolver.cluster_spec().as_dict().get("worker", ())) or 1
    return Share(int(resolver.task_id or 0), count, replicas // count)
