"""Settings of the image classification task."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reference_impls.harness import TaskConfig


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
        learning_rate: learning rate after the warm-up.
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

    source: str = "imagenet"
    image_size: int = 224
    channels: int = 3
    classes: int = 1000
    width: int = 64
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    stem: str = "imagenet"
    batch_norm_momentum: float = 0.9
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    end_learning_rate: float = 0.0001
    warmup_epochs: float = 5.0
    decay: str = "polynomial"
    decay_epochs: float = 80.0
    decay_power: float = 2.0
    boundary_epochs: tuple[float, ...] = (30.0, 60.0, 80.0)
    boundary_factor: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 1e-4
    label_smoothing: float = 0.0
    shuffle_buffer: int = 16384


MINI = ImageClassificationConfig(
    source="fashion_mnist",
    global_batch_size=128,
    eval_batch_size=1000,
    target=0.895,
    max_epochs=8,
    train_samples=60_000,
    eval_samples=10_000,
    image_size=28,
    channels=1,
    classes=10,
    width=8,
    blocks=(1, 1, 1),
    stem="small",
    learning_rate=0.4,
    warmup_epochs=1.0,
    decay_epochs=6.0,
)
"""A small ResNet on Fashion-MNIST."""

MINI_OPEN = replace(
    MINI, optimizer="adamw", learning_rate=0.004, weight_decay=0.05, decay="cosine", label_smoothing=0.1
)
"""The open-division variant: AdamW, a cosine schedule and label smoothing."""

FULL = ImageClassificationConfig(
    global_batch_size=256,
    eval_batch_size=256,
    target=0.749,
    max_epochs=90,
    train_samples=1_281_167,
    eval_samples=50_000,
    learning_rate=0.1,
)
"""ResNet-50 v1.5 on ImageNet, the original suite's task."""

FULL_OPEN = replace(
    FULL, optimizer="adamw", learning_rate=0.001, weight_decay=0.05, decay="cosine", label_smoothing=0.1
)
"""The open-division variant: AdamW, a cosine schedule and label smoothing."""
