"""The Transformer (Vaswani et al., 2017): attention between all positions of a sentence and its translation.

As in the suite's reference each sub-layer normalizes its input, and one more normalization ends each stack (the
paper normalizes after each sub-layer); one matrix serves as embedding of both languages and as output layer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from reference_impls.translation.corpus import END, PAD
from reference_impls.translation.layers import (
    MASKED,
    Attention,
    Chance,
    FeedForward,
    Memory,
    TransformerConfig,
    encode_positions,
)

_EPSILON = 1e-6


def _normalize(config: TransformerConfig, name: str) -> keras.layers.LayerNormalization:
    layer = keras.layers.LayerNormalization(epsilon=_EPSILON, name=name)
    layer.build((None, None, config.width))
    return layer


class EncoderLayer(keras.layers.Layer):
    """Attention within the sentence, then a feed-forward layer."""

    def __init__(self, config: TransformerConfig, seeds: Iterator[int], **options: Any) -> None:
        super().__init__(**options)
        self.attention_norm, self.forward_norm = (
            _normalize(config, "attention_norm"),
            _normalize(config, "forward_norm"),
        )
        self.attention = Attention(config, seeds, within=True, name="attention")
        self.forward = FeedForward(config, seeds, name="forward")
        self.built = True

    def call(self, x: tf.Tensor, bias: tf.Tensor, chance: Chance | None = None) -> tf.Tensor:
        """Apply both, each with a way past it."""
        drop = chance.drop if chance is not None else tf.identity
        x += drop(self.attention(self.attention_norm(x), None, bias, chance=chance))
        return x + drop(self.forward(self.forward_norm(x), chance=chance))


class DecoderLayer(keras.layers.Layer):
    """Attention within the translation so far, attention to the sentence, then a feed-forward layer."""

    def __init__(self, config: TransformerConfig, seeds: Iterator[int], **options: Any) -> None:
        super().__init__(**options)
        self.within_norm, self.source_norm = (
            _normalize(config, "within_norm"),
            _normalize(config, "source_norm"),
        )
        self.forward_norm = _normalize(config, "forward_norm")
        self.within = Attention(config, seeds, within=True, name="within")
        self.to_source = Attention(config, seeds, within=False, name="to_source")
        self.forward = FeedForward(config, seeds, name="forward")
        self.built = True

    def call(
        self,
        x: tf.Tensor,
        source: Memory,
        source_bias: tf.Tensor,
        bias: tf.Tensor,
        past: Memory | None = None,
        chance: Chance | None = None,
    ) -> tuple[tf.Tensor, Memory]:
        """Apply all three, each with a way past it.

        Args:
            x: [batch, length, width].
            source: of the sentence; see `remember_source`.
            source_bias: hides what fills the sentence up.
            bias: hides later positions.
            past: of earlier positions of the translation, which x goes on from.
            chance: drops values, in training.

        Returns:
            What x became, and the keys and values of the translation up to here.
        """
        drop = chance.drop if chance is not None else tf.identity
        queries, memory = self.within.find(self.within_norm(x))
        if past is not None:
            memory = Memory(*(tf.concat(pair, axis=2) for pair in zip(past, memory, strict=True)))
        x += drop(self.within.attend(queries, memory, bias, chance))
        x += drop(self.to_source(self.source_norm(x), source, source_bias, chance=chance))
        return x + drop(self.forward(self.forward_norm(x), chance=chance)), memory


class Transformer(keras.Model):
    """Encoder and decoder.

    Args:
        config: its shape.
        seed: of the initial weights.
    """

    def __init__(self, config: TransformerConfig, seed: int) -> None:
        super().__init__()
        self.config = config
        seeds = iter(np.random.default_rng([seed, 1]).integers(2**30, size=10_000).tolist())
        self.encoder = [
            EncoderLayer(config, seeds, name=f"encoder_{i}") for i in range(config.encoder_layers)
        ]
        self.decoder = [
            DecoderLayer(config, seeds, name=f"decoder_{i}") for i in range(config.decoder_layers)
        ]
        self.encoder_norm, self.decoder_norm = (
            _normalize(config, "encoder_norm"),
            _normalize(config, "decoder_norm"),
        )
        self.embedding = self.add_weight(
            shape=(config.vocabulary, config.width),
            initializer=keras.initializers.RandomNormal(stddev=config.width**-0.5, seed=next(seeds)),
            name="embedding",
        )
        self.built = True

    def call(self, source: tf.Tensor, target: tf.Tensor, chance: Chance | None = None) -> tf.Tensor:
        """Logits of each next subword of a translation that is known.

        Args:
            source: int32 [batch, length]; filled up with `PAD`.
            target: int32 [batch, length]; the translation, each position to be told from those before it.
            chance: drops values, in training.

        Returns:
            float32 [batch, length, vocabulary].
        """
        memories, source_bias = self.encode(source, chance)
        before = tf.pad(target, ((0, 0), (1, 0)), constant_values=END)[:, :-1]
        x = self._embed(before, 0)
        if chance is not None:
            x = chance.drop(x)
        length = tf.shape(target)[1]
        bias = MASKED * (1 - tf.linalg.band_part(tf.ones((length, length)), -1, 0))
        for layer, memory in zip(self.decoder, memories, strict=True):
            x, _ = layer(x, memory, source_bias, bias, chance=chance)
        return self._score(x)

    def encode(self, source: tf.Tensor, chance: Chance | None = None) -> tuple[list[Memory], tf.Tensor]:
        """Read sentences.

        Args:
            source: int32 [batch, length]; filled up with `PAD`.
            chance: drops values, in training.

        Returns:
            For each decoder layer keys and values of the sentences, and a bias that hides what fills them up.
        """
        bias = MASKED * tf.cast(source == PAD, tf.float32)[:, tf.newaxis, tf.newaxis, :]
        x = self._embed(source, 0)
        if chance is not None:
            x = chance.drop(x)
        for layer in self.encoder:
            x = layer(x, bias, chance=chance)
        x = self.encoder_norm(x)
        return [layer.to_source.remember(x) for layer in self.decoder], bias

    def step(
        self,
        tokens: tf.Tensor,
        position: tf.Tensor,
        sources: list[Memory],
        bias: tf.Tensor,
        past: list[Memory],
    ) -> tuple[tf.Tensor, list[Memory]]:
        """Logits of the next subword of translations that are being written.

        Args:
            tokens: int32 [batch]; the latest subword of each, `END` at the beginning.
            position: how many subwords there are already.
            sources: see `encode`.
            bias: see `encode`.
            past: for each decoder layer keys and values of the translation so far; see `begin`.

        Returns:
            float32 [batch, vocabulary], and what `past` is for the next step.
        """
        x = self._embed(tokens[:, tf.newaxis], position)
        memories = []
        for layer, source, before in zip(self.decoder, sources, past, strict=True):
            x, memory = layer(x, source, bias, tf.zeros((1, 1)), past=before)
            memories.append(memory)
        return self._score(x)[:, 0], memories

    def begin(self, batch: tf.Tensor) -> list[Memory]:
        """What `step` remembers at the beginning: nothing."""
        shape = (batch, self.config.heads, 0, self.config.width // self.config.heads)
        nothing = tf.zeros(shape, self.compute_dtype)
        return [Memory(nothing, nothing) for _ in self.decoder]

    def _embed(self, tokens: tf.Tensor, position: tf.Tensor | int) -> tf.Tensor:
        width = self.config.width
        vectors = tf.gather(tf.convert_to_tensor(self.embedding), tokens) * width**0.5
        vectors *= tf.cast(tokens != PAD, vectors.dtype)[:, :, tf.newaxis]
        waves = encode_positions(position + tf.shape(tokens)[1], width)[position:]
        return vectors + tf.cast(waves, vectors.dtype)

    def _score(self, x: tf.Tensor) -> tf.Tensor:
        """Logits: how alike the vectors are to each subword's."""
        x = self.decoder_norm(x)
        shape = tf.shape(x)
        table = tf.cast(tf.convert_to_tensor(self.embedding), x.dtype)
        flat = tf.matmul(tf.reshape(x, (-1, self.config.width)), table, transpose_b=True)
        return tf.cast(tf.reshape(flat, (shape[0], shape[1], self.config.vocabulary)), tf.float32)


def measure_loss(logits: tf.Tensor, target: tf.Tensor, smoothing: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Cross entropy against a target of which a share is spread over all other subwords.

    Args:
        logits: float32 [batch, length, vocabulary].
        target: int32 [batch, length]; `PAD` is left out.
        smoothing: the share that is spread.

    Returns:
        The sum over all positions, less what a perfect model could not avoid; and the number of positions.
    """
    size = logits.shape[-1]
    spread = smoothing / (size - 1)
    whole = tf.reduce_logsumexp(logits, axis=-1)
    chosen = tf.gather(logits, target, batch_dims=2)
    losses = whole - (1 - smoothing - spread) * chosen - spread * tf.reduce_sum(logits, axis=-1)
    if smoothing:
        losses += (1 - smoothing) * math.log(1 - smoothing) + smoothing * math.log(spread)
    weights = tf.cast(target != PAD, tf.float32)
    return tf.reduce_sum(losses * weights), tf.reduce_sum(weights)
