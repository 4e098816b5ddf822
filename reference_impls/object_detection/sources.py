"""Batches of images with objects, from arrays in memory or read from files while training."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from reference_impls.harness.data.arrays import batch_arrays, make_rng
from reference_impls.harness.data.prepared import hash_arrays
from reference_impls.harness.errors import DataError
from reference_impls.harness.workload import Share
from reference_impls.object_detection.coco import CocoSplit, Sample
from reference_impls.object_detection.coco_files import SPLITS, find_annotations
from reference_impls.object_detection.config import ObjectDetectionConfig
from reference_impls.object_detection.scenes import CHECKSUM, name_arrays

_READERS = 8
_AHEAD = 2

Read = Callable[[tf.Tensor], tuple[tf.Tensor, ...]]
"""From the number of an image to the tensors of its `Sample`."""


class CocoImages:
    """The images to train and to evaluate on, as batches.

    Args:
        folder: the data folder.
        config: settings.
        seed: seed of the order, the flips and the samples.
        command: the command that gets the data; messages name it.

    Attributes:
        train: the split to train on.
        test: the split to evaluate on.

    Raises:
        DataError: data is missing, damaged or not of the sizes that the configuration says.
    """

    def __init__(self, folder: Path, config: ObjectDetectionConfig, seed: int, command: str) -> None:
        self.config = config
        self.seed = seed
        if config.keeps_in_memory:
            self.train, self.test, samples = _read_all(folder, config, command)
            self._readers = [_read_from(each) for each in samples]
        else:
            self.train, self.test = _open_splits(folder, config, command)
            self._readers = [_read_files(each) for each in (self.train, self.test)]
        found = len(self.train.images), len(self.test.images)
        if found != (config.train_samples, config.eval_samples):
            raise DataError(
                f"{folder} holds {found[0]:,} and {found[1]:,} images, not {config.train_samples:,} and "
                f"{config.eval_samples:,}; get the right data with: {command}"
            )

    def train_batches(self, epoch: int, share: Share) -> tf.data.Dataset:
        """Whole batches of one epoch; half of the images are flipped."""
        rng = make_rng(self.seed, epoch)
        count = len(self.train.images)
        arrays = {
            "numbers": np.arange(count, dtype=np.int32),
            "flips": rng.random(count) < 0.5,
            "seeds": rng.integers(2**31, size=count, dtype=np.int32),
        }
        rows = batch_arrays(
            arrays, self.config.global_batch_size, share, order=rng.permutation(count), whole_batches=True
        )

        def read(row: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            sample = Sample(*self._readers[0](row["numbers"]))
            return {**_flip(sample, row["flips"])._asdict(), "seeds": row["seeds"]}

        return _read_rows(rows, read, share.replica_batch(self.config.global_batch_size))

    def eval_batches(self, share: Share) -> tf.data.Dataset:
        """Every image to evaluate on once; a weight of 0 marks padding."""
        numbers = {"numbers": np.arange(len(self.test.images), dtype=np.int32)}
        rows = batch_arrays(numbers, self.config.eval_batch_size, share, weight="weights")

        def read(row: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            sample = Sample(*self._readers[1](row["numbers"]))
            return {"image": sample.image, "shape": sample.shape, **row}

        return _read_rows(rows, read, share.replica_batch(self.config.eval_batch_size))


def read_scenes(folder: Path, config: ObjectDetectionConfig, command: str) -> tuple[CocoSplit, CocoSplit]:
    """Read all scenes, and compare them with their checksum.

    Raises:
        DataError: they are missing or damaged.
    """
    return _read_all(folder, config, command)[:2]


def read_scenes_checksum(folder: Path, command: str) -> str:
    """The checksum that was written with the scenes, without reading them.

    Raises:
        DataError: there is none.
    """
    path = folder / CHECKSUM
    try:
        return str(json.loads(path.read_text("utf-8"))["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(f"{path} is missing or damaged; get the data with: {command}") from None


def _open_splits(folder: Path, config: ObjectDetectionConfig, command: str) -> tuple[CocoSplit, CocoSplit]:
    train, test = (
        CocoSplit(folder, split, config, command, is_trained_on=split == SPLITS[0]) for split in SPLITS
    )
    return train, test


def _read_all(
    folder: Path, config: ObjectDetectionConfig, command: str
) -> tuple[CocoSplit, CocoSplit, list[Sample]]:
    """Both splits, and their samples stacked."""
    splits = _open_splits(folder, config, command)
    stacked: list[Sample] = []
    arrays: dict[str, np.ndarray] = {}
    for name, split in zip(SPLITS, splits, strict=True):
        samples = [split.read_sample(number) for number in range(len(split.images))]
        stacked.append(Sample(*(np.stack(each) for each in zip(*samples, strict=True))))
        arrays |= name_arrays(name, stacked[-1].image, find_annotations(folder, name).read_bytes())
    if hash_arrays(arrays) != read_scenes_checksum(folder, command):
        raise DataError(
            f"the scenes in {folder} are damaged: their checksum differs; get them again with: {command}"
        )
    return *splits, stacked


def _read_from(stacked: Sample) -> Read:
    constants = [tf.constant(each) for each in stacked]
    return lambda number: tuple(each[number] for each in constants)


def _read_files(split: CocoSplit) -> Read:
    config = split.config
    canvas, count, size = config.canvas_size, config.max_objects, config.truth_size
    kinds = (tf.uint8, tf.float32, tf.float32, tf.int32, tf.uint8)
    shapes = ((canvas, canvas, 3), (2,), (count, 4), (count,), (count, size, size))  # of a sample's parts

    def read(number: tf.Tensor) -> tuple[tf.Tensor, ...]:
        found = tf.numpy_function(lambda each: tuple(split.read_sample(int(each))), [number], kinds)
        return tuple(tf.ensure_shape(each, shape) for each, shape in zip(found, shapes, strict=True))

    return read


def _flip(sample: Sample, is_flipped: tf.Tensor) -> Sample:
    """The sample, mirrored left to right if told so; what the image is padded with stays on the right."""
    width = sample.shape[1]
    padding = sample.image.shape[1] - tf.cast(width, tf.int32)
    top, left, bottom, right = tf.unstack(sample.boxes, axis=1)
    boxes = tf.where(
        (sample.classes > 0)[:, tf.newaxis], tf.stack([top, width - right, bottom, width - left], 1), 0.0
    )
    mirrored = sample._replace(
        image=tf.roll(sample.image[:, ::-1], -padding, axis=1), boxes=boxes, masks=sample.masks[:, :, ::-1]
    )
    return Sample(*(tf.where(is_flipped, one, other) for one, other in zip(mirrored, sample, strict=True)))


def _read_rows(
    rows: tf.data.Dataset, read: Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]], size: int
) -> tf.data.Dataset:
    """The batches of rows of numbers with what is read by them."""
    count = int(rows.cardinality())
    data = rows.unbatch().map(read, num_parallel_calls=_READERS, deterministic=True)
    data = data.batch(size, drop_remainder=True).prefetch(_AHEAD)
    return data.apply(tf.data.experimental.assert_cardinality(count)).with_options(rows.options())
