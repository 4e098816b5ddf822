"""ImageNet 2012, from TFRecords or from one folder of JPEG images for each class.

TFRecords are those that the usual conversion scripts write: files ``train-00000-of-01024`` and
``validation-00000-of-00128`` of `tf.train.Example` with ``image/encoded`` (the JPEG file) and ``image/class/label``
(from 1, in the order of the class names). Folders are ``train/n01440764/*.JPEG`` and ``val/n01440764/*.JPEG``; classes
are numbered by name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import tensorflow as tf

from reference_impls.harness.data.arrays import make_rng
from reference_impls.harness.workload import Share
from reference_impls.image_classification.config import ImageClassificationConfig
from reference_impls.image_classification.imagenet_files import SPLITS, ImageFiles, find_split

CENTER_SHARE = 0.875
"""Share of the shorter side that the center crop of an evaluation keeps: 224 of 256 pixels."""

_FILES_AT_ONCE = 16
Record = tuple[tf.Tensor, tf.Tensor]
"""A compressed image (bytes) and its class (int32, from 0)."""


class ImageNet:
    """The images of ImageNet as batches.

    Args:
        folder: where they are.
        config: settings.
        seed: seed of the order, the crops and the flips.
        command: the command that checks the data; messages name it.

    Raises:
        DataError: there are no images in the folder.
    """

    # Red, green and blue of the training images.
    pixel_mean: ClassVar[tuple[float, ...]] = (123.675, 116.28, 103.53)
    pixel_deviation: ClassVar[tuple[float, ...]] = (58.395, 57.12, 57.375)

    def __init__(self, folder: Path, config: ImageClassificationConfig, seed: int, command: str) -> None:
        self.config = config
        self.seed = seed
        self.train, self.validation = (Split(find_split(folder, names, command)) for names in SPLITS)

    def train_batches(self, epoch: int, share: Share) -> tf.data.Dataset:
        """Whole batches of one epoch: images cropped and flipped at random."""
        config = self.config
        rng = make_rng(self.seed, epoch)
        steps = config.train_samples // config.global_batch_size
        size = share.replica_batch(config.global_batch_size)
        records = self.train.shuffled(rng, share).shuffle(
            config.shuffle_buffer, seed=int(rng.integers(2**31)), reshuffle_each_iteration=True
        )
        # A process's files may hold slightly fewer images than its part of the epoch: then it repeats some.
        crops = tf.data.Dataset.random(seed=int(rng.integers(2**31))).batch(2, drop_remainder=True)
        mine = tf.data.Dataset.zip((records.repeat(), crops)).take(steps * size * share.replicas)

        def prepare(record: Record, seeds: tf.Tensor) -> dict[str, tf.Tensor]:
            image = crop_and_flip(record[0], config.image_size, tf.cast(seeds, tf.int32))
            return {"images": image, "labels": record[1]}

        batches = self._decode(mine, prepare).batch(size, drop_remainder=True)
        counted = batches.apply(tf.data.experimental.assert_cardinality(steps * share.replicas))
        return counted.prefetch(tf.data.AUTOTUNE)

    def eval_batches(self, share: Share) -> tf.data.Dataset:
        """The center crop of every validation image, once; a weight of 0 marks padding."""
        config = self.config
        size = share.replica_batch(config.eval_batch_size)
        of_process = -(-config.eval_samples // share.processes)
        batches = -(-of_process // (size * share.replicas)) * share.replicas
        shape = (config.image_size, config.image_size, config.channels)

        def prepare(*record: tf.Tensor) -> dict[str, tf.Tensor]:
            image = crop_center(record[0], config.image_size)
            return {"images": image, "labels": record[1], "weight": tf.constant(1.0)}

        images = self._decode(self.validation.in_order(share), prepare)
        padding = {"images": tf.zeros(shape, tf.uint8), "labels": tf.constant(0), "weight": tf.constant(0.0)}
        padded = images.concatenate(tf.data.Dataset.from_tensors(padding).repeat())
        return padded.batch(size, drop_remainder=True).take(batches).prefetch(tf.data.AUTOTUNE)

    def _decode(
        self, records: tf.data.Dataset, prepare: Callable[..., dict[str, tf.Tensor]]
    ) -> tf.data.Dataset:
        return records.map(prepare, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


class Split:
    """Training or validation images as records.

    Args:
        files: where they are.
    """

    def __init__(self, files: ImageFiles) -> None:
        self.names = np.array(files.names)
        self.labels = None if files.labels is None else np.array(files.labels, np.int32)

    def shuffled(self, rng: np.random.Generator, share: Share) -> tf.data.Dataset:
        """One process's part of the images, with the files in random order."""
        order = rng.permutation(len(self.names))
        parts = order[share.index :: share.processes] if len(order) >= share.processes else order
        return self._read(parts)

    def in_order(self, share: Share) -> tf.data.Dataset:
        """One process's part of the images, neither read (class folders) nor parsed (TFRecords) by the others."""
        order = np.arange(len(self.names))
        if self.labels is not None:
            return self._read(order[share.index :: share.processes])
        return self._read(order, lambda records: records.shard(share.processes, share.index))

    def _read(
        self,
        order: np.ndarray,
        choose: Callable[[tf.data.Dataset], tf.data.Dataset] = lambda records: records,
    ) -> tf.data.Dataset:
        names = self.names[order]
        if self.labels is not None:
            files = tf.data.Dataset.from_tensor_slices((names, self.labels[order]))
            return files.map(
                lambda name, label: (tf.io.read_file(name), label),
                num_parallel_calls=tf.data.AUTOTUNE,
                deterministic=True,
            )
        records = tf.data.Dataset.from_tensor_slices(names).interleave(
            tf.data.TFRecordDataset,
            cycle_length=min(_FILES_AT_ONCE, len(names)),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        return choose(records).map(parse_example, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def parse_example(serialized: tf.Tensor) -> Record:
    """Image and class (from 0) of a record."""
    fields = {
        "image/encoded": tf.io.FixedLenFeature((), tf.string),
        "image/class/label": tf.io.FixedLenFeature((), tf.int64),
    }
    parsed = tf.io.parse_single_example(serialized, fields)
    return parsed["image/encoded"], tf.cast(parsed["image/class/label"], tf.int32) - 1


def crop_and_flip(encoded: tf.Tensor, size: int, seeds: tf.Tensor) -> tf.Tensor:
    """A random crop of an image (5 to 100 percent of its area, aspect ratio 3:4 to 4:3), resized, and flipped half of the time.

    Args:
        encoded: contents of the image file.
        size: height and width of the result.
        seeds: two integers that determine crop and flip.

    Returns:
        uint8 [size, size, 3].
    """
    shape = _read_shape(encoded)
    begin, extent, _ = tf.image.stateless_sample_distorted_bounding_box(
        shape,
        tf.zeros((1, 0, 4)),
        seeds,
        min_object_covered=0.1,
        aspect_ratio_range=(3 / 4, 4 / 3),
        area_range=(0.05, 1.0),
        max_attempts=100,
        use_image_if_no_bounding_boxes=True,
    )
    image = _decode_window(encoded, begin[0], begin[1], extent[0], extent[1])
    image = tf.image.resize(image, (size, size), method="bilinear")
    image = tf.image.stateless_random_flip_left_right(image, seeds + 1)
    return _round_pixels(image, size)


def crop_center(encoded: tf.Tensor, size: int) -> tf.Tensor:
    """The center crop of an image, resized: a square whose side is 7/8 of the shorter side.

    Args:
        encoded: contents of the image file.
        size: height and width of the result.

    Returns:
        uint8 [size, size, 3].
    """
    shape = _read_shape(encoded)
    shorter = tf.minimum(shape[0], shape[1])
    side = tf.cast(tf.round(tf.cast(shorter, tf.float32) * CENTER_SHARE), tf.int32)
    image = _decode_window(encoded, (shape[0] - side) // 2, (shape[1] - side) // 2, side, side)
    return _round_pixels(tf.image.resize(image, (size, size), method="bilinear", antialias=True), size)


def _read_shape(encoded: tf.Tensor) -> tf.Tensor:
    """Height, width and channels. A few of the images are PNG files named JPEG."""
    return tf.cond(
        tf.image.is_jpeg(encoded),
        lambda: tf.image.extract_jpeg_shape(encoded),
        lambda: tf.shape(tf.io.decode_image(encoded, channels=3, expand_animations=False)),
    )


def _decode_window(
    encoded: tf.Tensor, top: tf.Tensor, left: tf.Tensor, height: tf.Tensor, width: tf.Tensor
) -> tf.Tensor:
    """Decode a window of an image; of JPEG files only that window."""
    window = tf.stack([top, left, height, width])

    def decode_other() -> tf.Tensor:
        image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
        return image[top : top + height, left : left + width]

    image = tf.cond(
        tf.image.is_jpeg(encoded),
        lambda: tf.io.decode_and_crop_jpeg(encoded, window, channels=3),
        decode_other,
    )
    image.set_shape((None, None, 3))
    return image


def _round_pixels(image: tf.Tensor, size: int) -> tf.Tensor:
    """Pixels as bytes, a quarter of what a device would receive as floats."""
    image = tf.saturate_cast(tf.round(image), tf.uint8)
    image.set_shape((size, size, 3))  # decoding hides the size
    return image
