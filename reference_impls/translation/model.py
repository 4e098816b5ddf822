"""The Transformer (Vaswani et al., 2017): attention between all positions of a sentence and its translation.

As in the suite's reference, each sub-layer normalizes its input and a final normalization ends each stack (the paper
normalizes after each sub-layer); one matrix serves as the embedding of both languages and as the output layer. As there,
a translation starts from a vector of zeros, which is what `PAD` is embedded as.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from reference_impls.translation.config import TranslationConfig
from reference_impls.translation.corpus import PAD
from reference_impls.translation.layers import (
    MASKED,
    Attention,
    Dropout,
    FeedForward,
    KeyValues,
    encode_positions,
)

_EPSILON = 1e-6


def _normalize(config: TranslationConfig, name: str) -> keras.layers.LayerNormalization:
    layer = keras.layers.LayerNormalization(epsilon=_EPSILON, name=name)
    layer.build((None, None, config.width))
    return layer


class EncoderLayer(keras.layers.Layer):
    """Self-attention, then a feed-forward layer."""

    def __init__(self, config: TranslationConfig, seeds: Iterator[int], **options: Any) -> None:
        super().__init__(**options)
        self.attention_norm, self.forward_norm = (
            _normalize(config, "attention_norm"),
            _normalize(config, "forward_norm"),
        )
        self.attention = Attention(config, seeds, is_self=True, name="attention")
        self.forward = FeedForward(config, seeds, name="forward")
        self.built = True

    def call(self, x: tf.Tensor, bias: tf.Tensor, dropout: Dropout | None = None) -> tf.Tensor:
        """Apply both sub-layers, each with a residual connection."""
        drop = dropout.drop if dropout is not None else tf.identity
        x += drop(self.attention(self.attention_norm(x), None, bias, dropout=dropout))
        return x + drop(self.forward(self.forward_norm(x), dropout=dropout))


class DecoderLayer(keras.layers.Layer):
    """Masked self-attention, attention to the source, then a feed-forward layer."""

    def __init__(self, config: TranslationConfig, seeds: Iterator[int], **options: Any) -> None:
        super().__init__(**options)
        self.self_norm, self.cross_norm = (_normalize(config, "self_norm"), _normalize(config, "cross_norm"))
        self.forward_norm = _normalize(config, "forward_norm")
        self.self_attention = Attention(config, seeds, is_self=True, name="self_attention")
        self.cross_attention = Attention(config, seeds, is_self=False, name="cross_attention")
        self.forward = FeedForward(config, seeds, name="forward")
        self.built = True

    def call(
        self,
        x: tf.Tensor,
        source: KeyValues,
        source_bias: tf.Tensor,
        bias: tf.Tensor,
        cache: KeyValues | None = None,
        position: tf.Tensor | int = 0,
        dropout: Dropout | None = None,
    ) -> tuple[tf.Tensor, KeyValues]:
        """Apply all three sub-layers, each with a residual connection.

        Args:
            x: [batch, length, width].
            source: keys and values of the source sentence.
            source_bias: masks padding.
            bias: masks later positions.
            cache: in decoding, keys and values of the earlier positions, with room for the later ones.
            position: in decoding, the position of x.
            dropout: applied in training; None in evaluation.

        Returns:
            The output, and the keys and values of the translation up to here.
        """
        drop = dropout.drop if dropout is not None else tf.identity
        queries, key_values = self.self_attention.project_self(self.self_norm(x))
        if cache is not None:
            is_here = (tf.range(tf.shape(cache.keys)[2]) == position)[:, tf.newaxis]
            key_values = KeyValues(
                *(tf.where(is_here, new, old) for new, old in zip(key_values, cache, strict=True))
            )
        x += drop(self.self_attention.attend(queries, key_values, bias, dropout))
        x += drop(self.cross_attention(self.cross_norm(x), source, source_bias, dropout=dropout))
        return x + drop(self.forward(self.forward_norm(x), dropout=dropout)), key_values


class Transformer(keras.Model):
    """Encoder and decoder.

    Args:
        config: the configuration, which holds the shape.
        seed: seed of the initial weights.
    """

    def __init__(self, config: TranslationConfig, seed: int) -> None:
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

    def call(self, source: tf.Tensor, target: tf.Tensor, dropout: Dropout | None = None) -> tf.Tensor:
        """Logits of each next subword of a known translation (teacher forcing).

        Args:
            source: int32 [batch, length]; padded with `PAD`.
            target: int32 [batch, length]; the translation; each position is predicted from those before it.
            dropout: applied in training; None in evaluation.

        Returns:
            float32 [batch, length, vocabulary].
        """
        caches, source_bias = self.encode(source, dropout)
        before = tf.pad(target, ((0, 0), (1, 0)), constant_values=PAD)[:, :-1]
        x = self._embed(before, 0)
        if dropout is not None:
            x = dropout.drop(x)
        length = tf.shape(target)[1]
        bias = MASKED * (1 - tf.linalg.band_part(tf.ones((length, length)), -1, 0))
        for layer, key_values in zip(self.decoder, caches, strict=True):
            x, _ = layer(x, key_values, source_bias, bias, dropout=dropout)
        return self._score(x)

    def encode(self, source: tf.Tensor, dropout: Dropout | None = None) -> tuple[list[KeyValues], tf.Tensor]:
        """Encode source sentences.

        Args:
            source: int32 [batch, length]; padded with `PAD`.
            dropout: applied in training; None in evaluation.

        Returns:
            For each decoder layer the keys and values of the sentences, and a bias that masks padding.
        """
        bias = MASKED * tf.cast(source == PAD, tf.float32)[:, tf.newaxis, tf.newaxis, :]
        x = self._embed(source, 0)
        if dropout is not None:
            x = dropout.drop(x)
        for layer in self.encoder:
            x = layer(x, bias, dropout=dropout)
        x = self.encoder_norm(x)
        return [layer.cross_attention.project_source(x) for layer in self.decoder], bias

    def step(
        self,
        tokens: tf.Tensor,
        position: tf.Tensor,
        sources: list[KeyValues],
        bias: tf.Tensor,
        cache: list[KeyValues],
    ) -> tuple[tf.Tensor, list[KeyValues]]:
        """Logits of the next subword in decoding.

        Args:
            tokens: int32 [batch]; the latest subword of each translation, `PAD` at the start.
            position: number of subwords decoded so far.
            sources: see `encode`.
            bias: see `encode`.
            cache: for each decoder layer the keys and values of the translation so far; see `make_empty_cache`.

        Returns:
            float32 [batch, vocabulary], and the cache for the next step.
        """
        x = self._embed(tokens[:, tf.newaxis], position)
        later = MASKED * tf.cast(tf.range(tf.shape(cache[0].keys)[2]) > position, tf.float32)[tf.newaxis]
        caches = []
        for layer, source, before in zip(self.decoder, sources, cache, strict=True):
            x, key_values = layer(x, source, bias, later, cache=before, position=position)
            caches.append(key_values)
        return self._score(x)[:, 0], caches

    def make_empty_cache(self, batch: tf.Tensor, length: tf.Tensor | int) -> list[KeyValues]:
        """The cache that `step` starts from; its size never changes, so XLA can compile decoding.

        Args:
            batch: number of translations.
            length: greatest number of subwords of each.
        """
        shape = (batch, self.config.heads, length, self.config.width // self.config.heads)
        empty = tf.zeros(shape, self.compute_dtype)
        return [KeyValues(empty, empty) for _ in self.decoder]

    def _embed(self, tokens: tf.Tensor, position: tf.Tensor | int) -> tf.Tensor:
        width = self.config.width
        vectors = tf.gather(tf.convert_to_tensor(self.embedding), tokens) * width**0.5
        vectors *= tf.cast(tokens != PAD, vectors.dtype)[:, :, tf.newaxis]
        waves = encode_positions(tf.shape(tokens)[1], width, position)
        return vectors + tf.cast(waves, vectors.dtype)

    def _score(self, x: tf.Tensor) -> tf.Tensor:
        """Logits: products with the embedding of each subword."""
        x = self.decoder_norm(x)
        shape = tf.shape(x)
        table = tf.cast(tf.convert_to_tensor(self.embedding), x.dtype)
        flat = tf.matmul(tf.reshape(x, (-1, self.config.width)), table, transpose_b=True)
        return tf.cast(tf.reshape(flat, (shape[0], shape[1], self.config.vocabulary)), tf.float32)


def measure_loss(logits: tf.Tensor, target: tf.Tensor, smoothing: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Cross entropy with label smoothing.

    Args:
        logits: float32 [batch, length, vocabulary].
        target: int32 [batch, length]; `PAD` does not count.
        smoothing: share of the probability spread over all other subwords.

    Returns:
        The sum over all positions, less the entropy of the smoothed target, and the number of positions.
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
