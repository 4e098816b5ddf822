"""Average precision of detections, as COCO measures it (pycocotools)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

BOXES, MASKS = "BBOX", "SEGM"
"""Names of the two qualities in the log."""

_KINDS = {BOXES: "bbox", MASKS: "segm"}


def encode_detections(
    image: Mapping[str, Any],
    boxes: np.ndarray,
    scores: np.ndarray,
    classes: np.ndarray,
    masks: np.ndarray,
    class_ids: Sequence[int],
) -> Iterable[dict[str, Any]]:
    """Detections of one image as entries of COCO's result format.

    Args:
        image: the image's entry of the annotations.
        boxes: in pixels of that image: [n, 4].
        scores: [n]; entries below 0 are padding and left out.
        classes: [n], from 1.
        masks: probabilities within the boxes: [n, size, size].
        class_ids: the annotations' id of each class.
    """
    height, width = int(image["height"]), int(image["width"])
    for box, score, label, mask in zip(boxes, scores, classes, masks, strict=True):
        if score < 0:
            continue
        runs = coco_mask.encode(np.asfortranarray(paste_mask(mask, box, height, width)))
        top, left, bottom, right = (float(each) for each in box)
        yield {
            "image_id": image["id"],
            "category_id": class_ids[int(label) - 1],
            "bbox": [left, top, right - left, bottom - top],
            "score": float(score),
            "segmentation": runs,
        }


def paste_mask(mask: np.ndarray, box: np.ndarray, height: int, width: int) -> np.ndarray:
    """The pixels of an image whose centers lie within a mask, by bilinear interpolation.

    Args:
        mask: probabilities within the box: [size, size].
        box: [4].
        height: of the image.
        width: of the image.

    Returns:
        uint8 [height, width]: 1 where the probability is above one half.
    """
    pixels = np.zeros((height, width), np.uint8)
    top, left = np.maximum(np.floor(box[:2]), 0).astype(int)
    bottom, right = np.minimum(np.ceil(box[2:]), (height, width)).astype(int)
    weights = []
    for first, end, low, high in ((top, bottom, box[0], box[2]), (left, right, box[1], box[3])):
        points = (np.arange(first, end) + 0.5 - low) / max(high - low, 1e-6) * len(mask) - 0.5
        weights.append(np.maximum(1 - np.abs(points[:, np.newaxis] - np.arange(len(mask))), 0))
    pixels[top:bottom, left:right] = weights[0] @ mask @ weights[1].T > 0.5
    return pixels


def measure_precision(
    truth: Mapping[str, Any], detections: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, float]]:
    """Average precision of boxes and masks.

    Args:
        truth: annotations in COCO's format.
        detections: entries of COCO's result format, with boxes and masks.

    Returns:
        For ``BBOX`` and ``SEGM`` the mean over overlaps from 0.5 to 0.95 (``AP``) and at 0.5 (``AP50``) and 0.75 (``AP75``).
    """
    if not detections:
        return {name: {"AP": 0.0, "AP50": 0.0, "AP75": 0.0} for name in _KINDS}
    found = {}
    with contextlib.redirect_stdout(io.StringIO()):  # it reports its progress
        reference = COCO()
        # It adds keys to the entries.
        copied = [{"iscrowd": 0, **each, "id": number} for number, each in enumerate(truth["annotations"], 1)]
        reference.dataset = {**truth, "annotations": copied}
        reference.createIndex()
        results = reference.loadRes([dict(each) for each in detections])
        for name, kind in _KINDS.items():
            evaluation = COCOeval(reference, results, kind)
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
            mean, at_50, at_75 = (float(each) for each in evaluation.stats[:3])
            found[name] = {"AP": mean, "AP50": at_50, "AP75": at_75}
    return found
