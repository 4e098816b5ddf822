"""Boxes: anchors, overlap, encoding, and suppression of those that overlap.

A box is its top, left, bottom and right edge in pixels. Edges are continuous: pixel 0 covers the interval from 0 to 1 and has
its center at 0.5, so the width of a box is right less left, without the one that older detectors add.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

LONGEST_STEP = math.log(1000.0 / 16)
"""Greatest logarithm by which a box is made larger, so that wrong predictions do not overflow (as in Detectron)."""


def make_anchors(
    shapes: Sequence[tuple[int, int]], strides: Sequence[int], scale: float, ratios: Sequence[float]
) -> list[np.ndarray]:
    """The anchors of each level of a pyramid, centered on the cells of its feature map.

    Args:
        shapes: rows and columns of each level's feature map.
        strides: pixels from one cell to the next, by level.
        scale: side of the square anchor, in strides.
        ratios: heights over widths; all anchors of a level have the same area.

    Returns:
        float32 [rows * columns * ratios, 4] for each level; ratios vary fastest, then columns.
    """
    levels = []
    for (rows, columns), stride in zip(shapes, strides, strict=True):
        roots = np.sqrt(np.asarray(ratios, np.float64))
        half = np.stack([roots, 1 / roots], axis=1) * scale * stride / 2
        grid = np.meshgrid(np.arange(rows) + 0.5, np.arange(columns) + 0.5, indexing="ij")
        centers = np.stack(grid, axis=-1)[:, :, np.newaxis] * stride
        boxes = np.concatenate([centers - half, centers + half], axis=-1)
        levels.append(boxes.reshape(-1, 4).astype(np.float32))
    return levels


def measure_areas(boxes: tf.Tensor) -> tf.Tensor:
    """Areas of boxes in square pixels: [..., 4] to [...]."""
    sides = tf.maximum(boxes[..., 2:] - boxes[..., :2], 0.0)
    return sides[..., 0] * sides[..., 1]


def measure_overlap(boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Intersection over union of each box with each other one; 0 where both are empty.

    Args:
        boxes: [..., n, 4].
        others: [..., m, 4].

    Returns:
        [..., n, m].
    """
    # One coordinate at a time: TensorFlow's kernels broadcast tensors whose last dimension is 2 slowly.
    top, left, bottom, right = tf.unstack(boxes[..., :, tf.newaxis, :], axis=-1)
    other_top, other_left, other_bottom, other_right = tf.unstack(others[..., tf.newaxis, :, :], axis=-1)
    height = tf.maximum(tf.minimum(bottom, other_bottom) - tf.maximum(top, other_top), 0.0)
    common = height * tf.maximum(tf.minimum(right, other_right) - tf.maximum(left, other_left), 0.0)
    areas = measure_areas(boxes)[..., :, tf.newaxis] + measure_areas(others)[..., tf.newaxis, :]
    return tf.math.divide_no_nan(common, areas - common)


def encode_boxes(boxes: tf.Tensor, references: tf.Tensor, weights: Sequence[float]) -> tf.Tensor:
    """Boxes relative to reference boxes: shift of the center in sizes of the reference, and logarithm of the growth.

    Args:
        boxes: [..., 4].
        references: [..., 4]; the encoding of or by an empty box is 0.
        weights: factors of the four numbers: y, x, height, width.

    Returns:
        [..., 4].
    """
    size, own = references[..., 2:] - references[..., :2], boxes[..., 2:] - boxes[..., :2]
    is_whole = (size > 0) & (own > 0)
    size, own = tf.where(is_whole, size, 1.0), tf.where(is_whole, own, 1.0)
    shift = (boxes[..., :2] + boxes[..., 2:] - references[..., :2] - references[..., 2:]) / 2 / size
    shift = tf.where(is_whole, shift, 0.0)
    return tf.concat([shift, tf.math.log(own / size)], axis=-1) * tf.constant(weights, tf.float32)


def decode_boxes(codes: tf.Tensor, references: tf.Tensor, weights: Sequence[float]) -> tf.Tensor:
    """The inverse of `encode_boxes`; growth is limited by `LONGEST_STEP`."""
    codes = codes / tf.constant(weights, tf.float32)
    size = references[..., 2:] - references[..., :2]
    center = (references[..., :2] + references[..., 2:]) / 2 + codes[..., :2] * size
    half = size * tf.exp(tf.minimum(codes[..., 2:], LONGEST_STEP)) / 2
    return tf.concat([center - half, center + half], axis=-1)


def clip_boxes(boxes: tf.Tensor, shapes: tf.Tensor) -> tf.Tensor:
    """Boxes cut at the edges of their image.

    Args:
        boxes: [batch, n, 4].
        shapes: height and width of each image without padding: float32 [batch, 2].
    """
    limits = tf.tile(shapes, [1, 2])[:, tf.newaxis]
    return tf.clip_by_value(boxes, 0.0, limits)


def suppress_overlapping(boxes: tf.Tensor, scores: tf.Tensor, threshold: float) -> tf.Tensor:
    """Which boxes remain when, from the highest score down, each one removes those that overlap it (greedy NMS).

    It repeats "a box stays unless a better one that stays overlaps it" until nothing changes, which gives the greedy result
    with a few products of matrices of fixed size, whatever the boxes.

    Args:
        boxes: [batch, n, 4].
        scores: [batch, n], falling along n; those below 0, anywhere, are padding, which neither stays nor removes anything.
        threshold: intersection over union above which a box is removed.

    Returns:
        bool [batch, n].
    """
    count = boxes.shape[1]
    is_real = scores >= 0
    is_better = tf.constant(np.triu(np.ones((count, count), np.float32), 1))
    removes = tf.cast(measure_overlap(boxes, boxes) > threshold, tf.float32) * is_better

    def repeat(stay: tf.Tensor, _: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        removed = tf.linalg.matvec(removes, tf.cast(stay, tf.float32), transpose_a=True) > 0
        found = is_real & ~removed
        return found, tf.reduce_any(found != stay)

    stay, _ = tf.while_loop(
        lambda _, changed: changed,
        repeat,
        (is_real, tf.constant(True)),
        maximum_iterations=count,
        parallel_iterations=1,
    )
    return tf.stop_gradient(stay)
