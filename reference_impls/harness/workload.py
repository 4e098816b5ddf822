"""The contract between a task and the harness.

A workload says what is trained, on what, and how quality is measured; it never loops over epochs, logs
nothing, and knows nothing of devices beyond `Share`. The harness calls, in this order::

    workload = Workload(config, folder, seed)   # reads no data; a manifest of the prepared data at most
    workload.check_data()                       # is it there?
    workload.hyperparameters()                  # what the log says of them
    workload.build()                            # within the strategy's scope: models, optimizers
    ─── the clock starts ───
    workload.load(share)                        # reads the data
    for epoch in 1, 2, …:
        workload.train_data(epoch, share)       # may also make its data, for example by playing against itself
        workload.train_step(batch)              # for each batch, in each replica, within a graph
        workload.evaluate(collect)              # by default: eval_step for each batch, then measure
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import numpy as np
import tensorflow as tf

from reference_impls.harness.configs import TaskConfig
from reference_impls.harness.updates import apply_gradients

Config = TypeVar("Config", bound=TaskConfig)
Batch = Any
"""Nested structure of tensors; lengths may vary from batch to batch and from replica to replica."""

Collected = Mapping[str, np.ndarray]
Collect = Callable[
    ["Callable[[Share], tf.data.Dataset]", Callable[[Batch], Mapping[str, tf.Tensor]]], Collected
]


@dataclass(frozen=True)
class Share:
    """Which part of each global batch this process feeds.

    The global batch is divided evenly among replicas. A data set of a share yields batches for single
    replicas; the process's replicas take them in turn. All processes must yield equally many, a multiple of
    ``replicas``.

    Attributes:
        index: number of this process, from 0.
        processes: number of processes.
        replicas: number of replicas of this process.
    """

    index: int = 0
    processes: int = 1
    replicas: int = 1

    @property
    def all_replicas(self) -> int:
        """Number of replicas of all processes."""
        return self.processes * self.replicas

    def replica_batch(self, global_batch: int) -> int:
        """Samples of a global batch that one replica gets; the number must divide evenly."""
        size, left = divmod(global_batch, self.all_replicas)
        if left:
            raise ValueError(
                f"a batch of {global_batch} cannot be divided among {self.all_replicas} replicas"
            )
        return size


class Evaluation(NamedTuple):
    """What an evaluation found.

    Attributes:
        quality: the number that is compared with the target.
        metrics: further numbers; they go into the metadata of the quality's event.
    """

    quality: float
    metrics: Mapping[str, float] = {}


class Workload(ABC, Generic[Config]):
    """One task: model, data, steps, quality.

    Args:
        config: the task's configuration.
        folder: where the prepared data is. Do not read data here: the clock does not run yet.
        seed: every random choice must follow from it (and the epoch), so that equal seeds give equal runs and
            a resumed run goes on as if it had not been interrupted.
        data_command: the command that gets the data; messages about missing data name it.

    Attributes:
        metric: name of the quality, for people: ``"HR@10"``.
        mode: ``"max"`` where more is better, ``"min"`` where less is.
        quality_key: log key of the quality.
        collects: what becomes of `eval_step`'s tensors: ``"sums"``: added up over replicas and batches, in
            double precision; ``"rows"``: joined along their first dimension (all other dimensions must
            always be the same). Rows and sums of padding are the workload's to leave out.
    """

    metric: ClassVar[str]
    mode: ClassVar[str] = "max"
    quality_key: ClassVar[str] = "eval_accuracy"
    collects: ClassVar[str] = "sums"

    def __init__(self, config: Config, folder: Path, seed: int, data_command: str = "") -> None:
        self.config = config
        self.folder = folder
        self.seed = seed
        self.data_command = data_command

    @property
    def train_samples(self) -> int:
        """Samples of the training data, for the log."""
        return self.config.train_samples

    @property
    def eval_samples(self) -> int:
        """Samples of the evaluation data, for the log."""
        return self.config.eval_samples

    def check_data(self) -> None:
        """See, without reading it, that the data is there; called before the log begins. Nothing by default.

        Raises:
            DataError: it is not.
        """

    @abstractmethod
    def hyperparameters(self) -> dict[str, object]:
        """Values by log key, ``global_batch_size`` included, seed and sample counts not."""

    @abstractmethod
    def build(self) -> None:
        """Make models and optimizers; called once, within the strategy's scope."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What a checkpoint holds: models, optimizers and other trackable objects by name."""

    @abstractmethod
    def load(self, share: Share) -> None:
        """Read the data.

        Raises:
            DataError: data is missing, damaged or of other sizes than the configuration says.
        """

    @abstractmethod
    def train_data(self, epoch: int, share: Share) -> tf.data.Dataset:
        """The batches of one epoch for this process; see `Share`. Must follow from seed and epoch alone."""

    @abstractmethod
    def train_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """Train on one replica's batch.

        Runs in every replica, within a graph. Losses are divided by the *global* batch, so that gradients
        add up over replicas: use `update` or a Keras optimizer's ``apply``, which sums them.

        Returns:
            Scalars by name (``loss`` first): each replica's part of it; the harness adds the parts up.
        """

    @abstractmethod
    def eval_data(self, share: Share) -> tf.data.Dataset:
        """The batches of one evaluation for this process; every sample once, padding marked as such."""

    @abstractmethod
    def eval_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """Evaluate one replica's batch, in every replica, within a graph; see `collects`."""

    @abstractmethod
    def measure(self, collected: Collected) -> Evaluation:
        """The quality, from what `eval_step` gave for all batches of all replicas."""

    def evaluate(self, collect: Collect) -> Evaluation:
        """Evaluate; to be overridden where one pass over `eval_data` is not enough.

        Args:
            collect: ``collect(data, step)`` asks ``data(share)`` for a data set, runs the step on every batch in
                every replica and gives what `collects` says.
        """
        return self.measure(collect(self.eval_data, self.eval_step))

    def finish_epoch(self, epoch: int) -> Mapping[str, object]:
        """Called after the training of an epoch, before its evaluation.

        Returns:
            Events to log: values by key. None by default.
        """
        del epoch
        return {}

    def update(
        self,
        tape: tf.GradientTape,
        loss: tf.Tensor,
        optimizer: Any,
        variables: Sequence[Any],
        *,
        clip_norm: float | None = None,
    ) -> None:
        """Change variables by the gradients of a loss, summed over all replicas.

        Args:
            tape: recorded the loss.
            loss: this replica's part of the loss: divided by the global batch.
            optimizer: a Keras optimizer.
            variables: of the model, in the order that the optimizer was built with.
            clip_norm: greatest norm of all gradients together, after summing.
        """
        apply_gradients(tape, loss, optimizer, variables, clip_norm=clip_norm)
