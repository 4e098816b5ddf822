"""Batches out of arrays in memory, the same for any number of processes and replicas."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from reference_impls.harness.workload import Share

_GATHERERS = 2
_AHEAD = 2


def make_rng(seed: int, *numbers: int) -> np.random.Generator:
    """A random generator that follows from the run's seed and further numbers, such as the epoch."""
    return np.random.default_rng([seed, *numbers])


def batch_arrays(
    arrays: Mapping[str, np.ndarray],
    global_batch: int,
    share: Share,
    *,
    order: np.ndarray | None = None,
    whole_batches: bool = False,
    weight: str | None = None,
) -> tf.data.Dataset:
    """Batches of one pass over arrays, for the replicas of one process.

    Args:
        arrays: by name; all of the same length.
        global_batch: samples of a batch over all replicas.
        share: which part of each batch.
        order: in which order, or which samples; default: as they stand.
        whole_batches: leave out what does not fill a last batch; else the last batch is filled up with
            samples that are there already.
        weight: name of a further tensor that is 1 for samples and 0 for what fills up.

    Returns:
        A data set of dictionaries of tensors whose first dimension is a replica's part of the batch.
    """
    size = share.replica_batch(global_batch)
    count = len(next(iter(arrays.values()))) if order is None else len(order)
    indices = np.arange(count) if order is None else np.asarray(order)
    if whole_batches:
        batches = count // global_batch
        indices = indices[: batches * global_batch]
        weights = np.ones(len(indices), np.float32)
    else:
        batches = -(-count // global_batch)
        missing = batches * global_batch - count
        indices = np.concatenate([indices, np.resize(indices, missing)]) if missing else indices
        weights = np.ones(len(indices), np.float32)
        weights[count:] = 0
    # Replicas are numbered process by process: those of this one stand side by side.
    parts = slice(share.index * share.replicas, (share.index + 1) * share.replicas)
    mine = indices.reshape(batches, share.all_replicas, size)[:, parts].reshape(-1, size)
    mine_weights = weights.reshape(batches, share.all_replicas, size)[:, parts].reshape(-1, size)
    # With sample order settled here, the graph only gathers, which is quick and repeatable.
    constants = {name: tf.constant(array) for name, array in arrays.items()}

    def gather(rows: tf.Tensor, row_weights: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = {name: tf.gather(tensor, rows) for name, tensor in constants.items()}
        if weight is not None:
            batch[weight] = row_weights
        return batch

    dataset = tf.data.Dataset.from_tensor_slices((mine, mine_weights))
    dataset = dataset.map(gather, num_parallel_calls=_GATHERERS, deterministic=True).prefetch(_AHEAD)
    options = tf.data.Options()
    # There is nothing to tune here, and the end of a pass would wait for the tuning thread's sleep.
    options.autotune.enabled = False
    return dataset.with_options(options)
