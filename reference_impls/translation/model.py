"""The Transformer (Vaswani et al., 2017): attention between all positions of a sentence and its translation.

As in the suite's reference each sub-layer normalizes its input, and one more normalization ends each stack (the
paper normalizes after each sub-layer); one matrix serves as embedding of both languages and as output layer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from reference_impls.translation.corpus import END, PAD

MASKED = -1e4
"""Added to the fit of positions that must not be seen; within the range of half precision."""

_LONGEST_WAVE = 10_000.0
_EPSILON = 1e-6


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
