"""Batches of sentences of similar length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from reference_impls.harness.workload import Share
from reference_impls.translation.corpus import WIDTH_STEP, Sentences

_SHORTEST, _GROWTH = 8, 1.2


class Plan(NamedTuple):
    """One batch: its sentences and its width.

    Attributes:
        rows: int64 [size]; indices of the sentences; -1 for padding.
        width: greatest length, in ids.
    """

    rows: np.ndarray
    width: int


def list_widths(longest: int) -> list[int]:
    """Widths of batches, ascending, each about a fifth more than the one before."""
    widths = [_SHORTEST]
    while widths[-1] < longest:
        wanted = int(widths[-1] * _GROWTH)
        widths.append(max(wanted // WIDTH_STEP * WIDTH_STEP, widths[-1] + WIDTH_STEP))
    return widths


def plan_batches(
    lengths: np.ndarray, tokens: int, multiple: int, rng: np.random.Generator | None = None
) -> list[Plan]:
    """Divide sentences into batches.

    Sentences that do not fill a batch of their width move on to the next width; only the last batch is padded.

    Args:
        lengths: lengths of the sentences.
        tokens: ids per batch, padding included; a batch holds at least `multiple` sentences.
        multiple: each batch's size is a multiple of it, so that it can be divided among replicas.
        rng: shuffles; None sorts by length.

    Returns:
        The batches. Their number and sizes follow from the lengths alone, not from the order.
    """
    order = np.arange(len(lengths)) if rng is None else rng.permutation(len(lengths))
    by_width = np.searchsorted(list_widths(int(lengths.max())), lengths[order])
    plans: list[Plan] = []
    rest = np.zeros(0, np.int64)
    widths = list_widths(int(lengths.max()))
    for number, width in enumerate(widths):
        rows = np.concatenate([rest, order[by_width == number]])
        size = max(tokens // width // multiple, 1) * multiple
        whole = len(rows) // size
        plans += [Plan(part, width) for part in rows[: whole * size].reshape(whole, size)]
        rest = rows[whole * size :]
    if len(rest):
        size = -(-len(rest) // multiple) * multiple
        plans.append(Plan(np.concatenate([rest, np.full(size - len(rest), -1)]), widths[-1]))
    if rng is not None:
        plans = [plans[number] for number in rng.permutation(len(plans))]
    return plans


def serve_batches(
    plans: Sequence[Plan], share: Share, source: Sentences, target: Sentences | None = None
) -> tf.data.Dataset:
    """The batches of one process, one replica's part at a time.

    Args:
        plans: the global batches.
        share: which part of each.
        source: sentences.
        target: their translations; None gives none.

    Returns:
        Dictionaries: ``source`` and ``target`` (int32 [rows, width]), ``rows`` (int32 [rows]: numbers of the
        sentences, -1 for padding), and ``tokens`` (float32: ids of the translations in the global batch).
    """
    lengths = None if target is None else target.lengths

    def make_batches() -> Iterator[Mapping[str, np.ndarray]]:
        for plan in plans:
            parts = plan.rows.reshape(share.all_replicas, -1)
            mine = parts[share.index * share.replicas : (share.index + 1) * share.replicas]
            tokens = 0
            if lengths is not None:
                tokens = int(lengths[plan.rows[plan.rows >= 0]].sum())
            for rows in mine:
                batch = {"source": source.pad(rows), "rows": rows.astype(np.int32)}
                if target is not None:
                    batch["target"] = target.pad(rows)
                    batch["tokens"] = np.float32(tokens)
                yield batch

    matrix = tf.TensorSpec((None, None), tf.int32)
    signature = {"source": matrix, "rows": tf.TensorSpec((None,), tf.int32)}
    if target is not None:
        signature |= {"target": matrix, "tokens": tf.TensorSpec((), tf.float32)}
    dataset = tf.data.Dataset.from_generator(make_batches, output_signature=signature)
    return dataset.apply(tf.data.experimental.assert_cardinality(len(plans) * share.replicas)).prefetch(8)
