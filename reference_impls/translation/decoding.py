"""Writing translations: greedily, or by beam search with a length penalty."""

from __future__ import annotations

import tensorflow as tf

from reference_impls.translation.corpus import END, PAD
from reference_impls.translation.layers import Memory
from reference_impls.translation.model import Transformer

IMPOSSIBLE = -1e9


def penalize_length(length: tf.Tensor, alpha: float) -> tf.Tensor:
    """By what a translation's log probability is divided: ((5 + length) / 6) ^ alpha (Wu et al., 2016)."""
    return tf.pow((5.0 + tf.cast(length, tf.float32)) / 6.0, alpha)


def translate_greedily(model: Transformer, source: tf.Tensor, extra_length: int) -> tf.Tensor:
    """Translate by taking the likeliest subword each time.

    Args:
        model: the model.
        source: int32 [batch, length]; filled up with `PAD`.
        extra_length: subwords that a translation may have more than the longest sentence.

    Returns:
        int32 [batch, longest translation]; ended by `END` where there was room, filled up with `PAD`.
    """
    batch = tf.shape(source)[0]
    sources, bias = model.encode(source)
    limit = tf.shape(source)[1] + extra_length

    def is_open(position: tf.Tensor, written: tf.Tensor, ended: tf.Tensor, past: list[Memory]) -> tf.Tensor:
        del written, past
        return (position < limit) & ~tf.reduce_all(ended)

    def write(
        position: tf.Tensor, written: tf.Tensor, ended: tf.Tensor, past: list[Memory]
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, list[Memory]]:
        logits, past = model.step(written[:, -1], position, sources, bias, past)
        chosen = tf.where(ended, PAD, tf.argmax(logits, axis=-1, output_type=tf.int32))
        written = tf.concat([written, chosen[:, tf.newaxis]], axis=1)
        return position + 1, written, ended | (chosen == END), past

    past = model.begin(batch)
    empty = tf.reduce_all(source == PAD, axis=1)  # rows that fill up a batch
    state = (tf.constant(0), tf.fill((batch, 1), END), empty, past)
    shapes = (tf.TensorShape(()), tf.TensorShape((None, None)), empty.shape, [_grow(each) for each in past])
    _, written, _, _ = tf.while_loop(is_open, write, state, shapes)
    return written[:, 1:]


def translate_by_beam(
    model: Transformer, source: tf.Tensor, extra_length: int, beam: int, alpha: float
) -> tf.Tensor:
    """Translate by following several translations at once.

    In each step the ``2 × beam`` likeliest ways to go on from the open translations are looked at. Those that
    end join the finished ones, of which the ``beam`` best are kept, by log probability over `penalize_length`; of
    the others the ``beam`` likeliest stay open. A sentence is done when no open translation can become better
    than its finished ones.

    Args:
        model: the model.
        source: int32 [batch, length]; filled up with `PAD`.
        extra_length: subwords that a translation may have more than the longest sentence.
        beam: how many are followed at once.
        alpha: strength of the length penalty; 0: none.

    Returns:
        int32 [batch, longest translation]: the best one of each sentence; filled up with `PAD`.
    """
    batch = tf.shape(source)[0]
    sources, bias = model.encode(source)
    sources = [Memory(*(tf.repeat(part, beam, axis=0) for part in each)) for each in sources]
    bias = tf.repeat(bias, beam, axis=0)
    limit = tf.shape(source)[1] + extra_length
    vocabulary = model.config.vocabulary

    def is_open(
        position: tf.Tensor,
        written: tf.Tensor,
        likelihood: tf.Tensor,
        finished: tf.Tensor,
        scores: tf.Tensor,
        past: list[Memory],
    ) -> tf.Tensor:
        del written, finished, past
        best_to_come = likelihood[:, 0] / penalize_length(limit, alpha)
        return (position < limit) & tf.reduce_any(best_to_come > scores[:, -1])

    def write(
        position: tf.Tensor,
        written: tf.Tensor,
        likelihood: tf.Tensor,
        finished: tf.Tensor,
        scores: tf.Tensor,
        past: list[Memory],
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, list[Memory]]:
        logits, past = model.step(tf.reshape(written[:, :, -1], (-1,)), position, sources, bias, past)
        chances = tf.reshape(tf.nn.log_softmax(logits), (batch, beam, vocabulary))
        ways = tf.reshape(likelihood[:, :, tf.newaxis] + chances, (batch, beam * vocabulary))
        way_likelihood, ways = tf.math.top_k(ways, 2 * beam)
        origins, tokens = ways // vocabulary, ways % vocabulary
        longer = tf.concat([tf.gather(written, origins, batch_dims=1), tokens[:, :, tf.newaxis]], axis=2)
        ends = tokens == END

        way_scores = way_likelihood / penalize_length(position + 1, alpha)
        all_scores = tf.concat([scores, tf.where(ends, way_scores, IMPOSSIBLE)], axis=1)
        longer_finished = tf.pad(finished, ((0, 0), (0, 0), (0, 1)), constant_values=PAD)
        scores, best = tf.math.top_k(all_scores, beam)
        finished = tf.gather(tf.concat([longer_finished, longer], axis=1), best, batch_dims=1)

        likelihood, kept = tf.math.top_k(tf.where(ends, IMPOSSIBLE, way_likelihood), beam)
        written = tf.gather(longer, kept, batch_dims=1)
        rows = tf.gather(origins, kept, batch_dims=1) + beam * tf.range(batch)[:, tf.newaxis]
        past = [Memory(*(tf.gather(part, tf.reshape(rows, (-1,))) for part in each)) for each in past]
        return position + 1, written, likelihood, finished, scores, past

    past = model.begin(batch * beam)
    # All beams begin alike: only the first one counts, or the same translation would be followed several times.
    first = tf.tile([[0.0] + [IMPOSSIBLE] * (beam - 1)], (batch, 1))
    begun = tf.fill((batch, beam, 1), END)
    state = (tf.constant(0), begun, first, begun, tf.fill((batch, beam), IMPOSSIBLE), past)
    any_length = tf.TensorShape((None, beam, None))
    each_beam = tf.TensorShape((None, beam))
    shapes = (
        tf.TensorShape(()),
        any_length,
        each_beam,
        any_length,
        each_beam,
        [_grow(each) for each in past],
    )
    _, written, _, finished, scores, _ = tf.while_loop(is_open, write, state, shapes)
    # Where nothing has ended before the limit, the likeliest open translation is taken.
    has_ended = scores[:, 0] > IMPOSSIBLE / 2
    return tf.where(has_ended[:, tf.newaxis], finished[:, 0], written[:, 0])[:, 1:]


def _grow(memory: Memory) -> Memory:
    """Shapes of a memory whose length changes from step to step."""
    shape = memory.keys.shape
    grown = tf.TensorShape((None, shape[1], None, shape[3]))
    return Memory(grown, grown)
