"""What a workload computes with: the devices, this process's share, compiled steps, and exchange between processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import tensorflow as tf

from reference_impls.harness.errors import TrainerError

Batch = Any
"""Nested structure of tensors; lengths may vary from batch to batch and from replica to replica."""

Step = Callable[[Batch], Mapping[str, Any]]
"""Computes tensors by name from one replica's batch; rows may be ragged (`tf.RaggedTensor`)."""

Collected = Mapping[str, Any]
"""By name, float64 sums or rows: an array, or `Ragged` where the rows are."""

_VALUES, _LENGTHS = ".values", ".lengths"
_Found = TypeVar("_Found")


class Ragged(NamedTuple):
    """Rows of different lengths.

    Attributes:
        values: all rows, concatenated.
        lengths: length of each row.
    """

    values: np.ndarray
    lengths: np.ndarray

    def split(self) -> list[np.ndarray]:
        """The rows one by one."""
        return np.split(self.values, np.cumsum(self.lengths)[:-1]) if len(self.lengths) else []


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


class Runtime:
    """What a workload computes with. Every process of a run must call its methods, in the same order.

    Args:
        strategy: where steps are computed.
        jit_compile: whether XLA compiles them.
        scratch: folder for files that a workload needs while it runs, made when it is first asked for; None: there is none.

    Attributes:
        strategy: as given.
        share: which part of the work this process does.
        save: takes a checkpoint while a workload makes its data; the loop sets it, and without checkpoints it does nothing.
    """

    def __init__(
        self, strategy: tf.distribute.Strategy, *, jit_compile: bool = False, scratch: Path | None = None
    ) -> None:
        self.strategy = strategy
        self.share = find_share(strategy)
        self.save: Callable[[], None] = lambda: None
        self._jit_compile = jit_compile
        self._scratch = scratch
        self._steps: dict[str, Callable[..., Any]] = {}

    @property
    def scratch(self) -> Path:
        """A folder for files that are not needed after the run.

        Raises:
            TrainerError: there is none.
        """
        if self._scratch is None:
            raise TrainerError("the workload needs a scratch folder and was started without one")
        self._scratch.mkdir(parents=True, exist_ok=True)
        return self._scratch

    def compile(
        self, name: str, step: Step, dataset: tf.data.Dataset, *, gather: bool = False
    ) -> Callable[[Iterator[Batch]], dict[str, tf.Tensor]]:
        """A function that takes a batch for each replica of this process, runs the step on each and combines the results.

        It does not use the data sets of `tf.distribute`: each pass over one ends by waiting for a tuning thread whose
        sleeps double, so that a pass of 0.4 s takes 1.3 s, or 20 s with two workers.

        Args:
            name: of the step; a step is compiled once for each name and kind of batch.
            step: the step.
            dataset: yields the batches.
            gather: whether the results' rows are gathered; otherwise the results are summed.
        """
        strategy, replicas = self.strategy, self.share.replicas
        # One graph for all batch sizes: processes that traced at different times would number their collective
        # operations differently.
        signature = f"{name} {dataset.element_spec}"
        if signature not in self._steps:
            flat = _flatten_rows(step) if gather else step
            part = tf.function(flat, jit_compile=True) if self._jit_compile else flat

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

    def collect(
        self, data: Callable[[Share], tf.data.Dataset], step: Step, collects: str = "sums"
    ) -> Collected:
        """Run a step on every batch of a data set in every replica.

        Args:
            data: returns the data set of a share.
            step: returns tensors by name.
            collects: ``"sums"`` or ``"rows"``, see `Workload.collects`.

        Returns:
            By name, sums or concatenated rows.
        """
        rows = collects == "rows"
        dataset = data(self.share)
        run = self.compile(f"eval {getattr(step, '__name__', id(step))}", step, dataset, gather=rows)
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
            return _join_rows({name: np.concatenate(parts) for name, parts in found.items()})
        return {name: np.sum(np.asarray(parts, np.float64), axis=0) for name, parts in found.items()}

    def gather(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The rows of all processes, in the order of the processes.

        Args:
            arrays: this process's rows by name; all but the number of rows must be equal in all processes.
        """
        if self.share.processes == 1:
            return dict(arrays)
        return {name: self._gather(value) for name, value in arrays.items()}

    def _gather(self, rows: np.ndarray) -> np.ndarray:
        # Collective operations know no small integers.
        kind = np.dtype(np.int32) if rows.dtype.kind in "bui" and rows.dtype.itemsize < 4 else rows.dtype
        signature = tf.TensorSpec((None, *rows.shape[1:]), kind)
        name = f"gather {signature}"
        if name not in self._steps:
            first = self.share.index * self.share.replicas

            def gather(own: tf.Tensor) -> tf.Tensor:
                spread = self.strategy.experimental_distribute_values_from_function(
                    lambda context: own if context.replica_id_in_sync_group == first else own[:0]
                )
                return self.strategy.gather(spread, axis=0)

            # Called itself, it would be suspected of being traced too often: each signature has its own.
            self._steps[name] = tf.function(gather).get_concrete_function(signature)
        found: np.ndarray = self._steps[name](tf.constant(rows.astype(kind))).numpy()
        return found.astype(rows.dtype)

    def find_on_first(self, find: Callable[[], _Found]) -> _Found:
        """What the first process finds; it alone looks, and tells the others.

        Args:
            find: gives a value that JSON can hold.
        """
        if self.share.processes == 1:
            return find()
        text = json.dumps(find()).encode() if self.share.index == 0 else b""
        told = self._gather(np.frombuffer(text, np.uint8)).astype(np.uint8).tobytes()
        found: _Found = json.loads(told)
        return found


def _flatten_rows(step: Step) -> Step:
    """The step, with ragged rows as two tensors each, which can be gathered."""

    def flat(batch: Batch) -> dict[str, tf.Tensor]:
        found: dict[str, tf.Tensor] = {}
        for name, value in step(batch).items():
            if not isinstance(value, tf.RaggedTensor):
                found[name] = value
            elif value.ragged_rank == 1:
                found[name + _VALUES], found[name + _LENGTHS] = value.flat_values, value.row_lengths()
            else:
                raise TrainerError(
                    f"{name} is ragged in {value.ragged_rank} dimensions; only one can be collected"
                )
        return found

    return flat


def _join_rows(arrays: Mapping[str, np.ndarray]) -> Collected:
    names = [name.removesuffix(_VALUES) for name in arrays if not name.endswith(_LENGTHS)]
    return {
        name: arrays[name] if name in arrays else Ragged(arrays[name + _VALUES], arrays[name + _LENGTHS])
        for name in names
    }


def find_share(strategy: tf.distribute.Strategy) -> Share:
    """Which part of each batch this process feeds."""
    resolver = strategy.cluster_resolver
    replicas = strategy.num_replicas_in_sync
    if resolver is None or not resolver.task_type:
        return Share(0, 1, replicas)
    count = len(resolver.cluster_spec().as_dict().get("worker", ())) or 1
    return Share(int(resolver.task_id or 0), count, replicas // count)
