"""seq2-bown-CNN (Johnson & Zhang, 2015): convolutions over regions of one-hot words, and a bag of word sequences.

A region of p words is represented by p concatenated one-hot vectors, so a neuron has a weight for each word *at each
position* of the region; no word embeddings are shared between positions or neurons. The product of such a vector
with a weight matrix is the sum of p of its rows, which is how it is computed here.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from reference_impls.sentiment.config import SentimentConfig


class RegionConvolution(keras.layers.Layer):
    """A convolution over one-hot regions, max-pooled over the text and normalized.

    Args:
        words: size of the vocabulary; index 0 stands for no word.
        region: words in a region.
        units: neurons.
    """

    def __init__(self, words: int, region: int, units: int) -> None:
        super().__init__()
        self.words, self.region, self.units = words, region, units

    def build(self, _shape: object) -> None:
        """Create the weights: one matrix for each position in the region."""
        start = keras.initializers.RandomNormal(stddev=0.001)
        self.tables = [
            self.add_weight(shape=(self.words + 1, self.units), initializer=start, name=f"position_{place}")
            for place in range(self.region)
        ]
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, numbers: tf.Tensor) -> tf.Tensor:
        """The responses to texts.

        Args:
            numbers: int32, shape (texts, length); 0 where there is no known word.

        Returns:
            Shape (texts, units).
        """
        edge = self.region - 1
        padded = tf.pad(numbers, [[0, 0], [edge, edge]])
        places = tf.shape(padded)[1] - edge
        total = tf.cast(self.bias, self.compute_dtype)
        for place, table in enumerate(self.tables):
            shifted = padded[:, place : place + places]
            is_word = tf.cast(shifted > 0, self.compute_dtype)[..., None]
            total += tf.gather(tf.cast(table, self.compute_dtype), shifted) * is_word
        pooled = tf.reduce_max(tf.nn.relu(total), axis=1)
        return normalize_response(pooled)


def normalize_response(values: tf.Tensor) -> tf.Tensor:
    """Scale vectors by 1 / sqrt(1 + squared norm)."""
    return values * tf.math.rsqrt(1.0 + tf.reduce_sum(values * values, axis=-1, keepdims=True))


class BagLayer(keras.layers.Layer):
    """Neurons that see the whole text as the set of its n-grams.

    Args:
        ngrams: size of the n-gram vocabulary; index 0 stands for none.
        units: neurons.
    """

    def __init__(self, ngrams: int, units: int) -> None:
        super().__init__()
        self.ngrams, self.units = ngrams, units

    def build(self, _shape: object) -> None:
        """Create the weights."""
        start = keras.initializers.RandomNormal(stddev=0.001)
        self.table = self.add_weight(shape=(self.ngrams + 1, self.units), initializer=start, name="weights")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, numbers: tf.Tensor) -> tf.Tensor:
        """The responses to texts; indices as in `RegionConvolution.call`, each n-gram once."""
        is_known = tf.cast(numbers > 0, self.compute_dtype)[..., None]
        rows = tf.gather(tf.cast(self.table, self.compute_dtype), numbers) * is_known
        summed = tf.reduce_sum(rows, axis=1) + tf.cast(self.bias, self.compute_dtype)
        return normalize_response(tf.nn.relu(summed))


class SentimentNet(keras.Model):
    """Convolutions of several region sizes beside a bag layer, then one linear layer.

    Args:
        config: the configuration, which holds the shape.
    """

    def __init__(self, config: SentimentConfig) -> None:
        super().__init__()
        self.convolutions = [
            RegionConvolution(config.words, region, config.units) for region in config.regions
        ]
        self.bag = BagLayer(config.ngrams, config.bag_units)
        self.drop = keras.layers.Dropout(config.dropout)
        self.top = keras.layers.Dense(2, dtype="float32")

    def call(self, words: tf.Tensor, ngrams: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Logits of negative and positive.

        Args:
            words: int32, shape (texts, length).
            ngrams: int32, shape (texts, n-grams).
            training: whether to apply dropout.

        Returns:
            float32, shape (texts, 2).
        """
        features = [convolution(words) for convolution in self.convolutions]
        joined = tf.concat([*features, self.bag(ngrams)], axis=-1)
        return self.top(self.drop(joined, training=training))
