"""From what the network gives for anchors and regions to proposals and detections, in tensors of fixed size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from reference_impls.object_detection.boxes import clip_boxes, decode_boxes, suppress_overlapping
from reference_impls.object_detection.targets import ANCHOR_WEIGHTS, BOX_WEIGHTS


class Detections(NamedTuple):
    """The best detections of each image, best first.

    Attributes:
        boxes: [batch, n, 4].
        scores: [batch, n]; -1 where there are fewer.
        classes: int32 [batch, n], from 1.
    """

    boxes: tf.Tensor
    scores: tf.Tensor
    classes: tf.Tensor


def propose_regions(
    logits: Sequence[tf.Tensor],
    codes: Sequence[tf.Tensor],
    anchors: Sequence[tf.Tensor],
    shapes: tf.Tensor,
    *,
    candidates: int,
    count: int,
    overlap: float,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The best regions of each image; gradients stop here.

    Args:
        logits: of each level's anchors: [batch, anchors].
        codes: encoded boxes: [batch, anchors, 4].
        anchors: [anchors, 4].
        shapes: height and width of each image: float32 [batch, 2].
        candidates: best anchors of a level that compete.
        count: regions of an image.
        overlap: intersection over union above which a region suppresses another one of its level.

    Returns:
        Boxes [batch, count, 4] and scores [batch, count], best first; -1 where there are fewer.
    """
    boxes, scores = [], []
    for level_logits, level_codes, level_anchors in zip(logits, codes, anchors, strict=True):
        best = tf.math.top_k(tf.sigmoid(level_logits), min(candidates, level_logits.shape[1]))
        own = tf.gather(level_codes, best.indices, axis=1, batch_dims=1)
        found = decode_boxes(own, tf.gather(level_anchors, best.indices), ANCHOR_WEIGHTS)
        found = tf.stop_gradient(clip_boxes(found, shapes))
        is_empty = tf.reduce_any(found[..., 2:] <= found[..., :2], axis=-1)
        value = tf.stop_gradient(tf.where(is_empty, -1.0, best.values))
        # Empty boxes stand amid the others, but they neither stay nor remove anything.
        stay = suppress_overlapping(found, value, overlap)
        boxes.append(found)
        scores.append(tf.where(stay, value, -1.0))
    return _take_best(tf.concat(boxes, axis=1), tf.concat(scores, axis=1), count)


def _take_best(boxes: tf.Tensor, scores: tf.Tensor, count: int) -> tuple[tf.Tensor, tf.Tensor]:
    missing = max(0, count - scores.shape[1])
    boxes = tf.pad(boxes, ((0, 0), (0, missing), (0, 0)))
    best = tf.math.top_k(tf.pad(scores, ((0, 0), (0, missing)), constant_values=-1.0), count)
    return tf.gather(boxes, best.indices, axis=1, batch_dims=1), best.values


def detect_objects(
    logits: tf.Tensor,
    codes: tf.Tensor,
    regions: tf.Tensor,
    region_scores: tf.Tensor,
    shapes: tf.Tensor,
    *,
    threshold: float,
    candidates: int,
    count: int,
    overlap: float,
) -> Detections:
    """Detections from classified regions.

    Args:
        logits: of background and classes: [batch, n, classes].
        codes: encoded box of each class: [batch, n, classes, 4].
        regions: [batch, n, 4].
        region_scores: below 0 where there is no region: [batch, n].
        shapes: height and width of each image: float32 [batch, 2].
        threshold: least score.
        candidates: best boxes of an image, over all classes, that compete.
        count: greatest number of detections of an image.
        overlap: intersection over union above which a detection suppresses another one of its class.
    """
    classes = logits.shape[-1] - 1
    number = logits.shape[1] * classes
    scores = tf.nn.softmax(logits)[..., 1:]
    is_good = (scores >= threshold) & (region_scores >= 0)[..., tf.newaxis]
    best = tf.math.top_k(tf.reshape(tf.where(is_good, scores, -1.0), (-1, number)), min(candidates, number))
    boxes = decode_boxes(codes[:, :, 1:], regions[:, :, tf.newaxis], BOX_WEIGHTS)
    boxes = tf.gather(tf.reshape(boxes, (-1, number, 4)), best.indices, axis=1, batch_dims=1)
    boxes = clip_boxes(boxes, shapes)
    labels = best.indices % classes + 1
    # Boxes of different classes are moved apart, so that none suppresses one of another class.
    side = tf.reduce_max(shapes) + 1
    apart = boxes + (tf.cast(labels, tf.float32) * side)[..., tf.newaxis]
    stay = suppress_overlapping(apart, best.values, overlap)
    values = tf.where(stay, best.values, -1.0)
    last = tf.math.top_k(values, min(count, values.shape[1]))
    found = [tf.gather(each, last.indices, axis=1, batch_dims=1) for each in (boxes, labels)]
    return Detections(found[0], last.values, found[1])
