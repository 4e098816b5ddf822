"""Image classification as a workload: the data, the training step, and how quality is measured."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

import keras
import tensorflow as tf

from reference_impls.harness import DataError, check_files
from reference_impls.harness.data.arrays import batch_arrays, make_rng
from reference_impls.harness.run.optimizers import scale_losses
from reference_impls.harness.workload import Batch, Collected, Evaluation, Share, Workload
from reference_impls.image_classification.config import ImageClassificationConfig
from reference_impls.image_classification.fashion_mnist import (
    FILES,
    PIXEL_DEVIATION,
    PIXEL_MEAN,
    Images,
    read_fashion_mnist,
)
from reference_impls.image_classification.imagenet import ImageNet
from reference_impls.image_classification.imagenet_files import SPLITS, find_split
from reference_impls.image_classification.model import build_resnet
from reference_impls.image_classification.schedule import make_schedule


class ImageSource(Protocol):
    """Batches of images: ``images`` (uint8), ``labels`` (int32) and, to evaluate, ``weight``.

    Attributes:
        pixel_mean: of each color channel, on the scale 0 to 255; the model sees pixels less their mean, over the deviation.
        pixel_deviation: of each color channel.
    """

    pixel_mean: ClassVar[tuple[float, ...]]
    pixel_deviation: ClassVar[tuple[float, ...]]

    def train_batches(self, epoch: int, share: Share) -> tf.data.Dataset:
        """Whole batches of one epoch."""

    def eval_batches(self, share: Share) -> tf.data.Dataset:
        """Every image once; a weight of 0 marks padding."""


class FashionMNIST:
    """Fashion-MNIST in memory: the first training images, half of which are flipped, and all test images.

    Args:
        folder: folder of the files.
        config: settings.
        seed: seed of the order and the flips.
        command: the command that gets the data.
    """

    pixel_mean: ClassVar[tuple[float, ...]] = (PIXEL_MEAN,)
    pixel_deviation: ClassVar[tuple[float, ...]] = (PIXEL_DEVIATION,)

    def __init__(self, folder: Path, config: ImageClassificationConfig, seed: int, command: str) -> None:
        self.config = config
        self.seed = seed
        self.train, self.test = read_fashion_mnist(folder, command)
        found = len(self.train.labels), len(self.test.labels)
        if found[0] < config.train_samples or found[1] != config.eval_samples:
            raise DataError(
                f"{folder} holds {found[0]:,} and {found[1]:,} images, not {config.train_samples:,} and "
                f"{config.eval_samples:,}; get them again with: {command}"
            )
        self.train = Images(*(part[: config.train_samples] for part in self.train))

    def train_batches(self, epoch: int, share: Share) -> tf.data.Dataset:
        """Whole batches of one epoch."""
        rng = make_rng(self.seed, epoch)
        count = len(self.train.labels)
        order, flips = rng.permutation(count), rng.random(count) < 0.5
        arrays = {"images": self.train.images, "labels": self.train.labels, "flips": flips}
        batches = batch_arrays(arrays, self.config.global_batch_size, share, order=order, whole_batches=True)

        def flip(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            images = batch["images"]
            flips = batch["flips"][:, tf.newaxis, tf.newaxis, tf.newaxis]
            return {"images": tf.where(flips, images[:, :, ::-1], images), "labels": batch["labels"]}

        return batches.map(flip).prefetch(2)

    def eval_batches(self, share: Share) -> tf.data.Dataset:
        """Every test image once."""
        arrays = {"images": self.test.images, "labels": self.test.labels}
        return batch_arrays(arrays, self.config.eval_batch_size, share, weight="weight")


SOURCES: dict[str, Callable[[Path, ImageClassificationConfig, int, str], ImageSource]] = {
    "fashion_mnist": FashionMNIST,
    "imagenet": ImageNet,
}


class ImageClassificationWorkload(Workload[ImageClassificationConfig]):
    """ResNet v1.5, trained by momentum SGD with weight decay, evaluated on all validation images."""

    metric = "top-1 accuracy"

    def check_data(self) -> None:
        """Check that the images are there; `load` reads them."""
        if self.config.source == "imagenet":
            for names in SPLITS:
                find_split(self.folder, names, self.data_command)
        else:
            check_files(self.folder, FILES, self.data_command, checksums=False)

    def data_checksum(self) -> str:
        """Of Fashion-MNIST the checksum of its files' checksums, of ImageNet that of its files' names and sizes."""
        if self.config.source == "fashion_mnist":
            parts = [file.sha256 for file in FILES]
        else:
            splits = [find_split(self.folder, names, self.data_command) for names in SPLITS]
            parts = [
                f"{Path(name).name} {Path(name).stat().st_size}" for split in splits for name in split.names
            ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def hyperparameters(self, share: Share) -> dict[str, object]:
        """Those of the configuration, and the number of images that batch norm sees at a time."""
        return {**super().hyperparameters(share), **self.batch_norm_span(share)}

    def build(self) -> None:
        """Make the model and its optimizer."""
        self.model = build_resnet(self.config, self.seed)
        # Batch norm's parameters and biases are not decayed.
        self.decayed = [weight for weight in self.model.trainable_variables if weight.name == "kernel"]
        self.optimizer = self._make_optimizer()
        self.optimizer.build(self.model.trainable_variables)

    def _make_optimizer(self) -> keras.optimizers.Optimizer:
        config = self.config
        schedule = make_schedule(config)
        if config.optimizer == "sgd":
            return scale_losses(keras.optimizers.SGD(schedule, momentum=config.momentum), config)
        optimizer = keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay)
        optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        return scale_losses(optimizer, config)

    def state(self) -> dict[str, Any]:
        """Model and optimizer."""
        return {"model": self.model, "optimizer": self.optimizer}

    def load(self, share: Share) -> None:
        """Read the images, or list their files."""
        del share
        self.source = SOURCES[self.config.source](self.folder, self.config, self.seed, self.data_command)

    def train_data(self, epoch: int, share: Share) -> tf.data.Dataset:
        """The batches of one epoch."""
        return self.source.train_batches(epoch, share)

    def train_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """Cross entropy, plus for SGD the L2 penalty on the decayed weights."""
        config = self.config

        def measure(part: Batch, _: object) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
            logits = tf.cast(self.model(self._normalize(part["images"]), training=True), tf.float32)
            loss = tf.reduce_sum(self._compare(part["labels"], logits)) / config.global_batch_size
            total = loss
            if config.optimizer == "sgd":
                squares = [tf.nn.l2_loss(tf.cast(weight, tf.float32)) for weight in self.decayed]
                total += config.weight_decay / self.count_parts() * tf.add_n(squares)
            correct = tf.argmax(logits, axis=-1, output_type=tf.int32) == part["labels"]
            share = tf.reduce_sum(tf.cast(correct, tf.float32)) / config.global_batch_size
            return total, {"loss": loss, "accuracy": share}

        return self.update(measure, batch, self.optimizer, self.model.trainable_variables)

    def _normalize(self, images: tf.Tensor) -> tf.Tensor:
        """Done on the device, which thus receives a quarter of the bytes."""
        return (tf.cast(images, tf.float32) - self.source.pixel_mean) / self.source.pixel_deviation

    def _compare(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        if not self.config.label_smoothing:
            return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        spread = self.config.label_smoothing / self.config.classes
        wanted = tf.one_hot(labels, self.config.classes, 1 - self.config.label_smoothing + spread, spread)
        return tf.nn.softmax_cross_entropy_with_logits(wanted, logits)

    def eval_data(self, share: Share) -> tf.data.Dataset:
        """All validation images."""
        return self.source.eval_batches(share)

    def eval_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """Count images, and those classified correctly."""
        logits = self.model(self._normalize(batch["images"]), training=False)
        correct = tf.argmax(logits, axis=-1, output_type=tf.int32) == batch["labels"]
        return {
            "correct": tf.reduce_sum(tf.cast(correct, tf.float32) * batch["weight"]),
            "count": tf.reduce_sum(batch["weight"]),
        }

    def measure(self, collected: Collected) -> Evaluation:
        """Share of images classified correctly."""
        count = round(float(collected["count"]))
        if count != self.eval_samples:
            raise DataError(
                f"{self.folder} holds {count:,} images to evaluate on, not {self.eval_samples:,}; what to get "
                f"and where to put it: {self.data_command}"
            )
        return Evaluation(float(collected["correct"]) / count)
