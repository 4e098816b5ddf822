"""Layers of Deep Speech 2 that know where each sequence of a batch ends, so that padding changes nothing."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

BATCH_NORM_EPSILON = 1e-5
_CLIP = 20.0


class SequenceNorm(keras.layers.Layer):
    """Batch normalization over all steps of all sequences, their padding left out ("sequence-wise").

    Each replica normalizes over its own part of the batch; running statistics are averaged over replicas when they are read.

    Args:
        momentum: share of the running mean and variance that each step keeps.
        **options: those of a Keras layer.
    """

    def __init__(self, momentum: float, **options: Any) -> None:
        super().__init__(**options)
        self.momentum = momentum

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make scale and offset (trainable) and the running mean and variance (float32 in any precision)."""
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(shape=shape, initializer="ones", name="gamma", autocast=False)
        self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta", autocast=False)
        running = {"shape": shape, "trainable": False, "autocast": False, "aggregation": "mean"}
        self.mean = self.add_weight(initializer="zeros", name="mean", **running)
        self.variance = self.add_weight(initializer="ones", name="variance", **running)

    def call(self, inputs: tf.Tensor, lengths: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Normalize by the batch's own statistics in training, else by the running ones.

        Args:
            inputs: [rows, time, …, channels].
            lengths: int32 [rows]: steps of each row.
            training: whether to use, and update by, the batch's own statistics.

        Returns:
            The same shape; the padding has no meaning.
        """
        values = tf.cast(inputs, tf.float32)
        if training:
            mask = tf.sequence_mask(lengths, tf.shape(values)[1], tf.float32)
            mask = tf.reshape(mask, tf.concat([tf.shape(mask), [1] * (values.shape.rank - 2)], axis=0))
            mean, variance = tf.nn.weighted_moments(values, list(range(values.shape.rank - 1)), mask)
            self.mean.assign(self.mean + (mean - self.mean) * (1 - self.momentum))
            self.variance.assign(self.variance + (variance - self.variance) * (1 - self.momentum))
        else:
            mean, variance = tf.convert_to_tensor(self.mean), tf.convert_to_tensor(self.variance)
        scale = tf.convert_to_tensor(self.gamma) * tf.math.rsqrt(variance + BATCH_NORM_EPSILON)
        normed = values * scale + (tf.convert_to_tensor(self.beta) - mean * scale)
        return tf.cast(normed, inputs.dtype)


class NormedConvolution(keras.layers.Layer):
    """A convolution over time and frequency, batch norm, and a rectifier that is cut off at 20.

    Args:
        channels: number of channels.
        kernel: its size: frequencies, time.
        stride: frequencies, time.
        momentum: of the batch norm.
        seed: of the kernel's initial values.
        **options: those of a Keras layer.
    """

    def __init__(
        self,
        channels: int,
        kernel: tuple[int, ...],
        stride: tuple[int, ...],
        momentum: float,
        seed: int,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.kernel, self.stride = kernel, stride
        self.convolution = keras.layers.Conv2D(
            channels,
            kernel[::-1],
            strides=stride[::-1],
            kernel_initializer=keras.initializers.HeUniform(seed),
            name="convolution",
        )
        self.norm = SequenceNorm(momentum, name="norm")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights."""
        self.convolution.build(input_shape)
        self.norm.build((None, None, None, self.convolution.filters))

    def count_outputs(self, sizes: Any, axis: int) -> Any:
        """What is left of a number of frequencies (axis 0) or steps (axis 1); there is no padding."""
        return (sizes - self.kernel[axis]) // self.stride[axis] + 1

    def convolve(self, inputs: tf.Tensor) -> tf.Tensor:
        """The convolution alone."""
        return self.convolution(inputs)

    def call(
        self, inputs: tf.Tensor, lengths: tf.Tensor, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Convolve [rows, time, frequencies, channels]; returns the result and the rows' new lengths."""
        lengths = tf.maximum(self.count_outputs(lengths, 1), 0)
        outputs = self.norm(self.convolve(inputs), lengths=lengths, training=training)
        return tf.clip_by_value(outputs, 0.0, _CLIP), lengths


class BidirectionalGRU(keras.layers.Layer):
    """Two GRUs, one from each end of the sequences; their outputs are added.

    The backward one reads each sequence reversed and its padding after it, so neither needs a mask.

    Args:
        width: units of each.
        seed: of the initial values.
        **options: those of a Keras layer.
    """

    def __init__(self, width: int, seed: int, **options: Any) -> None:
        super().__init__(**options)

        def make(name: str, seed: int) -> keras.layers.GRU:
            bound = width**-0.5
            return keras.layers.GRU(
                width,
                return_sequences=True,
                kernel_initializer=keras.initializers.RandomUniform(-bound, bound, seed),
                recurrent_initializer=keras.initializers.RandomUniform(-bound, bound, seed + 1),
                name=name,
            )

        self.forward, self.backward = make("forward", seed), make("backward", seed + 2)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights."""
        self.forward.build(input_shape)
        self.backward.build(input_shape)

    def read_forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """The first GRU's outputs."""
        return self.forward(inputs)

    def read_backward(self, inputs: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """The second GRU's outputs, in the order of the inputs."""
        found = self.backward(tf.reverse_sequence(inputs, lengths, seq_axis=1))
        return tf.reverse_sequence(found, lengths, seq_axis=1)

    def call(self, inputs: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Read [rows, time, channels], of which each row has a length; returns [rows, time, width]."""
        return self.read_forward(inputs) + self.read_backward(inputs, lengths)
