"""Object detection: boxes, pooling, targets, losses and detections against plain ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

from reference_impls.object_detection.boxes import (  # noqa: E402
    clip_boxes,
    decode_boxes,
    encode_boxes,
    make_anchors,
    measure_overlap,
    suppress_overlapping,
)
from reference_impls.object_detection.detecting import detect_objects, propose_regions  # noqa: E402
from reference_impls.object_detection.losses import (  # noqa: E402
    measure_boxes,
    measure_masks,
    measure_proposals,
    smooth_l1,
)
from reference_impls.object_detection.pooling import align_regions, choose_levels, crop_masks  # noqa: E402
from reference_impls.object_detection.schedule import WarmupThenSteps  # noqa: E402
from reference_impls.object_detection.targets import (  # noqa: E402
    BOX_WEIGHTS,
    AnchorTargets,
    Regions,
    draw_numbers,
    keep_highest,
    match_anchors,
    sample_regions,
)

RNG = np.random.default_rng(11)


def draw_boxes(*shape: int, side: float = 60.0) -> np.ndarray:
    """Random boxes with sides of at least one pixel."""
    low = RNG.uniform(0, side, (*shape, 2))
    return np.concatenate([low, low + RNG.uniform(1, side / 2, (*shape, 2))], axis=-1).astype(np.float32)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    high, wide = np.maximum(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0)
    common = high * wide
    area, others_area = (float(np.prod(each[2:] - each[:2])) for each in (one, other))
    return float(common / (area + others_area - common))


def test_anchors_lie_around_the_centers_of_cells() -> None:
    """Each anchor has its cell's center, the area of its level and its ratio."""
    (level,) = make_anchors([(2, 3)], [8], 4.0, [0.5, 2.0])

    assert level.shape == (12, 4)
    for number, box in enumerate(level):
        row, column, ratio = number // 6, number // 2 % 3, (0.5, 2.0)[number % 2]
        height, width = box[2:] - box[:2]
        assert (box[:2] + box[2:]) / 2 == pytest.approx([8 * (row + 0.5), 8 * (column + 0.5)])
        assert (height * width, height / width) == pytest.approx((32**2, ratio))


def test_overlap_is_intersection_over_union() -> None:
    """Overlaps are those of a plain loop, 1 for equal boxes and 0 for empty ones."""
    boxes, others = draw_boxes(2, 6), draw_boxes(2, 5)

    found = measure_overlap(boxes, others).numpy()
    for image, row, column in np.ndindex(2, 6, 5):
        assert found[image, row, column] == pytest.approx(
            overlap(boxes[image, row], others[image, column]), abs=1e-6
        )
    assert measure_overlap(boxes, boxes).numpy()[0].diagonal() == pytest.approx(np.ones(6))
    assert measure_overlap(np.zeros((1, 4), np.float32), np.zeros((1, 4), np.float32)).numpy() == 0


def test_encoded_boxes_are_decoded() -> None:
    """Decoding gives the boxes back; an encoding is the shift in sizes and the logarithm of the growth."""
    boxes, references = draw_boxes(3, 7), draw_boxes(3, 7)

    codes = encode_boxes(boxes, references, BOX_WEIGHTS)
    np.testing.assert_allclose(decode_boxes(codes, references, BOX_WEIGHTS), boxes, rtol=1e-4, atol=1e-3)
    code = encode_boxes(tf.constant([[0.0, 10, 20, 30]]), tf.constant([[0.0, 0, 10, 20]]), BOX_WEIGHTS)
    np.testing.assert_allclose(code, [[10 * 0.5, 10 * 0.5, 5 * math.log(2), 0]], rtol=1e-5)
    assert np.isfinite(encode_boxes(np.zeros((1, 4), np.float32), references[0, :1], BOX_WEIGHTS)).all()
    assert np.isfinite(decode_boxes(tf.fill((1, 4), 1e4), references[0, :1], BOX_WEIGHTS)).all()


def test_boxes_are_clipped_at_their_own_image() -> None:
    """Images of different sizes cut boxes at their own edges."""
    boxes = tf.constant([[[-5.0, 1, 20, 30]]] * 2)
    found = clip_boxes(boxes, tf.constant([[10.0, 25], [40.0, 8]]))
    np.testing.assert_allclose(found, [[[0, 1, 10, 25]], [[0, 1, 20, 8]]])


