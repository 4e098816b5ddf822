"""Batches of utterances of similar length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf

from reference_impls.harness.workload import Share
from reference_impls.speech_recognition.reader import AudioReader

WIDTHS_PER_SECOND = 4
"""Batches are as wide as their longest utterance, rounded up to a quarter of a second."""

_AHEAD = 4


def plan_evaluation(samples: np.ndarray, global_batch: int) -> np.ndarray:
    """All utterances by length, in batches: int64 [batches, size]; the last batch is padded with -1."""
    order = np.argsort(samples, kind="stable")
    missing = -len(order) % global_batch
    return np.concatenate([order, np.full(missing, -1)]).reshape(-1, global_batch)


def serve_batches(plan: np.ndarray, share: Share, reader: AudioReader, sample_rate: int) -> tf.data.Dataset:
    """The batches of one process, one replica's part at a time.

    Args:
        plan: int64 [batches, size]: rows of the utterances of each global batch; -1 for padding.
        share: which part of each.
        reader: reads their audio.
        sample_rate: of the audio.

    Returns:
        Dictionaries: ``audio`` (int16 [rows, width]), ``samples`` (int32 [rows]), ``labels`` (int32 [rows, longest],
        padded with -1) and ``rows`` (int32 [rows]: numbers of the utterances, -1 for padding).
    """
    known = reader.utterances
    step = max(sample_rate // WIDTHS_PER_SECOND, 1)

    def make_batches() -> Iterator[Mapping[str, np.ndarray]]:
        for batch in plan:
            parts = batch.reshape(share.all_replicas, -1)
            for rows in parts[share.index * share.replicas : (share.index + 1) * share.replicas]:
                pieces = reader.read(rows)
                texts = [known.find_labels(row) if row >= 0 else known.labels[:0] for row in rows]
                samples = np.array([len(each) for each in pieces], np.int32)
                audio = np.zeros((len(rows), -(-int(samples.max(initial=1)) // step) * step), np.int16)
                labels = np.full((len(rows), max(1, *(len(each) for each in texts))), -1, np.int32)
                for number, (piece, text) in enumerate(zip(pieces, texts, strict=True)):
                    audio[number, : len(piece)] = piece
                    labels[number, : len(text)] = text
                yield {"audio": audio, "samples": samples, "labels": labels, "rows": rows.astype(np.int32)}

    signature = {
        "audio": tf.TensorSpec((None, None), tf.int16),
        "samples": tf.TensorSpec((None,), tf.int32),
        "labels": tf.TensorSpec((None, None), tf.int32),
        "rows": tf.TensorSpec((None,), tf.int32),
    }
    dataset = tf.data.Dataset.from_generator(make_batches, output_signature=signature)
    return dataset.apply(tf.data.experimental.assert_cardinality(len(plan) * share.replicas)).prefetch(_AHEAD)
