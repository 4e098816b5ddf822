"""Batches from arrays in memory, the same for any number of processes and replicas."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from reference_impls.harness.run.runtime import Ragged, Share

_GATHERERS = 2
_AHEAD = 2


def make_rng(seed: int, *numbers: int) -> np.random.Generator:
    """A random generator seeded by the run's seed and further numbers, such as the epoch."""
    return np.random.default_rng([seed, *numbers])


def order_by_length(
    lengths: np.ndarray, global_batch: int, rng: np.random.Generator, window: int = 50
) -> np.ndarray:
    """A random order in which the samples of a batch are of similar length, so that there is little padding.

    Args:
        lengths: of each sample.
        global_batch: samples of a batch.
        rng: source of randomness.
        window: number of batches whose samples, drawn at random, are sorted together.

    Returns:
        Indices; what does not fill a last batch stands at the end.
    """
    order = rng.permutation(len(lengths))
    whole = len(order) // global_batch * global_batch
    size = window * global_batch
    parts = [order[start : min(start + size, whole)] for start in range(0, whole, size)]
    batches = np.concatenate(
        [part[np.argsort(lengths[part], kind="stable")] for part in parts] or [order[:0]]
    )
    batches = rng.permutation(batches.reshape(-1, global_batch)).reshape(-1)
    return np.concatenate([batches, order[whole:]])


def batch_arrays(
    arrays: Mapping[str, np.ndarray | Ragged],
    global_batch: int,
    share: Share,
    *,
    order: np.ndarray | None = None,
    whole_batches: bool = False,
    weight: str | None = None,
) -> tf.data.Dataset:
    """Batches of one pass over arrays, for the replicas of one process.

    Args:
        arrays: by name; all of the same length. Rows of different lengths are padded with zeros to the longest
            of a replica's batch.
        global_batch: samples of a batch over all replicas.
        share: which part of each batch.
        order: indices of the samples, in order; default: all, in order.
        whole_batches: drop what does not fill a last batch; otherwise the last batch is padded with
            samples that occurred before.
        weight: name of a further tensor that is 1 for samples and 0 for padding.

    Returns:
        A data set of dictionaries of tensors whose first dimension is a replica's part of the batch.
    """
    size = share.replica_batch(global_batch)
    first = next(iter(arrays.values()))
    rows = len(first.lengths if isinstance(first, Ragged) else first)
    count = rows if order is None else len(order)
    indices = np.arange(count) if order is None else np.asarray(order)
    batches = count // global_batch if whole_batches else -(-count // global_batch)
    # What is missing of a last batch is filled with samples that occurred before.
    indices = np.resize(indices, batches * global_batch)

    def take(numbers: np.ndarray) -> np.ndarray:
        """The numbers of this process: replicas are numbered process by process, so its own are adjacent."""
        parts = slice(share.index * share.replicas, (share.index + 1) * share.replicas)
        return numbers.reshape(batches, share.all_replicas, size)[:, parts].reshape(-1, size)

    rows_of = {"numbers": take(indices)}
    if weight is not None:
        rows_of["weights"] = take((np.arange(len(indices)) < count).astype(np.float32))
    # The order of samples is fixed here; the graph only gathers, which is fast and reproducible.
    constants = {name: _make_constant(array) for name, array in arrays.items()}

    def gather(row: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        batch = {}
        for name, tensor in constants.items():
            part = tf.gather(tensor, row["numbers"])
            batch[name] = part.to_tensor() if isinstance(part, tf.RaggedTensor) else part
        if weight is not None:
            batch[weight] = row["weights"]
        return batch

    dataset = tf.data.Dataset.from_tensor_slices(rows_of)
    dataset = dataset.map(gather, num_parallel_calls=_GATHERERS, deterministic=True).prefetch(_AHEAD)
    options = tf.data.Options()
    # There is nothing to tune, and the end of a pass would wait for the sleeping tuning thread.
    options.autotune.enabled = False
    return dataset.with_options(options)


def _make_constant(array: np.ndarray | Ragged) -> tf.Tensor | tf.RaggedTensor:
    if isinstance(array, Ragged):
        return tf.RaggedTensor.from_row_lengths(array.values, array.lengths)
    return tf.constant(array)