def test_suppression_is_greedy() -> None:
    """What stays is what a plain loop from the best box down leaves, whatever overlaps in chains; padding has no part."""
    boxes = draw_boxes(4, 60, side=30.0)
    scores = -np.sort(-RNG.uniform(size=(4, 60)), axis=1).astype(np.float32)
    scores[:, 5], scores[:, 50:] = -1, -1

    found = suppress_overlapping(boxes, scores, 0.4).numpy()
    for image in range(4):
        kept: list[int] = []
        for number in range(60):
            if scores[image, number] >= 0 and all(
                overlap(boxes[image, number], boxes[image, other]) <= 0.4 for other in kept
            ):
                kept.append(number)
        assert np.flatnonzero(found[image]).tolist() == kept
        assert 5 < len(kept) < 45


def align_plainly(
    maps: list[np.ndarray], strides: list[int], box: np.ndarray, level: int, size: int, samples: int
) -> np.ndarray:
    """RoIAlign of one region, sample by sample."""
    grid, stride = maps[level], strides[level]
    found = np.zeros((size, size, grid.shape[-1]))
    for row, column in np.ndindex(size * samples, size * samples):
        y = box[0] + (box[2] - box[0]) * (row + 0.5) / (size * samples)
        x = box[1] + (box[3] - box[1]) * (column + 0.5) / (size * samples)
        y = min(max(y / stride - 0.5, 0), grid.shape[0] - 1)
        x = min(max(x / stride - 0.5, 0), grid.shape[1] - 1)
        top, left = int(y), int(x)
        for near_y, share_y in ((top, top + 1 - y), (top + 1, y - top)):
            for near_x, share_x in ((left, left + 1 - x), (left + 1, x - left)):
                if share_y and share_x:
                    found[row // samples, column // samples] += share_y * share_x * grid[near_y, near_x]
    return found / samples**2


@pytest.mark.parametrize("samples", [1, 2])
def test_regions_are_aligned_as_by_a_plain_loop(samples: int) -> None:
    """Pooled features are those of a loop over samples, on each level, over the maps' edges, too."""
    strides = [4, 8]
    maps = [
        RNG.normal(size=(2, 16, 12, 3)).astype(np.float32),
        RNG.normal(size=(2, 8, 6, 3)).astype(np.float32),
    ]
    boxes = draw_boxes(2, 5, side=60.0)
    levels = RNG.integers(0, 2, (2, 5)).astype(np.int32)

    found = align_regions([tf.constant(each) for each in maps], strides, boxes, levels, 3, samples).numpy()
    for image, number in np.ndindex(2, 5):
        own = [each[image] for each in maps]
        expected = align_plainly(own, strides, boxes[image, number], levels[image, number], 3, samples)
        np.testing.assert_allclose(found[image, number], expected, atol=1e-4)


def test_cells_have_their_values_at_their_centers() -> None:
    """The half-pixel convention: a region that covers exactly some cells gives exactly their values."""
    grid = RNG.normal(size=(1, 6, 6, 2)).astype(np.float32)
    box = tf.constant([[[8.0, 4.0, 16.0, 12.0]]])  # cells 2 and 3, 1 and 2 of stride 4

    found = align_regions([tf.constant(grid)], [4], box, tf.constant([[0]]), 2, 1)
    np.testing.assert_allclose(found[0, 0], grid[0, 2:4, 1:3], rtol=1e-5)


def test_larger_regions_come_from_coarser_levels() -> None:
    """A side of the canonical size belongs to the third level, half of it to the second; the ends hold the others."""
    sides = tf.constant([1.0, 55, 56, 111, 112, 223, 224, 447, 448, 9999])
    boxes = tf.stack([sides * 0, sides * 0, sides, sides], axis=1)
    assert choose_levels(boxes, 224.0, 4).numpy().tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 3, 3]


def test_masks_are_cropped_to_regions() -> None:
    """A region equal to the object's box sees its mask, the left half its left half, and one outside nothing."""
    mask = (RNG.random((1, 1, 8, 8)) < 0.5).astype(np.float32)
    own = np.array([[[10.0, 20, 26, 36]]], np.float32)
    whole = crop_masks(mask, own, own, 8)
    np.testing.assert_allclose(whole, mask, atol=1e-5)
    left = crop_masks(mask, own, np.array([[[10.0, 20, 26, 28]]], np.float32), 8).numpy()[0, 0]
    np.testing.assert_allclose(left[:, 0] > 0.5, mask[0, 0, :, 0] > 0.5)
    assert left[:, 7] == pytest.approx(0.75 * mask[0, 0, :, 3] + 0.25 * mask[0, 0, :, 4], abs=1e-5)
    assert not crop_masks(mask, own, np.array([[[40.0, 20, 56, 36]]], np.float32), 8).numpy().any()


