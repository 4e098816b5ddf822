"""Mask R-CNN: a residual backbone, a feature pyramid, a region proposal network, and heads for boxes and for masks.

After He et al., 2017, with the feature pyramid of Lin et al., 2017, and the initial values of Detectron.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from reference_impls.image_classification.config import ImageClassificationConfig
from reference_impls.image_classification.model import build_resnet
from reference_impls.object_detection.config import ObjectDetectionConfig

_XAVIER = ("fan_in", "uniform", 1.0)
_HE = ("fan_out", "untruncated_normal", 2.0)


class MaskRCNN(keras.Model):
    """The parts of Mask R-CNN, as Keras models.

    Args:
        config: the configuration, which holds the shape.
        seed: seed of the initial weights.

    Attributes:
        backbone: from images [batch, canvas, canvas, 3] to the feature maps of its stages.
        pyramid: from these to maps of `ObjectDetectionConfig.channels` channels, one for each of the strides.
        proposer: from a map of any size to a logit and an encoded box of each anchor of each cell.
        box_head: from pooled regions to logits of background and classes, and an encoded box for each of them.
        mask_head: from pooled regions to logits of the pixels of a mask for each of them.
    """

    def __init__(self, config: ObjectDetectionConfig, seed: int) -> None:
        super().__init__(name="mask_rcnn")
        self.config = config
        self.backbone = build_backbone(config, seed)
        self._seeds = iter(np.random.default_rng([seed, 2]).integers(2**30, size=1000).tolist())
        self.pyramid = self._build_pyramid()
        self.proposer = self._build_proposer()
        self.box_head = self._build_box_head()
        self.mask_head = self._build_mask_head()

    @property
    def trained_variables(self) -> list[Any]:
        """The variables that training changes: all but those of the backbone that are frozen."""
        config = self.config
        frozen = ("stem_", *(f"stage{stage}_" for stage in range(1, len(config.blocks) + 1)))
        frozen = frozen[: config.frozen_stages]
        return [
            variable
            for variable in self.trainable_variables
            if not variable.path.startswith(frozen)
            and not (config.batch_norm == "frozen" and "_norm/" in variable.path)
        ]

    def extract_features(self, images: tf.Tensor, *, training: bool) -> list[tf.Tensor]:
        """The maps of the pyramid, finest first; the last one only proposes regions."""
        is_normalizing = training and self.config.batch_norm == "trained"
        found: list[tf.Tensor] = self.pyramid(self.backbone(images, training=is_normalizing))
        return found

    def propose(self, maps: list[tf.Tensor]) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """Logits [batch, anchors] and encoded boxes [batch, anchors, 4] of each level's anchors, in float32."""
        found = [self.proposer(each) for each in maps]
        logits = [_flatten(each, ()) for each, _ in found]
        return logits, [_flatten(each, (4,)) for _, each in found]

    def classify(self, regions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Logits [batch, n, classes] and encoded boxes [batch, n, classes, 4] of pooled regions [batch, n, …]."""
        logits, codes = self.box_head(_merge(regions))
        count, classes = regions.shape[1], logits.shape[-1]
        return tf.reshape(logits, (-1, count, classes)), tf.reshape(codes, (-1, count, classes, 4))

    def draw_masks(self, regions: tf.Tensor) -> tf.Tensor:
        """Logits [batch, n, size, size, classes] of the masks of pooled regions [batch, n, …]."""
        logits = self.mask_head(_merge(regions))
        return tf.reshape(logits, (-1, regions.shape[1], *logits.shape[1:]))

    def _convolve(self, filters: int, size: int, name: str, values: tuple[str, str, float] | float) -> Any:
        return keras.layers.Conv2D(
            filters, size, padding="same", kernel_initializer=self._draw(values), name=name
        )

    def _draw(self, values: tuple[str, str, float] | float) -> keras.initializers.Initializer:
        seed = next(self._seeds)
        if isinstance(values, float):
            return keras.initializers.RandomNormal(stddev=values, seed=seed)
        mode, distribution, scale = values
        return keras.initializers.VarianceScaling(scale, mode, distribution, seed=seed)

    def _build_pyramid(self) -> keras.Model:
        channels = self.config.channels
        stages = [keras.layers.Input(each.shape[1:]) for each in self.backbone.outputs]
        merged: list[Any] = []
        for number in reversed(range(len(stages))):
            x = self._convolve(channels, 1, f"lateral{number + 1}", _XAVIER)(stages[number])
            if merged:
                x = keras.layers.Add()([x, keras.layers.UpSampling2D(2)(merged[0])])
            merged.insert(0, x)
        maps = [
            self._convolve(channels, 3, f"output{number + 1}", _XAVIER)(x) for number, x in enumerate(merged)
        ]
        # Every other cell; the gradient of an average, unlike that of a maximum, is deterministic with XLA, too.
        maps.append(keras.layers.AveragePooling2D(1, strides=2)(maps[-1]))
        return keras.Model(stages, maps, name="pyramid")

    def _build_proposer(self) -> keras.Model:
        config = self.config
        anchors = len(config.anchor_ratios)
        maps = keras.layers.Input((None, None, config.channels))
        x = keras.layers.ReLU()(self._convolve(config.channels, 3, "shared", 0.01)(maps))
        logits = self._convolve(anchors, 1, "logits", 0.01)(x)
        codes = self._convolve(4 * anchors, 1, "boxes", 0.01)(x)
        return keras.Model(maps, [logits, codes], name="proposer")

    def _build_box_head(self) -> keras.Model:
        config = self.config
        regions = keras.layers.Input((config.box_pooling, config.box_pooling, config.channels))
        x = keras.layers.Flatten()(regions)
        for number in (1, 2):
            x = keras.layers.Dense(
                config.box_units,
                activation="relu",
                kernel_initializer=self._draw(_XAVIER),
                name=f"hidden{number}",
            )(x)
        classes = config.classes + 1
        logits, codes = (
            keras.layers.Dense(size, kernel_initializer=self._draw(spread), dtype="float32", name=name)(x)
            for size, spread, name in ((classes, 0.01, "logits"), (4 * classes, 0.001, "boxes"))
        )
        return keras.Model(regions, [logits, codes], name="box_head")

    def _build_mask_head(self) -> keras.Model:
        config = self.config
        x = regions = keras.layers.Input((config.mask_pooling, config.mask_pooling, config.channels))
        for number in range(config.mask_convolutions):
            x = keras.layers.ReLU()(self._convolve(config.channels, 3, f"conv{number + 1}", _HE)(x))
        x = keras.layers.Conv2DTranspose(
            config.channels,
            2,
            strides=2,
            activation="relu",
            kernel_initializer=self._draw(_HE),
            name="enlarge",
        )(x)
        logits = keras.layers.Conv2D(
            config.classes + 1, 1, kernel_initializer=self._draw(_HE), dtype="float32", name="logits"
        )(x)
        return keras.Model(regions, logits, name="mask_head")


def build_backbone(config: ObjectDetectionConfig, seed: int) -> keras.Model:
    """The residual network of a detector, from images to the feature map of each stage.

    It is version 1, with the stride in the first 1×1 convolution of a block, for which weights are published.
    """
    shape = ImageClassificationConfig(
        global_batch_size=1,
        eval_batch_size=1,
        target=0.0,
        max_epochs=1,
        image_size=config.canvas_size,
        width=config.width,
        blocks=config.blocks,
        batch_norm_momentum=config.batch_norm_momentum,
        classes=1,
    )
    resnet = build_resnet(shape, seed, strides_first=True)
    stages = [resnet.get_layer(f"stage{number + 1}").output for number in range(len(config.blocks))]
    return keras.Model(resnet.input, stages, name="backbone")


def _flatten(values: tf.Tensor, tail: tuple[int, ...]) -> tf.Tensor:
    count = int(np.prod(values.shape[1:])) // int(np.prod(tail, dtype=np.int64))
    return tf.cast(tf.reshape(values, (-1, count, *tail)), tf.float32)


def _merge(regions: tf.Tensor) -> tf.Tensor:
    """Regions of all images as one batch."""
    return tf.reshape(regions, (-1, *regions.shape[2:]))
