"""From logits to transcripts: the likeliest label of each step, or a prefix-beam search."""

from __future__ import annotations

import tensorflow as tf


def transcribe(logits: tf.Tensor, lengths: tf.Tensor, beam: int) -> tf.RaggedTensor:
    """Decode.

    Args:
        logits: float32 [rows, time, classes]; the last class is the blank.
        lengths: int32 [rows]: steps of each row.
        beam: prefixes that the search keeps; 1: greedy decoding, by the likeliest label of each step.

    Returns:
        int32 [rows, (characters)].
    """
    by_time = tf.transpose(logits, (1, 0, 2))
    if beam == 1:
        decoded, _ = tf.nn.ctc_greedy_decoder(by_time, lengths)
    else:
        decoded, _ = tf.nn.ctc_beam_search_decoder(by_time, lengths, beam_width=beam, top_paths=1)
    found: tf.RaggedTensor = tf.RaggedTensor.from_sparse(decoded[0])
    return tf.cast(found, tf.int32)