def test_drawn_numbers_are_uniform_and_of_each_image() -> None:
    """Each image has numbers of its own that do not depend on its batch, and each purpose others."""
    seeds = tf.constant([1, 2, 2**31 - 1])
    found = draw_numbers(seeds, 4000, 0).numpy()

    np.testing.assert_array_equal(draw_numbers(seeds[1:2], 4000, 0)[0], found[1])
    assert np.histogram(found, 10, (0, 1))[0] == pytest.approx(np.full(10, 1200), abs=150)
    others = [found[1], found[2], draw_numbers(seeds[:1], 4000, 1).numpy()[0]]
    assert np.abs([np.corrcoef(found[0], each)[0, 1] for each in others]).max() < 0.06


def test_highest_scores_are_kept() -> None:
    """As many as asked for, and none that is negative."""
    found = keep_highest(tf.constant([[0.1, 0.9, 0.5, -1.0], [-1.0, -1.0, 0.2, -1.0]]), 2)
    assert found.numpy().tolist() == [[False, True, True, False], [False, False, True, False]]


def test_anchors_are_matched() -> None:
    """Enough overlap or the best of all makes an object, little overlap background; padding matches nothing."""
    anchors = tf.constant(
        [[0.0, 0, 10, 10], [0, 0, 10, 8], [0, 5, 10, 15], [40, 40, 50, 50], [70, 70, 80, 80]]
    )
    boxes = tf.constant([[[0.0, 0, 10, 10], [40, 46, 50, 56], [0, 0, 0, 0]]])
    classes = tf.constant([[3, 1, 0]])
    targets = match_anchors(anchors, boxes, classes, tf.constant([[0.1, 0.2, 0.3, 0.4, 0.5]]), samples=4)

    assert targets.labels.numpy().tolist() == [[0, 1, 0, 1, 0]]  # two of four at most, the highest draws
    assert targets.sampled.numpy().tolist() == [[0, 1, 0, 1, 1]]  # the third overlaps by a third: in between
    codes = encode_boxes(boxes[0, 1:2], anchors[3:4], (1, 1, 1, 1))
    np.testing.assert_allclose(targets.codes[0, 3], codes[0], atol=1e-5)
    assert not targets.codes.numpy()[0, [0, 2, 4]].any()


def test_regions_are_sampled() -> None:
    """Objects come first, no more than their share; the ground truth is among them; what is missing is marked."""
    proposals = tf.constant(
        [[[0.0, 0, 10, 9], [0, 0, 9, 10], [30, 30, 40, 40], [60, 60, 70, 70], [0, 0, 0, 0]]]
    )
    scores = tf.constant([[0.9, 0.8, 0.7, 0.6, -1.0]])
    boxes = tf.constant([[[0.0, 0, 10, 10], [0, 0, 0, 0]]])
    found = sample_regions(
        *(proposals, scores, boxes, tf.constant([[7, 0]]), tf.constant([[0.9, 0.1, 0.8, 0.3, 0.99]])),
        samples=6,
        positive_share=1 / 3,
    )

    assert found.classes.numpy().tolist() == [[7, 7, 0, 0, 0, 0]]
    assert found.sampled.numpy().tolist() == [[1, 1, 1, 1, 0, 0]]
    np.testing.assert_allclose(
        found.boxes[0, :4], [proposals[0, 0], boxes[0, 0], proposals[0, 2], proposals[0, 3]]
    )
    assert found.matches.numpy()[0, :2].tolist() == [0, 0]
    np.testing.assert_allclose(found.codes[0, 1:4], np.zeros((3, 4)), atol=1e-6)
    assert found.codes.numpy()[0, 0, 3] == pytest.approx(5 * math.log(10 / 9), rel=1e-4)


def test_many_objects_do_not_exceed_their_share() -> None:
    """Ground truth ranks amid the proposals one box at a time, also where the share ends there."""
    boxes = tf.constant([[[20.0 * k, 0, 20.0 * k + 10, 10] for k in range(6)]])
    proposals = tf.concat([boxes[:, :2], boxes[:, :2] + 200.0], axis=1)
    found = sample_regions(
        *(proposals, tf.ones((1, 4)), boxes, tf.ones((1, 6), tf.int32), tf.constant([[0.9, 0.2, 0.7, 0.1]])),
        samples=8,
        positive_share=0.5,
    )

    assert found.classes.numpy().tolist() == [[1, 1, 1, 1, 0, 0, 0, 0]]
    assert found.sampled.numpy().tolist() == [[1, 1, 1, 1, 1, 1, 0, 0]]
    assert found.matches.numpy()[0, :4].tolist() == [0, 0, 1, 2]  # the best proposal, then the ground truth


