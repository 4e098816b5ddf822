"""Decoding: greedily, or by beam search with a length penalty.

Every tensor of a decoding has the size of the longest translation from the start, so XLA can compile it.
"""

from __future__ import annotations

import tensorflow as tf

from reference_impls.translation.corpus import END, PAD
from reference_impls.translation.layers import KeyValues
from reference_impls.translation.model import Transformer

IMPOSSIBLE = -1e9


def penalize_length(length: tf.Tensor, alpha: float) -> tf.Tensor:
    """The divisor of a translation's log probability: ((5 + length) / 6) ^ alpha (Wu et al., 2016)."""
    return tf.pow((5.0 + tf.cast(length, tf.float32)) / 6.0, alpha)


def translate_greedily(model: Transformer, source: tf.Tensor, extra_length: int) -> tf.Tensor:
    """Decode greedily: take the most likely subword at each step.

    Args:
        model: the model.
        source: int32 [batch, length]; padded with `PAD`.
        extra_length: how many subwords longer than the longest source a translation may be.

    Returns:
        int32 [batch, longest source + extra_length]; ended by `END` if there was room, padded with `PAD`.
    """
    batch = tf.shape(source)[0]
    sources, bias = model.encode(source)
    limit = tf.shape(source)[1] + extra_length

    def is_open(
        position: tf.Tensor, latest: tf.Tensor, written: tf.Tensor, ended: tf.Tensor, cache: list[KeyValues]
    ) -> tf.Tensor:
        del latest, written, cache
        return (position < limit) & ~tf.reduce_all(ended)

    def write(
        position: tf.Tensor, latest: tf.Tensor, written: tf.Tensor, ended: tf.Tensor, cache: list[KeyValues]
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, list[KeyValues]]:
        logits, cache = model.step(latest, position, sources, bias, cache)
        chosen = tf.where(ended, PAD, tf.argmax(logits, axis=-1, output_type=tf.int32))
        written = tf.where(tf.range(limit) == position, chosen[:, tf.newaxis], written)
        return position + 1, chosen, written, ended | (chosen == END), cache

    empty = tf.reduce_all(source == PAD, axis=1)  # rows of padding
    state = (
        tf.constant(0),
        tf.fill((batch,), PAD),
        tf.fill((batch, limit), PAD),
        empty,
        model.make_empty_cache(batch, limit),
    )
    written: tf.Tensor = tf.while_loop(is_open, write, state)[2]
    return written


def translate_by_beam(
    model: Transformer, source: tf.Tensor, extra_length: int, beam: int, alpha: float
) -> tf.Tensor:
    """Decode by beam search.

    Each step considers the ``2 × beam`` most likely continuations of the open translations. Those that end join the
    finished ones, of which the ``beam`` best are kept, by log probability over `penalize_length`; of the others the
    ``beam`` most likely stay open. A sentence is done when no open translation can beat its finished ones.

    Args:
        model: the model.
        source: int32 [batch, length]; padded with `PAD`.
        extra_length: how many subwords longer than the longest source a translation may be.
        beam: number of open translations per sentence.
        alpha: strength of the length penalty; 0: none.

    Returns:
        int32 [batch, longest source + extra_length]: the best one of each sentence; padded with `PAD`.
    """
    batch = tf.shape(source)[0]
    sources, bias = model.encode(source)
    sources = [KeyValues(*(tf.repeat(part, beam, axis=0) for part in each)) for each in sources]
    bias = tf.repeat(bias, beam, axis=0)
    limit = tf.shape(source)[1] + extra_length
    vocabulary = model.config.vocabulary

    def is_open(
        position: tf.Tensor,
        written: tf.Tensor,
        log_prob: tf.Tensor,
        finished: tf.Tensor,
        scores: tf.Tensor,
        cache: list[KeyValues],
    ) -> tf.Tensor:
        del written, finished, cache
        best_to_come = log_prob[:, 0] / penalize_length(limit, alpha)
        return (position < limit) & tf.reduce_any(best_to_come > scores[:, -1])

    def write(
        position: tf.Tensor,
        written: tf.Tensor,
        log_prob: tf.Tensor,
        finished: tf.Tensor,
        scores: tf.Tensor,
        cache: list[KeyValues],
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, list[KeyValues]]:
        latest = tf.reshape(tf.gather(written, position, axis=2), (-1,))
        logits, cache = model.step(latest, position, sources, bias, cache)
        next_log_probs = tf.reshape(tf.nn.log_softmax(logits), (batch, beam, vocabulary))
        beams = tf.reshape(log_prob[:, :, tf.newaxis] + next_log_probs, (batch, beam * vocabulary))
        beam_log_prob, beams = tf.math.top_k(beams, 2 * beam)
        origins, tokens = beams // vocabulary, beams % vocabulary
        is_next = tf.range(limit + 1) == position + 1
        longer = tf.where(is_next, tokens[:, :, tf.newaxis], tf.gather(written, origins, batch_dims=1))
        ends = tokens == END

        beam_scores = beam_log_prob / penalize_length(position + 1, alpha)
        all_scores = tf.concat([scores, tf.where(ends, beam_scores, IMPOSSIBLE)], axis=1)
        scores, best = tf.math.top_k(all_scores, beam)
        finished = tf.gather(tf.concat([finished, longer], axis=1), best, batch_dims=1)

        log_prob, kept = tf.math.top_k(tf.where(ends, IMPOSSIBLE, beam_log_prob), beam)
        written = tf.gather(longer, kept, batch_dims=1)
        rows = tf.gather(origins, kept, batch_dims=1) + beam * tf.range(batch)[:, tf.newaxis]
        cache = [KeyValues(*(tf.gather(part, tf.reshape(rows, (-1,))) for part in each)) for each in cache]
        return position + 1, written, log_prob, finished, scores, cache

    # All beams start equal: only the first one counts, or they would all hold the same translation.
    first = tf.tile([[0.0] + [IMPOSSIBLE] * (beam - 1)], (batch, 1))
    begun = tf.fill((batch, beam, 1 + limit), PAD)
    scores = tf.fill((batch, beam), IMPOSSIBLE)
    state = (tf.constant(0), begun, first, begun, scores, model.make_empty_cache(batch * beam, limit))
    _, written, _, finished, scores, _ = tf.while_loop(is_open, write, state)
    # If no translation ended before the limit, take the most likely open one.
    is_finished = scores[:, 0] > IMPOSSIBLE / 2
    return tf.where(is_finished[:, tf.newaxis], finished[:, 0], written[:, 0])[:, 1:]
