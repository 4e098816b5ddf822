"""RoIAlign: features of regions, sampled from a pyramid by bilinear interpolation; nothing is rounded to whole cells.

A region of the image is divided into equal bins; each is the mean of its samples, which are spread evenly within it. The
half-pixel convention holds: the value of cell i of a map with stride s belongs to the image's point (i + 0.5) * s, so a point y
has the coordinate y / s - 0.5 on the map. (The original implementation leaves the half out, which shifts all features by half
a cell.) Samples outside the centers of the outermost cells take the value of the nearest cell.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from reference_impls.object_detection.boxes import measure_areas


def choose_levels(boxes: tf.Tensor, canonical_size: float, count: int) -> tf.Tensor:
    """The level from which each region is pooled: the larger, the coarser (formula 1 of the FPN paper).

    Args:
        boxes: [..., 4].
        canonical_size: square root of the area, in pixels, from which on a region belongs to the third level.
        count: number of levels.

    Returns:
        int32 [...], from 0.
    """
    sizes = tf.sqrt(tf.maximum(measure_areas(boxes), 1e-8))
    steps = tf.floor(2 + tf.math.log(sizes / canonical_size) / np.log(2.0) + 1e-6)
    return tf.cast(tf.clip_by_value(steps, 0.0, count - 1.0), tf.int32)


def align_regions(
    pyramid: Sequence[tf.Tensor],
    strides: Sequence[int],
    boxes: tf.Tensor,
    levels: tf.Tensor,
    size: int,
    samples: int,
) -> tf.Tensor:
    """Pool regions of one size from a pyramid.

    Args:
        pyramid: feature maps [batch, rows, columns, channels], of static shape.
        strides: pixels per cell of each level.
        boxes: regions in pixels of the image: [batch, n, 4].
        levels: the level of each region: int32 [batch, n].
        size: rows and columns of the result.
        samples: samples of a bin in each direction.

    Returns:
        [batch, n, size, size, channels].
    """
    shapes = [(each.shape[1], each.shape[2]) for each in pyramid]
    channels = pyramid[0].shape[-1]
    maps = [
        tf.reshape(each, (-1, rows * columns, channels))
        for each, (rows, columns) in zip(pyramid, shapes, strict=True)
    ]
    flat = tf.concat(maps, axis=1)
    cells = sum(rows * columns for rows, columns in shapes)
    starts = np.cumsum([0, *(rows * columns for rows, columns in shapes[:-1])]).astype(np.int32)
    limits = tf.gather(tf.constant(shapes, tf.int32), levels)  # [batch, n, 2]
    points = _spread_samples(boxes, size * samples)
    points /= tf.gather(tf.constant(strides, tf.float32), levels)[..., tf.newaxis, tf.newaxis]
    low, high, part = _find_neighbors(points - 0.5, limits[..., tf.newaxis])
    columns = limits[..., 1, tf.newaxis, tf.newaxis]
    offset = tf.gather(tf.constant(starts), levels)
    offset += cells * tf.range(tf.shape(boxes)[0])[:, tf.newaxis]
    offset = offset[..., tf.newaxis, tf.newaxis]
    rows = tf.reshape(flat, (-1, channels))

    def take(y: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        """Values of the cells at each pair of a row and a column: [batch, n, points, points, channels]."""
        return tf.gather(rows, offset + y[..., :, tf.newaxis] * columns + x[..., tf.newaxis, :])

    down, right = part[..., 0, :, tf.newaxis, tf.newaxis], part[..., 1, tf.newaxis, :, tf.newaxis]
    down, right = tf.cast(down, rows.dtype), tf.cast(right, rows.dtype)
    above = take(low[..., 0, :], low[..., 1, :]) * (1 - right) + take(low[..., 0, :], high[..., 1, :]) * right
    below = (
        take(high[..., 0, :], low[..., 1, :]) * (1 - right) + take(high[..., 0, :], high[..., 1, :]) * right
    )
    found = above * (1 - down) + below * down
    if samples == 1:
        return found
    count = boxes.shape[1]
    return tf.reduce_mean(tf.reshape(found, (-1, count, size, samples, size, samples, channels)), axis=(3, 5))


def _spread_samples(boxes: tf.Tensor, count: int) -> tf.Tensor:
    """Coordinates of evenly spread samples: [..., 4] to [..., 2, count] (y, x)."""
    steps = tf.constant((np.arange(count) + 0.5) / count, tf.float32)
    low, high = boxes[..., :2, tf.newaxis], boxes[..., 2:, tf.newaxis]
    return low + (high - low) * steps


def _find_neighbors(points: tf.Tensor, limits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The cells before and after each coordinate, and the share of the second one."""
    last = tf.cast(limits, tf.float32) - 1
    points = tf.clip_by_value(points, 0.0, last)
    low = tf.floor(points)
    high = tf.minimum(low + 1, last)
    return tf.cast(low, tf.int32), tf.cast(high, tf.int32), points - low


def crop_masks(masks: tf.Tensor, own: tf.Tensor, boxes: tf.Tensor, size: int) -> tf.Tensor:
    """What of an object's mask lies in a region, sampled at the centers of the region's bins.

    Args:
        masks: the mask within the object's own box: [batch, n, rows, rows], 0 to 1; 0 outside.
        own: the objects' boxes: [batch, n, 4].
        boxes: the regions: [batch, n, 4].
        size: rows and columns of the result.

    Returns:
        [batch, n, size, size].
    """
    rows = masks.shape[-1]
    sides = tf.maximum(own[..., 2:] - own[..., :2], 1e-6)[..., tf.newaxis]
    points = (_spread_samples(boxes, size) - own[..., :2, tf.newaxis]) / sides * rows - 0.5
    # The weight of a cell falls linearly to 0 at the centers of its neighbors: bilinear interpolation, one axis at a time.
    cells = tf.range(rows, dtype=tf.float32)
    weights = tf.maximum(1 - tf.abs(points[..., tf.newaxis] - cells), 0.0)
    down, right = weights[..., 0, :, :], weights[..., 1, :, :]
    return tf.matmul(tf.matmul(down, masks), right, transpose_b=True)
