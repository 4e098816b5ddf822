"""The parts of the Transformer: positions, attention, feed-forward layers and dropout."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from reference_impls.translation.config import TranslationConfig

MASKED = -1e4
"""Added to the attention logits of masked positions; within the range of half precision."""

_LONGEST_WAVE = 10_000.0


class KeyValues(NamedTuple):
    """Keys and values of the positions attended to: [batch, heads, length, width / heads]."""

    keys: tf.Tensor
    values: tf.Tensor


class Dropout:
    """Stateless dropout: each place in the model draws its own random numbers.

    Args:
        config: holds the dropout rates.
        seeds: int32 [2]; determine all that is drawn.
    """

    def __init__(self, config: TranslationConfig, seeds: tf.Tensor) -> None:
        self._config = config
        self._seeds = seeds
        self._places = 0

    def drop(self, x: tf.Tensor) -> tf.Tensor:
        """Apply dropout to embeddings or to the output of a sub-layer."""
        return self._drop(x, self._config.dropout)

    def drop_inside(self, x: tf.Tensor) -> tf.Tensor:
        """Apply dropout within a sub-layer."""
        return self._drop(x, self._config.inner_dropout)

    def _drop(self, x: tf.Tensor, rate: float) -> tf.Tensor:
        if not rate:
            return x
        self._places += 1
        return tf.nn.experimental.stateless_dropout(x, rate, self._seeds + tf.constant((0, self._places)))


def encode_positions(length: tf.Tensor | int, width: int, first: tf.Tensor | int = 0) -> tf.Tensor:
    """Sines and cosines of the positions, with wavelengths from 2π to 10,000·2π: float32 [length, width].

    Args:
        length: number of positions.
        width: size of the vector at each position.
        first: the first position.
    """
    count = width // 2
    steps = np.arange(count) * (math.log(_LONGEST_WAVE) / max(count - 1, 1))
    positions = tf.cast(first + tf.range(length), tf.float32)
    angles = positions[:, tf.newaxis] * tf.constant(np.exp(-steps), tf.float32)
    return tf.concat([tf.sin(angles), tf.cos(angles)], axis=1)


class Projection(keras.layers.Layer):
    """A linear layer without bias that computes several outputs at once, for example query, key and value.

    Each output's weights start from a Glorot uniform distribution of their own.

    Args:
        width: of the input and of each output.
        parts: number of outputs.
        seed: seed of the initial weights.
        **options: those of a Keras layer.
    """

    def __init__(self, width: int, parts: int, seed: int, **options: Any) -> None:
        super().__init__(**options)
        self.width, self.parts = width, parts
        limit = math.sqrt(6 / (width + width))
        start = keras.initializers.RandomUniform(-limit, limit, seed=seed)
        self.kernel = self.add_weight(shape=(width, parts * width), initializer=start, name="kernel")
        self.built = True

    def call(self, x: tf.Tensor) -> list[tf.Tensor]:
        """The outputs, one tensor each."""
        flat = tf.matmul(tf.reshape(x, (-1, x.shape[-1])), tf.convert_to_tensor(self.kernel))
        shape = tf.shape(x)
        wide = tf.reshape(flat, (shape[0], shape[1], self.parts * self.width))
        parts: list[tf.Tensor] = tf.split(wide, self.parts, axis=-1)
        return parts


class Attention(keras.layers.Layer):
    """Multi-head attention.

    Args:
        config: the model's shape.
        seeds: seeds of the initial weights.
        is_self: whether queries, keys and values come from the same sequence.
    """

    def __init__(
        self, config: TranslationConfig, seeds: Iterator[int], *, is_self: bool, **options: Any
    ) -> None:
        super().__init__(**options)
        self.heads = config.heads
        self.width = config.width
        if is_self:
            self.project = Projection(config.width, 3, next(seeds), name="queries_keys_values")
        else:
            self.project_queries = Projection(config.width, 1, next(seeds), name="queries")
            self.project = Projection(config.width, 2, next(seeds), name="keys_values")
        self.output_projection = Projection(config.width, 1, next(seeds), name="output")
        self.built = True

    def project_self(self, x: tf.Tensor) -> tuple[tf.Tensor, KeyValues]:
        """Queries, keys and values of one sequence."""
        queries, keys, values = (self._split(part) for part in self.project(x))
        return queries, KeyValues(keys, values)

    def project_source(self, source: tf.Tensor) -> KeyValues:
        """Keys and values of another sequence."""
        return KeyValues(*(self._split(part) for part in self.project(source)))

    def attend(
        self, queries: tf.Tensor, key_values: KeyValues, bias: tf.Tensor, dropout: Dropout | None
    ) -> tf.Tensor:
        """Scaled dot-product attention, then the output projection.

        Args:
            queries: [batch, heads, length, width / heads].
            key_values: keys and values of the positions attended to.
            bias: added to the attention logits; `MASKED` at masked positions.
            dropout: applied in training; None in evaluation.

        Returns:
            [batch, length, width].
        """
        scale = tf.cast((self.width // self.heads) ** -0.5, queries.dtype)
        logits = tf.matmul(queries * scale, key_values.keys, transpose_b=True)
        weights = tf.nn.softmax(logits + tf.cast(bias, logits.dtype))
        if dropout is not None:
            weights = dropout.drop_inside(weights)
        mean = tf.transpose(tf.matmul(weights, key_values.values), (0, 2, 1, 3))
        shape = tf.shape(mean)
        return self.output_projection(tf.reshape(mean, (shape[0], shape[1], self.width)))[0]

    def call(
        self, x: tf.Tensor, key_values: KeyValues | None, bias: tf.Tensor, dropout: Dropout | None = None
    ) -> tf.Tensor:
        """Attend from x to other positions, or within x if none are given."""
        if key_values is None:
            queries, key_values = self.project_self(x)
        else:
            queries = self._split(self.project_queries(x)[0])
        return self.attend(queries, key_values, bias, dropout)

    def _split(self, x: tf.Tensor) -> tf.Tensor:
        shape = tf.shape(x)
        parts = tf.reshape(x, (shape[0], shape[1], self.heads, self.width // self.heads))
        return tf.transpose(parts, (0, 2, 1, 3))


class FeedForward(keras.layers.Layer):
    """Two linear layers at each position, with a ReLU between."""

    def __init__(self, config: TranslationConfig, seeds: Iterator[int], **options: Any) -> None:
        super().__init__(**options)
        self.inner = keras.layers.Dense(
            config.filter_width,
            activation="relu",
            kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)),
            name="inner",
        )
        self.outer = keras.layers.Dense(
            config.width, kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)), name="outer"
        )
        self.inner.build((None, None, config.width))
        self.outer.build((None, None, config.filter_width))
        self.built = True

    def call(self, x: tf.Tensor, dropout: Dropout | None = None) -> tf.Tensor:
        """Apply both layers."""
        hidden = self.inner(x)
        return self.outer(hidden if dropout is None else dropout.drop_inside(hidden))
