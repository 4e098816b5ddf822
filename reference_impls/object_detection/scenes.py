"""Scenes for the mini scale: cut-outs of Fashion-MNIST on textured backgrounds, written in the format of COCO 2017.

Scenes to train on are made of the 60,000 training images, scenes to evaluate on of the 10,000 test images: the data set's own
split, which was made without regard to what is easy. Each image occurs in one scene at most. Cut-outs have a tint, a size and a
place at random; later ones hide parts of earlier ones, and the annotations describe what remains visible.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from pycocotools import mask as coco_mask

from reference_impls.harness.data.prepared import hash_arrays
from reference_impls.image_classification.fashion_mnist import Images
from reference_impls.object_detection.coco_files import SPLITS, find_annotations

CLASSES = (
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
SIZE = 128
SMALLEST, LARGEST = 28, 60
"""Sides of a cut-out in pixels."""
FEWEST, MOST = 3, 6
"""Cut-outs of a scene."""
DARKEST = 15
"""Pixels of Fashion-MNIST up to this gray value, of 255, belong to its black background."""
LEAST_VISIBLE = 0.5
"""Share of a cut-out that others may not hide."""
CHECKSUM = "checksum.json"
SEED = 2018
"""All runs train and are evaluated on the same scenes."""

_OCTAVES = ((4, 0.4), (16, 0.35), (64, 0.25))
"""Cells of the noise along a side of the background, and its weight."""
_TRIES = 20


def write_scenes(folder: Path, train: Images, test: Images, counts: tuple[int, int]) -> str:
    """Make the scenes of both splits and write them.

    Args:
        folder: where to.
        train: images for scenes to train on.
        test: images for scenes to evaluate on.
        counts: scenes of both splits.

    Returns:
        Their checksum, which is also written: of pixels and annotations, not of the PNG files, whose bytes depend on a library.
    """
    arrays: dict[str, np.ndarray] = {}
    for number, (split, images, count) in enumerate(zip(SPLITS, (train, test), counts, strict=True)):
        pixels, truth = make_scenes(images, count, np.random.default_rng([SEED, number]))
        path = find_annotations(folder, split)
        path.parent.mkdir(parents=True, exist_ok=True)
        (folder / split).mkdir(exist_ok=True)
        for entry, image in zip(truth["images"], pixels, strict=True):
            (folder / split / entry["file_name"]).write_bytes(tf.io.encode_png(image).numpy())
        text = json.dumps(truth, separators=(",", ":")).encode()
        path.write_bytes(text)
        arrays |= name_arrays(split, pixels, text)
    checksum = hash_arrays(arrays)
    (folder / CHECKSUM).write_text(json.dumps({"sha256": checksum}) + "\n", "utf-8")
    return checksum


def name_arrays(split: str, pixels: np.ndarray, annotations: bytes) -> dict[str, np.ndarray]:
    """What the checksum of the scenes covers, for one split."""
    return {f"{split}.pixels": pixels, f"{split}.annotations": np.frombuffer(annotations, np.uint8)}


def make_scenes(images: Images, count: int, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, Any]]:
    """Make scenes.

    Args:
        images: what they are made of.
        count: number of scenes.
        rng: source of randomness.

    Returns:
        Pixels, uint8 [count, size, size, 3], and annotations in COCO's format.
    """
    pixels = np.zeros((count, SIZE, SIZE, 3), np.uint8)
    entries: list[dict[str, Any]] = []
    objects: list[dict[str, Any]] = []
    numbers = iter(rng.permutation(len(images.labels)).tolist())
    for number in range(1, count + 1):
        pixels[number - 1], visible, labels = _make_scene(images, numbers, rng)
        entries.append({"id": number, "file_name": f"{number:012}.png", "height": SIZE, "width": SIZE})
        for mask, label in zip(visible, labels, strict=True):
            objects.append({"id": len(objects) + 1, **_annotate(mask), "image_id": number})
            objects[-1]["category_id"] = label + 1
    categories = [{"id": number, "name": name} for number, name in enumerate(CLASSES, 1)]
    return pixels, {"images": entries, "annotations": objects, "categories": categories}


def _annotate(mask: np.ndarray) -> dict[str, Any]:
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    runs = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {
        "bbox": [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top],
        "segmentation": {"size": list(mask.shape), "counts": runs["counts"].decode("ascii")},
        "area": int(mask.sum()),
        "iscrowd": 0,
    }


def _make_scene(
    images: Images, numbers: Iterator[int], rng: np.random.Generator
) -> tuple[np.ndarray, list[np.ndarray], list[int]]:
    """Pixels, what is visible of each cut-out, and its class."""
    canvas = np.zeros((SIZE, SIZE, 3))
    for cells, weight in _OCTAVES:
        canvas += weight * enlarge(rng.integers(0, 256, (cells, cells, 3)), SIZE)
    whole: list[np.ndarray] = []
    visible: list[np.ndarray] = []
    labels: list[int] = []
    for _ in range(int(rng.integers(FEWEST, MOST + 1))):
        number = next(numbers)
        gray = images.images[number]
        for _ in range(_TRIES):
            size = int(rng.integers(SMALLEST, LARGEST + 1))
            top, left = (int(each) for each in rng.integers(0, SIZE - size + 1, 2))
            mask = np.zeros((SIZE, SIZE), bool)
            mask[top : top + size, left : left + size] = enlarge(gray > DARKEST, size)[..., 0] >= 0.5
            left_over = [each & ~mask for each in visible]
            if mask.any() and all(
                each.sum() >= LEAST_VISIBLE * before.sum()
                for each, before in zip(left_over, whole, strict=True)
            ):
                tint = rng.integers(128, 256, 3) / 255
                shown = np.zeros((SIZE, SIZE, 3))
                shown[top : top + size, left : left + size] = enlarge(gray, size) * tint
                canvas[mask] = shown[mask]
                visible, whole = [*left_over, mask], [*whole, mask]
                labels.append(int(images.labels[number]))
                break
    return np.floor(canvas + 0.5).astype(np.uint8), visible, labels


def enlarge(values: np.ndarray, size: int) -> np.ndarray:
    """A square image [rows, rows, channels], enlarged by bilinear interpolation with centers of pixels at halves.

    It adds and multiplies number by number, so that scenes are the same on every machine.
    """
    rows = len(values)
    points = np.clip((np.arange(size) + 0.5) * rows / size - 0.5, 0, rows - 1)
    low = np.floor(points).astype(int)
    high = np.minimum(low + 1, rows - 1)
    part = (points - low)[:, np.newaxis, np.newaxis]
    found = values[low] * (1 - part) + values[high] * part
    across = part.transpose(1, 0, 2)
    enlarged: np.ndarray = found[:, low] * (1 - across) + found[:, high] * across
    return enlarged
