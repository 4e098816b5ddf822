"""Images with objects in the format of COCO 2017: one JSON file of annotations and one folder of images for each split.

``annotations/instances_train2017.json`` and ``train2017/*.jpg``, the same with ``val2017``; images may be PNG, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from pycocotools import mask as coco_mask

from reference_impls.harness.errors import DataError
from reference_impls.object_detection.coco_files import find_annotations
from reference_impls.object_detection.config import ObjectDetectionConfig

_IMAGE_KEYS = {"id", "file_name", "height", "width"}
_OBJECT_KEYS = {"image_id", "category_id", "bbox", "area", "segmentation"}


class Sample(NamedTuple):
    """One image, scaled and padded, with its objects.

    Attributes:
        image: uint8 [canvas, canvas, 3]; the image is in the top left corner.
        shape: height and width of the scaled image: float32 [2].
        boxes: float32 [objects, 4], padded with zeros.
        classes: int32 [objects], from 1; 0 for padding.
        masks: what of each box belongs to the object: uint8 [objects, size, size], 0 or 1.
    """

    image: np.ndarray
    shape: np.ndarray
    boxes: np.ndarray
    classes: np.ndarray
    masks: np.ndarray


class CocoSplit:
    """The images of one split.

    Args:
        folder: the data folder.
        split: ``train2017`` or ``val2017``.
        config: settings.
        command: the command that gets the data; messages name it.
        is_trained_on: whether images without objects are left out. Crowds, which only the evaluation knows, are no objects.

    Attributes:
        truth: the annotations as they are in the file.
        images: the entries of the images that are used, by their ids' order.
        class_ids: the file's id of each class, from the first.

    Raises:
        DataError: the annotations are missing, damaged or of other classes.
    """

    def __init__(
        self, folder: Path, split: str, config: ObjectDetectionConfig, command: str, *, is_trained_on: bool
    ) -> None:
        self.config = config
        self.folder = folder / split
        self.command = command
        path = find_annotations(folder, split)
        self.truth = read_annotations(path, command)
        self.class_ids = sorted(int(each["id"]) for each in self.truth["categories"])
        if len(self.class_ids) != config.classes:
            raise DataError(
                f"{path} has {len(self.class_ids)} categories, not {config.classes}; get the data again with: {command}"
            )
        numbers = {each: number for number, each in enumerate(self.class_ids, 1)}
        self.objects: dict[int, list[tuple[int, Mapping[str, Any]]]] = {}
        for each in self.truth["annotations"]:
            if not each.get("iscrowd") and min(each["bbox"][2:]) > 0:
                number = numbers.get(each["category_id"])
                if number is None:
                    raise DataError(
                        f"{path} has an object of the unknown category {each['category_id']}; "
                        f"get the data again with: {command}"
                    )
                self.objects.setdefault(each["image_id"], []).append((number, each))
        images = sorted(self.truth["images"], key=lambda each: int(each["id"]))
        self.images = [each for each in images if not is_trained_on or each["id"] in self.objects]

    def read_sample(self, number: int) -> Sample:
        """Read one image, by its place among those that are used.

        Raises:
            DataError: the image is missing, damaged or not of the size that the annotations give.
        """
        config, entry = self.config, self.images[number]
        canvas, count, size = config.canvas_size, config.max_objects, config.truth_size
        pixels = self._read_pixels(entry)
        height, width = pixels.shape[:2]
        factor = find_scale(height, width, config.min_image_size, config.max_image_size)
        scaled = round(height * factor), round(width * factor)
        if scaled != (height, width):
            pixels = tf.cast(tf.round(tf.image.resize(pixels, scaled)), tf.uint8).numpy()
        image = np.zeros((canvas, canvas, 3), np.uint8)
        image[: scaled[0], : scaled[1]] = pixels
        boxes, masks = np.zeros((count, 4), np.float32), np.zeros((count, size, size), np.uint8)
        classes = np.zeros(count, np.int32)
        for row, (label, each) in enumerate(self.objects.get(entry["id"], [])[:count]):
            left, top, wide, high = each["bbox"]
            classes[row], boxes[row] = label, (top, left, top + high, left + wide)
            # The pixel at the center of each bin.
            steps = (np.arange(size) + 0.5) / size
            rows = np.clip((top + high * steps).astype(int), 0, height - 1)
            columns = np.clip((left + wide * steps).astype(int), 0, width - 1)
            masks[row] = self._decode_mask(each, height, width)[np.ix_(rows, columns)]
        boxes *= np.tile(np.divide(scaled, (height, width)), 2).astype(np.float32)
        return Sample(image, np.array(scaled, np.float32), boxes, classes, masks)

    def _read_pixels(self, entry: Mapping[str, Any]) -> np.ndarray:
        path = self.folder / str(entry["file_name"])
        again = f"get the data again with: {self.command}"
        try:
            pixels = tf.io.decode_image(path.read_bytes(), channels=3, expand_animations=False).numpy()
        except FileNotFoundError:
            raise DataError(f"{path} is missing; {again}") from None
        except (OSError, tf.errors.InvalidArgumentError):
            raise DataError(f"{path} is damaged: it cannot be decoded; {again}") from None
        if pixels.shape[:2] != (entry["height"], entry["width"]):
            raise DataError(
                f"{path} has {pixels.shape[0]} by {pixels.shape[1]} pixels, not {entry['height']} by "
                f"{entry['width']} as its annotations say; {again}"
            )
        found: np.ndarray = pixels
        return found

    def _decode_mask(self, entry: Mapping[str, Any], height: int, width: int) -> np.ndarray:
        """Pixels of an object: uint8 [height, width]; from polygons or run lengths."""
        found = entry["segmentation"]
        where = f"the mask of an object of image {entry['image_id']} in {self.folder}"
        try:
            if isinstance(found, list):
                polygons = [np.asarray(each, np.float64).reshape(-1, 2).ravel().tolist() for each in found]
                found = coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
            elif isinstance(found["counts"], list):
                found = coco_mask.frPyObjects(found, height, width)
            pixels: np.ndarray = coco_mask.decode(found)
        except (TypeError, ValueError, KeyError, IndexError) as error:
            raise DataError(
                f"{where} cannot be read ({error}); get the data again with: {self.command}"
            ) from None
        if pixels.shape != (height, width):
            raise DataError(
                f"{where} has the shape {pixels.shape}, not {(height, width)}; get the data again with: {self.command}"
            )
        return pixels


def read_annotations(path: Path, command: str) -> dict[str, Any]:
    """The annotations of a split.

    Args:
        path: the JSON file.
        command: the command that gets it; messages name it.

    Raises:
        DataError: the file is missing, is not JSON, or lacks what COCO's format has.
    """
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise DataError(f"{path} is missing; get it with: {command}") from None
    except (ValueError, OSError) as error:
        raise DataError(f"{path} is damaged ({error}); get it again with: {command}") from None
    wanted = {"images": _IMAGE_KEYS, "annotations": _OBJECT_KEYS, "categories": {"id"}}
    for name, keys in wanted.items():
        entries = found.get(name) if isinstance(found, dict) else None
        if not isinstance(entries, list):
            raise DataError(f"{path} has no list of {name}; get it again with: {command}")
        for each in entries:
            if not isinstance(each, dict) or not keys <= set(each):
                raise DataError(
                    f"{path} has an entry among {name} without {', '.join(sorted(keys))}; get it again with: {command}"
                )
    for each in found["annotations"]:
        box = each["bbox"]
        if (
            not isinstance(box, list)
            or len(box) != 4
            or not all(isinstance(edge, int | float) for edge in box)
        ):
            raise DataError(
                f"{path} has the box {box!r}, which is not four numbers; get it again with: {command}"
            )
    return dict(found)


def find_scale(height: int, width: int, shorter: int, longest: int) -> float:
    """The factor that gives an image's shorter side a length, unless the longer side became longer than allowed."""
    return min(shorter / min(height, width), longest / max(height, width))
