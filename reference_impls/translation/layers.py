"""The parts of the Transformer: positions, attention, feed-forward layers, and what they drop in training."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

MASKED = -1e4
"""Added to the fit of positions that must not be seen; within the range of half precision."""

_LONGEST_WAVE = 10_000.0


@dataclass(frozen=True)
class TransformerConfig:
    """The shape of a Transformer; the defaults are those of "big".

    Attributes:
        vocabulary: number of subwords.
        width: size of the vectors at each position.
        filter_width: size of the feed-forward layers' inside.
        heads: number of attention heads.
        encoder_layers: number of layers that read the sentence.
        decoder_layers: number of layers that write the translation.
        dropout: share of values that are dropped in training, of embeddings and of what each sub-layer gives.
        inner_dropout: the same within sub-layers: of attention's weights and of feed-forward layers' insides.
    """

    vocabulary: int = 33_708
    width: int = 1024
    filter_width: int = 4096
    heads: int = 16
    encoder_layers: int = 6
    decoder_layers: int = 6
    dropout: float = 0.1
    inner_dropout: float = 0.1


class Memory(NamedTuple):
    """Keys and values of positions that are attended to: [batch, heads, length, width / heads]."""

    keys: tf.Tensor
    values: tf.Tensor


class Chance:
    """Gives each place where values are dropped random numbers of its own.

    Args:
        config: says how many.
        seeds: int32 [2]; every choice follows from it.
    """

    def __init__(self, config: TransformerConfig, seeds: tf.Tensor) -> None:
        self._config = config
        self._seeds = seeds
        self._places = 0

    def drop(self, x: tf.Tensor) -> tf.Tensor:
        """Set some of a sub-layer's results to 0 and scale the others up."""
        return self._drop(x, self._config.dropout)

    def drop_inside(self, x: tf.Tensor) -> tf.Tensor:
        """The same within a sub-layer."""
        return self._drop(x, self._config.inner_dropout)

    def _drop(self, x: tf.Tensor, rate: float) -> tf.Tensor:
        if not rate:
            return x
        self._places += 1
        return tf.nn.experimental.stateless_dropout(x, rate, self._seeds + tf.constant((0, self._places)))


def encode_positions(length: tf.Tensor | int, width: int) -> tf.Tensor:
    """Sines and cosines of the positions, in wave lengths from 2π to 10,000·2π: float32 [length, width]."""
    count = width // 2
    steps = np.arange(count) * (math.log(_LONGEST_WAVE) / max(count - 1, 1))
    angles = tf.cast(tf.range(length), tf.float32)[:, tf.newaxis] * tf.constant(np.exp(-steps), tf.float32)
    return tf.concat([tf.sin(angles), tf.cos(angles)], axis=1)


class Projection(keras.layers.Layer):
    """A linear layer without bias that gives several vectors for one, for example query, key and value.

    Each starts from Glorot's uniform distribution for itself.

    Args:
        width: of the vectors.
        parts: how many are given for one.
        seed: of the initial weights.
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
        """Multiply; gives the parts."""
        flat = tf.matmul(tf.reshape(x, (-1, x.shape[-1])), tf.convert_to_tensor(self.kernel))
        shape = tf.shape(x)
        wide = tf.reshape(flat, (shape[0], shape[1], self.parts * self.width))
        parts: list[tf.Tensor] = tf.split(wide, self.parts, axis=-1)
        return parts


class Attention(keras.layers.Layer):
    """Multi-head attention.

    Args:
        config: the model's shape.
        seeds: of the initial weights.
        within: whether queries, keys and values come from the same positions.
    """

    def __init__(
        self, config: TransformerConfig, seeds: Iterator[int], *, within: bool, **options: Any
    ) -> None:
        super().__init__(**options)
        self.heads = config.heads
        self.width = config.width
        if within:
            self.project = Projection(config.width, 3, next(seeds), name="queries_keys_values")
        else:
            self.ask = Projection(config.width, 1, next(seeds), name="queries")
            self.project = Projection(config.width, 2, next(seeds), name="keys_values")
        self.join = Projection(config.width, 1, next(seeds), name="output")
        self.built = True

    def find(self, x: tf.Tensor) -> tuple[tf.Tensor, Memory]:
        """Queries, and the keys and values of the same positions."""
        queries, keys, values = (self._split(part) for part in self.project(x))
        return queries, Memory(keys, values)

    def remember(self, source: tf.Tensor) -> Memory:
        """Keys and values of other positions."""
        return Memory(*(self._split(part) for part in self.project(source)))

    def attend(self, queries: tf.Tensor, memory: Memory, bias: tf.Tensor, chance: Chance | None) -> tf.Tensor:
        """Mean of the values, weighted by how well their keys fit the queries.

        Args:
            queries: [batch, heads, length, width / heads].
            memory: keys and values.
            bias: added to the fit; `MASKED` where a position must not be seen.
            chance: drops values, in training.

        Returns:
            [batch, length, width].
        """
        scale = tf.cast((self.width // self.heads) ** -0.5, queries.dtype)
        fit = tf.matmul(queries * scale, memory.keys, transpose_b=True)
        weights = tf.nn.softmax(fit + tf.cast(bias, fit.dtype))
        if chance is not None:
            weights = chance.drop_inside(weights)
        mean = tf.transpose(tf.matmul(weights, memory.values), (0, 2, 1, 3))
        shape = tf.shape(mean)
        return self.join(tf.reshape(mean, (shape[0], shape[1], self.width)))[0]

    def call(
        self, x: tf.Tensor, memory: Memory | None, bias: tf.Tensor, chance: Chance | None = None
    ) -> tf.Tensor:
        """Attend from x to the memory, or within x where there is none."""
        if memory is None:
            queries, memory = self.find(x)
        else:
            queries = self._split(self.ask(x)[0])
        return self.attend(queries, memory, bias, chance)

    def _split(self, x: tf.Tensor) -> tf.Tensor:
        shape = tf.shape(x)
        parts = tf.reshape(x, (shape[0], shape[1], self.heads, self.width // self.heads))
        return tf.transpose(parts, (0, 2, 1, 3))


class FeedForward(keras.layers.Layer):
    """Two linear layers at each position, with a rectifier between."""

    def __init__(self, config: TransformerConfig, seeds: Iterator[int], **options: Any) -> None:
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

    def call(self, x: tf.Tensor, chance: Chance | None = None) -> tf.Tensor:
        """Apply both."""
        inside = self.inner(x)
        return self.outer(inside if chance is None else chance.drop_inside(inside))