def test_losses_are_those_of_the_formulas() -> None:
    """Each loss equals what is computed by hand from two images of a global batch of four."""
    assert smooth_l1(tf.constant([0.05, -2.0]), 0.1).numpy() == pytest.approx([0.0125, 1.95])

    logits = tf.constant([[0.0, 2.0, 5.0], [0.0, 0.0, 0.0]])
    labels = tf.constant([[1.0, 0, 0], [0, 0, 0]])
    sampled = tf.constant([[1.0, 1, 0], [1, 0, 0]])
    codes = tf.constant([[[1.0, 0, 0, 0], [9, 9, 9, 9], [9, 9, 9, 9]], [[9, 9, 9, 9]] * 3])
    targets = AnchorTargets(labels, sampled, tf.zeros((2, 3, 4)))
    objectness, boxes = measure_proposals(logits, codes, targets, samples=2, images=4)
    assert float(objectness) == pytest.approx((2 * math.log(2) + math.log(1 + math.e**2)) / 8)
    assert float(boxes) == pytest.approx((1 - 1 / 18) / 8)

    regions = Regions(
        *(tf.zeros((1, 2, 4)), tf.constant([[2, 0]]), tf.constant([[1.0, 1.0]])),
        *(tf.constant([[[0.5, 0, 0, 3.0], [7, 7, 7, 7]]]), tf.zeros((1, 2), tf.int32)),
    )
    scores = tf.constant([[[0.0, 0, math.log(2)], [0, 0, 0]]])
    entropy, distance = measure_boxes(scores, tf.zeros((1, 2, 3, 4)), regions, images=4)
    assert float(entropy) == pytest.approx((math.log(2) + math.log(3)) / 8)
    assert float(distance) == pytest.approx((0.125 + 2.5) / 8)

    drawn = np.zeros((2, 2, 1, 2, 3), np.float32)
    drawn[0, 0, 0, :, 2] = [math.log(3), 0]
    drawn[..., 0] = 50  # no class of an object
    truth = tf.constant([[[[1.0, 1.0]], [[0.0, 0.0]]], [[[0.0, 0.0]], [[0.0, 0.0]]]])
    loss = measure_masks(drawn, truth, tf.constant([[2, 0], [0, 0]]), images=4)
    assert float(loss) == pytest.approx((math.log(4 / 3) + math.log(2)) / 2 / 4)


def test_proposals_are_the_best_of_all_levels() -> None:
    """Each level suppresses within itself; what does not fill the result has the score -1, and so have empty boxes."""
    level = tf.constant([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30]])
    logits = [tf.constant([[2.0, 3.0, 1.0]]), tf.constant([[2.5, -2.0, 0.0]])]
    codes = [tf.zeros((1, 3, 4))] * 2
    boxes, scores = propose_regions(
        *(logits, codes, [level, level + 100], tf.constant([[109.0, 115.0]])),
        candidates=2,
        count=4,
        overlap=0.7,
    )
    np.testing.assert_allclose(boxes[0, :2], [[0, 0, 10, 9], [100, 100, 109, 110]])
    assert scores.numpy()[0] == pytest.approx([1 / (1 + math.exp(-3)), 1 / (1 + math.exp(-2.5)), -1, -1])


def test_detections_suppress_within_their_class() -> None:
    """Boxes of one class suppress each other, those of two do not; weak ones and padding are no detections."""
    regions = tf.constant([[[0.0, 0, 10, 10], [0, 0, 10, 9], [0, 1, 10, 10], [50, 50, 60, 60]]])
    logits = tf.math.log(
        tf.constant([[[0.1, 0.9, 1e-9], [0.2, 0.8, 1e-9], [0.3, 1e-9, 0.7], [0.1, 0.9, 1e-9]]])
    )
    found = detect_objects(
        *(
            logits,
            tf.zeros((1, 4, 3, 4)),
            regions,
            tf.constant([[1.0, 1.0, 1.0, -1.0]]),
            tf.constant([[100.0, 100.0]]),
        ),
        threshold=0.05,
        candidates=6,
        count=3,
        overlap=0.5,
    )
    assert found.scores.numpy()[0] == pytest.approx([0.9, 0.7, -1])
    assert found.classes.numpy()[0, :2].tolist() == [1, 2]
    np.testing.assert_allclose(found.boxes[0, :2], [regions[0, 0], regions[0, 2]])


def test_learning_rate_rises_and_falls() -> None:
    """It starts with a share of its base, reaches it after the warm-up, and falls at each boundary."""
    schedule = WarmupThenSteps(
        base=0.02, warmup_steps=4, warmup_factor=0.25, decay_steps=(10, 20), decay_factor=0.1
    )
    rates = [float(schedule(step)) for step in (0, 2, 4, 9, 10, 19, 20)]
    np.testing.assert_allclose(rates, [0.005, 0.0125, 0.02, 0.02, 0.002, 0.002, 0.0002], rtol=1e-5)
