"""What the two stages are trained on: anchors and regions matched with the ground truth, and a sample of each.

All shapes are fixed. Ground truth is padded with empty boxes of class 0, which match nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from reference_impls.object_detection.boxes import encode_boxes, measure_overlap

BOX_WEIGHTS = (10.0, 10.0, 5.0, 5.0)
"""Factors of the second stage's box encoding (Fast R-CNN)."""
ANCHOR_WEIGHTS = (1.0, 1.0, 1.0, 1.0)


class AnchorTargets(NamedTuple):
    """What the region proposal network is trained on.

    Attributes:
        labels: 1 for objects, 0 for background: float32 [batch, anchors].
        sampled: 1 where an anchor is part of the sample: float32 [batch, anchors].
        codes: encoded box of the matched object: [batch, anchors, 4].
    """

    labels: tf.Tensor
    sampled: tf.Tensor
    codes: tf.Tensor


class Regions(NamedTuple):
    """A sample of regions; objects come first.

    Attributes:
        boxes: [batch, regions, 4].
        classes: 0 for background: int32 [batch, regions].
        sampled: 0 where there were not enough regions: float32 [batch, regions].
        codes: encoded box of the matched object: [batch, regions, 4].
        matches: number of that object: int32 [batch, regions].
    """

    boxes: tf.Tensor
    classes: tf.Tensor
    sampled: tf.Tensor
    codes: tf.Tensor
    matches: tf.Tensor


def draw_numbers(seeds: tf.Tensor, count: int, purpose: int) -> tf.Tensor:
    """Uniform numbers of each image, the same whatever batch it is in: float32 [batch, count].

    Args:
        seeds: of each image: int32 [batch].
        count: numbers of an image.
        purpose: what for; each has numbers of its own.
    """
    # A hash (the last steps of MurmurHash3) instead of a generator, which has one seed for the whole batch.
    bits = tf.cast(seeds, tf.uint32)[:, tf.newaxis] ^ tf.constant(purpose, tf.uint32) * 0x9E3779B9
    for position in (tf.cast(tf.range(count), tf.uint32) * 0x85EBCA6B, tf.constant(purpose, tf.uint32)):
        bits = bits ^ position
        for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
            bits = (bits ^ tf.bitwise.right_shift(bits, tf.constant(shift, tf.uint32))) * factor
        bits = bits ^ tf.bitwise.right_shift(bits, tf.constant(16, tf.uint32))
    return tf.cast(tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32)), tf.float32) / 2.0**24


def keep_highest(scores: tf.Tensor, count: int) -> tf.Tensor:
    """Which of each row's scores are among its highest; a negative one never is: bool [batch, n]."""
    count = min(count, scores.shape[1])
    least = tf.math.top_k(scores, count).values[:, -1:]
    return (scores >= least) & (scores >= 0)


def match_anchors(
    anchors: tf.Tensor,
    boxes: tf.Tensor,
    classes: tf.Tensor,
    draws: tf.Tensor,
    *,
    samples: int,
    positive_share: float = 0.5,
    positive_overlap: float = 0.7,
    negative_overlap: float = 0.3,
) -> AnchorTargets:
    """Label anchors: objects where they overlap one enough, or overlap one most of all; background where they overlap none.

    Args:
        anchors: [anchors, 4].
        boxes: ground truth: [batch, objects, 4].
        classes: 0 for padding: [batch, objects].
        draws: random numbers: [batch, anchors].
        samples: anchors of an image that are sampled.
        positive_share: greatest share of objects among them.
        positive_overlap: overlap from which on an anchor is an object.
        negative_overlap: overlap below which it is background; in between, it is not sampled.
    """
    is_object = (classes > 0)[:, tf.newaxis]
    overlaps = tf.where(is_object, measure_overlap(anchors[tf.newaxis], boxes), -1.0)
    best = tf.reduce_max(overlaps, axis=2)
    most = tf.reduce_max(overlaps, axis=1, keepdims=True)
    is_best = tf.reduce_any((overlaps == most) & (overlaps > 0), axis=2)
    is_positive = (best >= positive_overlap) | is_best
    positive = keep_highest(tf.where(is_positive, draws, -1.0), int(samples * positive_share))
    negative = tf.where((best < negative_overlap) & ~is_positive, draws, -1.0)
    sampled = keep_highest(tf.where(positive, 1.0 + draws, negative), samples)
    matched = tf.gather(boxes, tf.argmax(overlaps, axis=2), axis=1, batch_dims=1)
    codes = encode_boxes(matched, anchors[tf.newaxis], ANCHOR_WEIGHTS)
    positive = tf.cast(positive, tf.float32)
    return AnchorTargets(positive, tf.cast(sampled, tf.float32), codes * positive[..., tf.newaxis])


def sample_regions(
    proposals: tf.Tensor,
    scores: tf.Tensor,
    boxes: tf.Tensor,
    classes: tf.Tensor,
    draws: tf.Tensor,
    *,
    samples: int,
    positive_share: float,
    overlap: float = 0.5,
) -> Regions:
    """Sample regions from proposals and the ground truth, which ranks amid them.

    Args:
        proposals: [batch, n, 4].
        scores: of the proposals; below 0: padding.
        boxes: ground truth: [batch, objects, 4].
        classes: 0 for padding: int32 [batch, objects].
        draws: random numbers: [batch, n].
        samples: regions of an image.
        positive_share: greatest share of objects.
        overlap: overlap from which on a region shows the object that it overlaps most.
    """
    is_object = classes > 0
    candidates = tf.concat([proposals, boxes], axis=1)
    # Just below 0.5, and never equal to each other or to a drawn number: equal ones would exceed the share together.
    amid = 0.5 - (2 * tf.range(tf.shape(boxes)[1], dtype=tf.float32) + 1) * 2.0**-25
    draws = tf.concat([tf.where(scores >= 0, draws, -1.0), tf.where(is_object, amid, -1.0)], axis=1)
    overlaps = tf.where(is_object[:, tf.newaxis], measure_overlap(candidates, boxes), -1.0)
    best, matches = tf.reduce_max(overlaps, axis=2), tf.argmax(overlaps, axis=2, output_type=tf.int32)
    is_positive = best >= overlap
    positive = keep_highest(tf.where(is_positive, draws, -1.0), round(samples * positive_share))
    ranks = tf.where(positive, 1.0 + draws, tf.where(is_positive, -1.0, draws))
    chosen = tf.math.top_k(ranks, samples)

    def take(values: tf.Tensor) -> tf.Tensor:
        return tf.gather(values, chosen.indices, axis=1, batch_dims=1)

    regions, matched = take(candidates), take(matches)
    is_positive = chosen.values >= 1
    own = tf.gather(boxes, matched, axis=1, batch_dims=1)
    labels = tf.where(is_positive, tf.gather(classes, matched, axis=1, batch_dims=1), 0)
    return Regions(
        regions,
        labels,
        tf.cast(chosen.values >= 0, tf.float32),
        encode_boxes(own, regions, BOX_WEIGHTS) * tf.cast(is_positive, tf.float32)[..., tf.newaxis],
        matched,
    )
