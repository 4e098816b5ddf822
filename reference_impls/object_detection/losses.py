"""The losses of both stages: each a sum over the images, divided by the images of the global batch."""

from __future__ import annotations

import tensorflow as tf

from reference_impls.object_detection.targets import AnchorTargets, Regions

ANCHOR_BETA = 1.0 / 9
"""Where the smooth L1 loss of the first stage becomes linear; 1 in the second stage (Detectron)."""


def smooth_l1(errors: tf.Tensor, beta: float) -> tf.Tensor:
    """Half the square of an error over beta up to beta, then the absolute error less half of beta."""
    size = tf.abs(errors)
    return tf.where(size < beta, 0.5 * tf.square(size) / beta, size - 0.5 * beta)


def measure_proposals(
    logits: tf.Tensor, codes: tf.Tensor, targets: AnchorTargets, samples: int, images: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Losses of the region proposal network.

    Args:
        logits: float32 [batch, anchors].
        codes: encoded boxes: float32 [batch, anchors, 4].
        targets: what they should be.
        samples: anchors that are sampled of an image.
        images: images of the global batch.

    Returns:
        Cross entropy of objects and background, and smooth L1 loss of the objects' boxes, both over all sampled anchors.
    """
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(targets.labels, logits) * targets.sampled
    distance = smooth_l1(codes - targets.codes, ANCHOR_BETA) * targets.labels[..., tf.newaxis]
    return tf.reduce_sum(entropy) / (samples * images), tf.reduce_sum(distance) / (samples * images)


def measure_boxes(
    logits: tf.Tensor, codes: tf.Tensor, regions: Regions, images: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Losses of the box head.

    Args:
        logits: float32 [batch, regions, classes].
        codes: encoded box of each class: float32 [batch, regions, classes, 4].
        regions: what they should be.
        images: images of the global batch.

    Returns:
        Cross entropy of the classes, and smooth L1 loss of the box of the right class, both over all regions of the sample.
    """
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(regions.classes, logits) * regions.sampled
    own = tf.gather(codes, regions.classes, axis=2, batch_dims=2)
    is_object = tf.cast(regions.classes > 0, tf.float32)[..., tf.newaxis]
    distance = smooth_l1(own - regions.codes, 1.0) * is_object
    count = regions.classes.shape[1] * images
    return tf.reduce_sum(entropy) / count, tf.reduce_sum(distance) / count


def measure_masks(logits: tf.Tensor, masks: tf.Tensor, classes: tf.Tensor, images: int) -> tf.Tensor:
    """Loss of the mask head: cross entropy of each pixel in the mask of the right class, the mean of each image's objects.

    Args:
        logits: float32 [batch, regions, size, size, classes].
        masks: 1 within objects, 0 outside: float32 [batch, regions, size, size].
        classes: 0 for background, which has no mask: int32 [batch, regions].
        images: images of the global batch.
    """
    own = tf.gather(tf.transpose(logits, (0, 1, 4, 2, 3)), classes, axis=2, batch_dims=2)
    entropy = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(masks, own), axis=(2, 3))
    is_object = tf.cast(classes > 0, tf.float32)
    means = tf.math.divide_no_nan(
        tf.reduce_sum(entropy * is_object, axis=1), tf.reduce_sum(is_object, axis=1)
    )
    return tf.reduce_sum(means) / images
