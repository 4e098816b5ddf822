"""The contract between a task and the harness.

A workload defines the model, the data and how quality is measured; it never loops over epochs, logs nothing, and
knows nothing of devices beyond `Share` and `Runtime`. The harness calls, in this order::

    workload = Workload(config, folder, seed)   # reads no data; at most the manifest of the prepared data
    workload.check_data()                       # is the data there?
    workload.hyperparameters(share)             # values by log key
    workload.build()                            # within the strategy's scope: models, optimizers
    workload.restore_host_state(state)          # only where a run resumes
    ─── the clock starts ───
    workload.load(share)                        # reads the data
    for epoch in 1, 2, …:
        workload.train_data(epoch, share)       # may also generate data, for example by self-play
        workload.train_step(batch)              # for each batch, in each replica, within a graph
        workload.evaluate()                     # by default: eval_step for each batch, then measure, on the first process
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import numpy as np
import tensorflow as tf

from mlperf_logging.mllog import constants
from reference_impls.harness.configs import TaskConfig
from reference_impls.harness.run.runtime import Batch, Collected, Ragged, Runtime, Share
from reference_impls.harness.run.stages import OPTIMIZER
from reference_impls.harness.run.updates import Measure, apply_gradients

__all__ = [
    "Batch",
    "Collected",
    "Evaluation",
    "HostState",
    "Quality",
    "Ragged",
    "Runtime",
    "Share",
    "Workload",
]

Config = TypeVar("Config", bound=TaskConfig)
Quality = float | Mapping[str, float]
"""A number, or several by name: ``{"BBOX": 0.377, "SEGM": 0.339}``."""


class Evaluation(NamedTuple):
    """The result of an evaluation.

    Attributes:
        quality: the value that is compared with the target, or several values, one for each target, by name.
        metrics: further values, logged in the metadata of the quality's event.
    """

    quality: Quality
    metrics: Mapping[str, float] = {}


class HostState(NamedTuple):
    """What a run needs to resume besides the variables of its models and optimizers.

    Attributes:
        arrays: by name; not changed afterwards, for they are written while training continues.
        facts: what JSON can hold, such as the state of a random generator.
    """

    arrays: Mapping[str, np.ndarray] = {}
    facts: Mapping[str, Any] = {}


class Workload(ABC, Generic[Config]):
    """One task: model, data, steps and quality.

    Args:
        config: the task's configuration.
        folder: folder of the prepared data. Do not read data here: the clock is not running yet.
        seed: every random choice must follow from it (and the epoch), so that equal seeds give equal runs and
            a resumed run continues as if it had not been interrupted.
        data_command: the command that gets the data; error messages name it.

    Attributes:
        metric: display name of the quality: ``"HR@10"``.
        mode: ``"max"`` where more is better, ``"min"`` where less is.
        quality_key: log key of the quality.
        collects: how `eval_step`'s tensors are combined: ``"sums"``: summed over replicas and batches in double
            precision; ``"rows"``: concatenated along their first dimension. All others must not vary, except that rows
            may be ragged: transcripts, or the boxes of an image, which arrive in `measure` as `Ragged`. The workload
            itself leaves padding out.
        compiles: whether XLA can compile its steps.
        unit: what `epoch` counts: ``"epoch"`` or ``"generation"``, both logged as epochs. With ``"samples"`` or
            ``"steps"`` the log counts these instead, and has blocks from one evaluation to the next.
        self_play: whether `train_data` makes its data by self-play, which a profile shows as a phase of its own.
        runtime: what the workload computes with; set before `build`.
        last_stage: the stage of a step after which `update` ends: the optimizer's, except in a profile.
    """

    metric: ClassVar[str]
    mode: ClassVar[str] = "max"
    quality_key: ClassVar[str] = "eval_accuracy"
    collects: ClassVar[str] = "sums"
    unit: ClassVar[str] = "epoch"
    compiles: ClassVar[bool] = True
    self_play: ClassVar[bool] = False
    runtime: Runtime
    last_stage: str = OPTIMIZER

    def __init__(self, config: Config, folder: Path, seed: int, data_command: str = "") -> None:
        self.config = config
        self.folder = folder
        self.seed = seed
        self.data_command = data_command

    @property
    def target(self) -> Quality:
        """The quality at which the run succeeds; where there are several, a target for each by name."""
        return self.config.target

    @property
    def train_samples(self) -> int:
        """Samples of the training data, for the log."""
        return self.config.train_samples

    @property
    def eval_samples(self) -> int:
        """Samples of the evaluation data, for the log."""
        return self.config.eval_samples

    def check_data(self) -> None:
        """Check, without reading it, that the data is there; called before the log begins. Nothing by default.

        Raises:
            DataError: it is missing.
        """

    def data_checksum(self) -> str:
        """A checksum of the data, known without reading it; empty if there is none."""
        return ""

    def hyperparameters(self, share: Share) -> dict[str, object]:
        """Values by log key, without the seed and the sample counts: those of the configuration.

        Args:
            share: for what depends on the number of replicas.
        """
        del share
        return self.config.hyperparameters()

    def batch_norm_span(self, share: Share) -> dict[str, object]:
        """The samples that batch norm sees at a time, by its log key: what one replica computes at once."""
        span = share.replica_batch(self.config.global_batch_size) // self.config.gradient_accumulation_steps
        return {constants.MODEL_BN_SPAN: span}

    @abstractmethod
    def build(self) -> None:
        """Create models and optimizers; called once, within the strategy's scope."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What a checkpoint holds: Keras models and optimizers by name; ``model`` is the one that is evaluated."""

    def host_state(self) -> HostState:
        """What a checkpoint holds besides `state`; the same in all processes, of which the first one writes it."""
        return HostState()

    def restore_host_state(self, state: HostState) -> None:
        """Continue from what `host_state` gave, in every process; called after `build` and before `load`."""

    @abstractmethod
    def load(self, share: Share) -> None:
        """Read the data.

        Raises:
            DataError: data is missing, damaged or not of the sizes that the configuration says.
        """

    @abstractmethod
    def train_data(self, epoch: int, share: Share) -> tf.data.Dataset:
        """The batches of one epoch for this process; see `Share`.

        They must follow from seed, epoch, the models and the host state alone. A workload that makes its data, for example
        by self-play, may call `Runtime.save` whenever its host state can be resumed from.
        """

    def measure_work(self, epoch: int, share_of_epoch: float) -> Mapping[str, float]:
        """The work of an epoch, for the log: ``samples`` gives the throughput, further values are logged by their names.

        Args:
            epoch: which, just trained.
            share_of_epoch: the part of its steps that was done here: below 1 if the run was resumed within it.
        """
        del epoch
        return {"samples": share_of_epoch * self.train_samples}

    @abstractmethod
    def train_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """Train on one replica's batch.

        Runs in every replica, within a graph. Losses are divided by the *global* batch, so that gradients
        add up over replicas and accumulation steps: use `update`, which sums them.

        Returns:
            Scalars by name (``loss`` first, and ``gradient_norm``): each replica's part; the harness sums the parts and
            ends the run when one is not finite.
        """

    @abstractmethod
    def eval_data(self, share: Share) -> tf.data.Dataset:
        """The batches of one evaluation for this process; every sample once, padding marked."""

    @abstractmethod
    def eval_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """Evaluate one replica's batch, in every replica, within a graph; see `collects`."""

    @abstractmethod
    def measure(self, collected: Collected) -> Evaluation:
        """The quality, from what `eval_step` returned for all batches of all replicas."""

    def evaluate(self) -> Evaluation:
        """Evaluate; override it if one pass over `eval_data` is not enough.

        The quality is measured on the first process, which tells the others, so that they agree on when to stop.
        """
        collected = self.runtime.collect(self.eval_data, self.eval_step, self.collects)
        return Evaluation(*self.runtime.find_on_first(lambda: self.measure(collected)))

    @contextmanager
    def around_evaluation(self, epoch: int) -> Iterator[None]:
        """Surround each evaluation, within the time of the evaluation: for example a match for the best model's place.

        Args:
            epoch: the current one.
        """
        del epoch
        yield

    def count_parts(self) -> int:
        """Parts in which a global batch is computed: replicas times accumulation steps; for use within a replica.

        A penalty on weights is divided by it, because every part adds it.
        """
        replicas: int = tf.distribute.get_replica_context().num_replicas_in_sync
        return replicas * self.config.gradient_accumulation_steps

    def update(
        self,
        measure: Measure,
        batch: Batch,
        optimizer: Any,
        variables: Sequence[Any],
        *,
        clip_norm: float = 0.0,
    ) -> dict[str, tf.Tensor]:
        """Change variables by the gradients of a loss, summed over accumulation steps and replicas.

        Args:
            measure: gives, for a part of the batch and its number, the loss, divided by the global batch, and what to report.
            batch: this replica's.
            optimizer: a Keras optimizer.
            variables: of the model, in the order that the optimizer was built with.
            clip_norm: norm that greater gradients are scaled down to; 0: they are not.

        Returns:
            What `train_step` returns. ``gradient_norm``, summed over replicas, bounds the norm of the whole gradient.
        """
        return apply_gradients(
            measure,
            batch,
            optimizer,
            variables,
            parts=self.config.gradient_accumulation_steps,
            clip_norm=clip_norm,
            last_stage=self.last_stage,
        )
