"""ResNet v1.5: the residual network with bottleneck blocks, the stride in each block's 3×3 convolution.

The 2015 paper puts the stride of 2 into the first 1×1 convolution of a block; version 1.5 puts it into the 3×3
convolution, which costs a little more and gains about half a percent of accuracy. Other differences from the paper: the last
batch norm of each block starts with scale 0, biases and batch norm are not decayed, and the learning rate warms up and
then decays on a schedule.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from reference_impls.image_classification.config import ImageClassificationConfig

BATCH_NORM_EPSILON = 1e-5


class BatchNormalization(keras.layers.Layer):
    """Batch normalization over all axes but the last, by TensorFlow's fused kernel.

    On a CPU it takes half the time of `keras.layers.BatchNormalization`, which is made of single operations. Each
    replica normalizes over its own part of the batch; running statistics are averaged over replicas when they are read.

    Args:
        momentum: share of the running mean and variance that each step keeps.
        gamma: initial scale: 0 for the last one of a block, so that each block starts as the identity.
        **options: those of a Keras layer.
    """

    def __init__(self, momentum: float, gamma: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self.momentum = momentum
        self.gamma_initializer = keras.initializers.Constant(gamma)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make scale and offset (trainable) and the running mean and variance (float32 in any precision)."""
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(
            shape=shape, initializer=self.gamma_initializer, name="gamma", autocast=False
        )
        self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta", autocast=False)
        running = {"shape": shape, "trainable": False, "autocast": False, "aggregation": "mean"}
        self.mean = self.add_weight(initializer="zeros", name="mean", **running)
        self.variance = self.add_weight(initializer="ones", name="variance", **running)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Normalize by the batch's own statistics in training, else by the running ones."""
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs,
            tf.convert_to_tensor(self.gamma),
            tf.convert_to_tensor(self.beta),
            mean=None if training else tf.convert_to_tensor(self.mean),
            variance=None if training else tf.convert_to_tensor(self.variance),
            epsilon=BATCH_NORM_EPSILON,
            is_training=training,
        )
        if training:
            self.mean.assign(self.mean + (mean - self.mean) * (1 - self.momentum))
            self.variance.assign(self.variance + (variance - self.variance) * (1 - self.momentum))
        return outputs


def build_resnet(config: ImageClassificationConfig, seed: int, *, strides_first: bool = False) -> keras.Model:
    """Build a ResNet v1.5 from images to logits. The layer that ends each stage is named ``stage1`` and so on.

    Args:
        config: the configuration, which holds the shape.
        seed: seed of the initial weights.
        strides_first: whether the stride is in a block's first 1×1 convolution, as in the paper and in weights published for
            it (version 1).

    Returns:
        A model from float images [batch, size, size, channels] to float32 logits [batch, classes].
    """
    layers = keras.layers
    seeds = iter(np.random.default_rng([seed, 1]).integers(2**30, size=1000).tolist())

    def convolve(x: Any, filters: int, size: int, stride: int, name: str) -> Any:
        if size > 1 and stride > 1:  # padding that does not depend on the image's size, as in the paper
            x = layers.ZeroPadding2D(size // 2)(x)
        return layers.Conv2D(
            filters,
            size,
            strides=stride,
            padding="valid" if stride > 1 else "same",
            use_bias=False,
            kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_out", seed=next(seeds)),
            name=f"{name}_conv",
        )(x)

    def normalize(x: Any, name: str, gamma: float = 1.0) -> Any:
        return BatchNormalization(config.batch_norm_momentum, gamma, name=f"{name}_norm")(x)

    def add_block(x: Any, filters: int, stride: int, name: str, project: bool, end: str | None) -> Any:
        shortcut = x
        if project:
            shortcut = normalize(convolve(x, 4 * filters, 1, stride, f"{name}_shortcut"), f"{name}_shortcut")
        first, second = (stride, 1) if strides_first else (1, stride)
        y = layers.ReLU()(normalize(convolve(x, filters, 1, first, f"{name}_1"), f"{name}_1"))
        y = layers.ReLU()(normalize(convolve(y, filters, 3, second, f"{name}_2"), f"{name}_2"))
        y = normalize(convolve(y, 4 * filters, 1, 1, f"{name}_3"), f"{name}_3", gamma=0.0)
        return layers.ReLU(name=end)(layers.Add()([y, shortcut]))

    images = layers.Input((config.image_size, config.image_size, config.channels), name="images")
    x = layers.ReLU()(
        normalize(convolve(images, config.width, 7 if config.stem == "imagenet" else 3, 2, "stem"), "stem")
    )
    if config.stem == "imagenet":
        x = layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(x))
    for stage, count in enumerate(config.blocks):
        for block in range(count):
            stride = 2 if stage > 0 and block == 0 else 1
            name = f"stage{stage + 1}"
            end = name if block == count - 1 else None
            x = add_block(x, config.width * 2**stage, stride, f"{name}_block{block + 1}", block == 0, end)
    x = layers.GlobalAveragePooling2D()(x)
    logits = layers.Dense(
        config.classes,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01, seed=next(seeds)),
        dtype="float32",
        name="logits",
    )(x)
    return keras.Model(images, logits, name="resnet")
