"""Settings of the image classification task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from reference_impls.harness.configs import (
    Count,
    Fraction,
    LogKey,
    LogKeyBy,
    NotNegative,
    OneOf,
    Positive,
    Range,
    TaskConfig,
)

REFERENCE_BATCH = 256
"""Batch size that learning rates are given for."""


@dataclass(frozen=True, kw_only=True)
class ImageClassificationConfig(TaskConfig):
    """What a run of ResNet needs to know; the defaults are those of ResNet-50 on ImageNet.

    Attributes:
        source: where images come from: ``imagenet`` (TFRecords or class folders) or ``fashion_mnist``.
        image_size: height and width of the images that the model sees, in pixels.
        channels: color channels of the images.
        classes: number of classes.
        width: filters of the first stage's 3×3 convolutions; each stage doubles it.
        blocks: bottleneck blocks of each stage.
        stem: ``imagenet`` (7×7 convolution, max-pooling) or ``small`` (3×3 convolution, no pooling).
        batch_norm_momentum: share of the running mean and variance that each step keeps.
        optimizer: ``sgd`` (with momentum) or ``adamw`` (open division).
        learning_rate: learning rate after the warm-up for a batch of 256 images; it grows with the batch.
        end_learning_rate: learning rate at the end of the decay.
        warmup_epochs: epochs in which the learning rate rises linearly from 0; fractions allowed.
        decay: ``polynomial``, ``steps`` or ``cosine`` (open division).
        decay_epochs: epoch at which the decay ends (polynomial, cosine).
        decay_power: power of the polynomial.
        boundary_epochs: epochs after which the learning rate falls (steps).
        boundary_factor: factor by which it falls there.
        momentum: momentum of SGD.
        weight_decay: factor of half the sum of squares of all weights but batch norm's and biases.
        label_smoothing: share of the probability spread over all classes; 0 in the closed division.
        shuffle_buffer: images among which the next one is drawn, where images are read from files.
    """

    source: Annotated[str, OneOf("imagenet", "fashion_mnist"), LogKey("data_source")] = "imagenet"
    image_size: Annotated[Count, LogKey("data_image_size")] = 224
    channels: Annotated[Count, LogKey("data_channels")] = 3
    classes: Annotated[Count, LogKey("data_classes")] = 1000
    width: Annotated[Count, LogKey("model_width")] = 64
    blocks: Annotated[tuple[int, ...], Range(1), LogKey("model_blocks")] = (3, 4, 6, 3)
    stem: Annotated[str, OneOf("imagenet", "small"), LogKey("model_stem")] = "imagenet"
    batch_norm_momentum: Annotated[Fraction, LogKey("model_batch_norm_momentum")] = 0.9
    optimizer: Annotated[str, OneOf("sgd", "adamw"), LogKey("opt_name")] = "sgd"
    learning_rate: Annotated[
        Positive, LogKeyBy("optimizer", sgd="sgd_opt_base_learning_rate", adamw="opt_base_learning_rate")
    ] = 0.1
    end_learning_rate: Annotated[
        NotNegative, LogKeyBy("decay", polynomial="sgd_opt_end_learning_rate", cosine="opt_end_learning_rate")
    ] = 0.0001
    warmup_epochs: Annotated[NotNegative, LogKey("opt_learning_rate_warmup_epochs")] = 5.0
    decay: Annotated[
        str, OneOf("polynomial", "steps", "cosine"), LogKey("opt_learning_rate_decay_schedule")
    ] = "polynomial"
    decay_epochs: Annotated[
        Positive,
        LogKeyBy(
            "decay", polynomial="opt_learning_rate_decay_epochs", cosine="opt_learning_rate_decay_epochs"
        ),
    ] = 80.0
    decay_power: Annotated[
        Positive, LogKeyBy("decay", polynomial="sgd_opt_learning_rate_decay_poly_power")
    ] = 2.0
    boundary_epochs: Annotated[
        tuple[float, ...], Range(0), LogKeyBy("decay", steps="opt_learning_rate_decay_boundary_epochs")
    ] = (30.0, 60.0, 80.0)
    boundary_factor: Annotated[Positive, LogKeyBy("decay", steps="opt_learning_rate_decay_factor")] = 0.1
    momentum: Annotated[Fraction, LogKeyBy("optimizer", sgd="sgd_opt_momentum")] = 0.9
    weight_decay: Annotated[
        NotNegative, LogKeyBy("optimizer", sgd="sgd_opt_weight_decay", adamw="opt_adamw_weight_decay")
    ] = 1e-4
    label_smoothing: Fraction = 0.0
    shuffle_buffer: Annotated[Count, LogKeyBy("source", imagenet="data_shuffle_buffer")] = 16384

    def count_epoch_steps(self) -> int:
        """Steps of an epoch: whole batches only."""
        return self.train_samples // self.global_batch_size

    @property
    def peak_learning_rate(self) -> float:
        """The learning rate after the warm-up."""
        return self.learning_rate * self.global_batch_size / REFERENCE_BATCH

    def hyperparameters(self) -> dict[str, object]:
        """Values by log key; the learning rate as it is used, the end of the decay in steps, too."""
        values = super().hyperparameters()
        values[self.log_keys()["learning_rate"]] = self.peak_learning_rate
        steps = round(self.decay_epochs * self.count_epoch_steps())
        if self.decay == "polynomial":
            values["sgd_opt_learning_rate_decay_steps"] = steps
        elif self.decay == "cosine":
            values["opt_learning_rate_decay_steps"] = steps
        return values


MINI = ImageClassificationConfig(
    source="fashion_mnist",
    global_batch_size=128,
    eval_batch_size=1000,
    target=0.871,
    max_epochs=6,
    train_samples=20_000,
    eval_samples=10_000,
    image_size=28,
    channels=1,
    classes=10,
    width=8,
    blocks=(2, 2, 2),
    stem="imagenet",
    learning_rate=0.8,
    warmup_epochs=1.0,
    decay_epochs=6.0,
)
"""A small ResNet on Fashion-MNIST."""

MINI_OPEN = replace(
    MINI, optimizer="adamw", learning_rate=0.008, weight_decay=0.05, decay="cosine", label_smoothing=0.1
)
"""The open-division variant: AdamW, a cosine schedule and label smoothing."""

FULL = ImageClassificationConfig(
    global_batch_size=256,
    eval_batch_size=256,
    target=0.749,
    max_epochs=90,
    train_samples=1_281_167,
    eval_samples=50_000,
    learning_rate=0.128,
    decay="steps",
)
"""ResNet-50 v1.5 on ImageNet, the original suite's task."""

FULL_OPEN = replace(
    FULL, optimizer="adamw", learning_rate=0.001, weight_decay=0.05, decay="cosine", label_smoothing=0.1
)
"""The open-division variant: AdamW, a cosine schedule and label smoothing."""
