"""Made-up images with objects, in the layout of COCO 2017."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from reference_impls.image_classification.fashion_mnist import Images
from reference_impls.object_detection.config import MINI
from reference_impls.object_detection.scenes import write_scenes

CHANGES: dict[str, Any] = {
    "train_samples": 8,
    "eval_samples": 5,
    "global_batch_size": 4,
    "eval_batch_size": 2,
    "target": 1.0,
    "mask_target": 1.0,
    "max_epochs": 2,
    "width": 4,
    "blocks": (1, 1),
    "channels": 8,
    "box_units": 16,
    "mask_convolutions": 1,
    "mask_pooling": 4,
    "anchor_scale": 4.0,
    "canonical_size": 112.0,
    "candidates": 20,
    "proposals": 20,
    "eval_candidates": 20,
    "eval_proposals": 20,
    "region_samples": 16,
    "positive_share": 0.25,
    "detection_candidates": 30,
    "detections": 6,
    "warmup_steps": 2,
    "decay_steps": (10, 20),
}
TINY = dataclasses.replace(MINI, **CHANGES)
"""Trains in a second, once its steps are compiled."""


def make_cutouts(count: int) -> Images:
    """Rectangles with black borders, whose shape and gray level give the class."""
    images = np.zeros((count, 28, 28, 1), np.uint8)
    labels = (np.arange(count) % 10).astype(np.int32)
    for image, label in zip(images, labels, strict=True):
        image[2 + label : 26 - label // 2, 3 : 25 - label] = 60 + 18 * label
    return Images(images, labels)


def write_tiny_scenes(folder: Path, train: int = 8, test: int = 5) -> Path:
    """Scenes of made-up cut-outs."""
    write_scenes(folder, make_cutouts(7 * train), make_cutouts(7 * test), (train, test))
    return folder


def write_tiny_coco(folder: Path) -> Path:
    """Four JPEG files of different sizes in each split, with COCO's polygons, run lengths and crowds, and ids with gaps."""
    categories = [{"id": 1 + number + number // 10, "name": f"thing {number}"} for number in range(80)]
    rng = np.random.default_rng(3)
    (folder / "annotations").mkdir(parents=True)
    for split in ("train2017", "val2017"):
        (folder / split).mkdir()
        images, annotations = [], []
        for number in range(4):
            height, width = 60 + 10 * number, 90 - 10 * number
            entry = {
                "id": 139 + 57 * number,
                "file_name": f"{number:012}.jpg",
                "height": height,
                "width": width,
            }
            pixels = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
            (folder / split / entry["file_name"]).write_bytes(tf.io.encode_jpeg(pixels).numpy())
            images.append(entry)
            polygon = [10.5, 20.0, 40.0, 20.0, 40.0, 50.25, 10.5, 50.25]
            shared = {"image_id": entry["id"], "area": 892.375, "iscrowd": 0}
            kept = [{"bbox": [10.5, 20.0, 29.5, 30.25], "segmentation": [polygon], "category_id": 1}]
            runs = {"size": [height, width], "counts": [height * 5, 30, height * width - height * 5 - 30]}
            kept.append(
                {"bbox": [5, 0, 1, 30], "segmentation": runs, "category_id": 90 - 2 * number - 3, "area": 30}
            )
            crowd = {"bbox": [0, 0, 9, 9], "segmentation": runs, "category_id": 1, "iscrowd": 1}
            for each in [*kept, crowd]:
                annotations.append({**shared, **each, "id": len(annotations) + 1})
        images.append({"id": 5, "file_name": "nothing.jpg", "height": 4, "width": 4})  # without objects
        (folder / split / "nothing.jpg").write_bytes(tf.io.encode_jpeg(np.zeros((4, 4, 3), np.uint8)).numpy())
        truth = {"info": {}, "images": images, "annotations": annotations, "categories": categories}
        (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(truth))
    return folder
