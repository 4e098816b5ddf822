"""Image classification: the model, its schedules, and steps of training."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
import keras  # noqa: E402

from reference_impls.harness import DataError, SettingError  # noqa: E402
from reference_impls.harness.run.devices import make_strategy  # noqa: E402
from reference_impls.harness.run.loop import Loop  # noqa: E402
from reference_impls.harness.workload import Share  # noqa: E402
from reference_impls.image_classification import TASK  # noqa: E402
from reference_impls.image_classification.config import FULL, MINI, ImageClassificationConfig  # noqa: E402
from reference_impls.image_classification.model import (  # noqa: E402
    BatchNormalization,
    build_resnet,
)
from reference_impls.image_classification.schedule import WarmupThenDecay, make_schedule  # noqa: E402
from reference_impls.image_classification.workload import ImageClassificationWorkload  # noqa: E402
from tests.trainers.conftest import compute_in  # noqa: E402
from tests.trainers.images import write_class_folders, write_fashion_mnist, write_records  # noqa: E402

TINY = dataclasses.replace(
    MINI,
    train_samples=40,
    eval_samples=25,
    global_batch_size=8,
    eval_batch_size=10,
    width=2,
    blocks=(1, 1),
    learning_rate=0.1,
)


def count(weights: list[keras.Variable]) -> int:
    """Number of values of some weights."""
    return sum(math.prod(weight.shape) for weight in weights)


def test_resnet_50_has_the_parameters_of_the_literature() -> None:
    """ResNet-50 for 1,000 classes has the published trainable parameters in each stage, and 53 convolutions."""
    model = build_resnet(FULL, seed=1)

    parts = Counter[str]()
    for weight in model.trainable_variables:
        parts[weight.path.partition("_")[0].partition("/")[0]] += math.prod(weight.shape)
    assert parts == {
        "stem": 7 * 7 * 3 * 64 + 2 * 64,
        "stage1": 215_808,
        "stage2": 1_219_584,
        "stage3": 7_098_368,
        "stage4": 14_964_736,
        "logits": 2_049_000,
    }
    assert parts.total() == 25_557_032
    assert sum(isinstance(layer, keras.layers.Conv2D) for layer in model.layers) == 53


def test_stride_sits_in_the_convolution_of_3() -> None:
    """Version 1.5: where a stage begins, the 3×3 convolution has stride 2 and the first 1×1 has none."""
    model = build_resnet(FULL, seed=1)

    for stage in (2, 3, 4):
        strides = [model.get_layer(f"stage{stage}_block1_{i}_conv").strides for i in (1, 2, 3)]
        assert strides == [(1, 1), (2, 2), (1, 1)]
        assert model.get_layer(f"stage{stage}_block1_shortcut_conv").strides == (2, 2)


def test_same_seed_gives_the_same_weights() -> None:
    """Initial weights follow from the seed, and no two convolutions of one shape begin alike."""
    shape = dataclasses.replace(TINY, width=4, blocks=(2, 1))
    one, same, other = (build_resnet(shape, seed).get_weights() for seed in (1, 1, 2))

    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    model = build_resnet(shape, 1)
    first, second = (model.get_layer(f"stage1_block{i}_2_conv").kernel for i in (1, 2))
    assert not np.array_equal(first, second)


def test_blocks_begin_as_identity() -> None:
    """The last scale of each block is 0 at first, so a block begins by letting its input through."""
    model = build_resnet(dataclasses.replace(TINY, blocks=(1, 2)), seed=1)

    assert all(not np.any(model.get_layer(f"stage2_block{i}_3_norm").gamma) for i in (1, 2))
    assert np.all(np.equal(model.get_layer("stage2_block2_2_norm").gamma, 1))


def test_batch_normalization_is_that_of_keras() -> None:
    """In training and in evaluation the layer gives what Keras' own gives."""
    ours = BatchNormalization(0.9)
    theirs = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
    rng = np.random.default_rng(0)

    for _ in range(3):
        x = rng.normal(3, 2, (8, 4, 4, 5)).astype(np.float32)
        np.testing.assert_allclose(ours(x, training=True), theirs(x, training=True), atol=1e-4)
    np.testing.assert_allclose(ours.mean, theirs.moving_mean, rtol=1e-4)
    # Keras keeps the variance of the batch; the fused kernel that of the population it is drawn from, n / (n - 1).
    np.testing.assert_allclose(ours.variance, theirs.moving_variance, rtol=0.02)
    np.testing.assert_allclose(ours(x), theirs(x), atol=0.05)


def test_polynomial_schedule_rises_and_falls() -> None:
    """The learning rate rises evenly from the first step on and falls as a parabola to its end."""
    schedule = WarmupThenDecay(base=1.0, end=0.1, warmup_steps=10, decay_steps=110, power=2.0)

    rates = [float(schedule(step)) for step in (0, 4, 9, 10, 60, 110, 500)]
    np.testing.assert_allclose(rates, [0.1, 0.5, 1.0, 1.0, 0.1 + 0.9 * 0.25, 0.1, 0.1], rtol=1e-5)


def test_steps_schedule_falls_at_boundaries() -> None:
    """The learning rate is multiplied by the factor at each boundary."""
    schedule = WarmupThenDecay(base=1.0, decay="steps", boundaries=(30, 60), factor=0.1)

    rates = [float(schedule(step)) for step in (0, 29, 30, 59, 60)]
    np.testing.assert_allclose(rates, [1.0, 1.0, 0.1, 0.1, 0.01], rtol=1e-5)


def test_cosine_schedule_falls_along_half_a_wave() -> None:
    """Half way down the learning rate is half way between base and end."""
    schedule = WarmupThenDecay(base=1.0, end=0.0, decay="cosine", decay_steps=100)

    np.testing.assert_allclose([float(schedule(s)) for s in (0, 50, 100)], [1, 0.5, 0], atol=1e-6)


def test_schedule_of_the_full_scale_follows_its_epochs() -> None:
    """Warm-up and boundaries are counted in steps of whole batches, and the learning rate grows with the batch."""
    settings = make_schedule(FULL).settings

    assert (settings["warmup_steps"], settings["base"]) == (5 * 5004, 0.128)
    assert settings["boundaries"] == (30 * 5004, 60 * 5004, 80 * 5004)
    assert make_schedule(dataclasses.replace(FULL, global_batch_size=2048)).settings["base"] == 1.024
    assert dataclasses.replace(MINI).hyperparameters()["sgd_opt_base_learning_rate"] == 0.4


def test_unknown_settings_are_rejected() -> None:
    """A decay, an optimizer or a source that does not exist is answered by those that do."""
    with pytest.raises(SettingError, match="polynomial, steps, cosine"):
        dataclasses.replace(TINY, decay="linear")
    with pytest.raises(SettingError, match="sgd, adamw"):
        dataclasses.replace(TINY, optimizer="sdg")
    with pytest.raises(SettingError, match="imagenet, fashion_mnist"):
        dataclasses.replace(TINY, source="mnist")


def test_configurations_learn_on_made_up_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both divisions' mini configuration lowers the loss on made-up images and evaluates each image once."""
    write_fashion_mnist(tmp_path, monkeypatch, train=40, test=25)
    for division in ("closed", "open"):
        config: ImageClassificationConfig = dataclasses.replace(
            TASK.config("mini", division),
            train_samples=40,
            eval_samples=25,
            global_batch_size=8,
            eval_batch_size=10,
            width=2,
            blocks=(1, 1),
            learning_rate=0.05,
        )
        loop = Loop(ImageClassificationWorkload(config, tmp_path, 1), make_strategy("single"))
        loop.build()
        loop.workload.load(loop.share)
        losses = [loop.train_epoch(epoch)["loss"] for epoch in range(1, 5)]
        assert losses[-1] < losses[0]
        quality = loop.evaluate().quality
        assert 0 <= quality <= 1
        assert quality * 25 == pytest.approx(round(quality * 25))


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_task_learns_in_half_precision_and_in_parts(
    precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half precision and accumulation steps lower the loss, too; batch norm spans a part, which the log says."""
    write_fashion_mnist(tmp_path, monkeypatch, train=40, test=25)
    with compute_in(precision):
        config = dataclasses.replace(TINY, precision=precision, gradient_accumulation_steps=2)
        loop = Loop(ImageClassificationWorkload(config, tmp_path, 1), make_strategy("single"))
        loop.build()
        loop.workload.load(loop.share)
        losses = [loop.train_epoch(epoch)["loss"] for epoch in range(1, 5)]
        assert losses[-1] < losses[0]
        assert 0 <= loop.evaluate().quality <= 1
    assert loop.workload.hyperparameters(Share())["model_bn_span"] == config.global_batch_size // 2


def test_equal_seeds_train_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs with one seed have equal losses to the last bit; another seed has others."""
    write_fashion_mnist(tmp_path, monkeypatch, train=40, test=25)

    def train(seed: int) -> float:
        loop = Loop(ImageClassificationWorkload(TINY, tmp_path, seed), make_strategy("single"))
        loop.build()
        loop.workload.load(loop.share)
        return loop.train_epoch(1)["loss"]

    assert train(3) == train(3)
    assert train(3) != train(4)


def test_images_of_another_number_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data that does not match the configuration is reported with the command that gets the right data."""
    write_fashion_mnist(tmp_path, monkeypatch, train=30, test=25)

    with pytest.raises(DataError, match="holds 30 and 25 images, not 40 and 25; get them again with: get-it"):
        ImageClassificationWorkload(TINY, tmp_path, 1, "get-it").load(Share())


def test_log_says_how_training_goes() -> None:
    """Each schedule and optimizer logs its own hyperparameters, and only those."""

    def keys(**changes: object) -> set[str]:
        return set(dataclasses.replace(MINI, **changes).hyperparameters())

    assert "sgd_opt_learning_rate_decay_steps" in keys()
    assert "opt_learning_rate_decay_boundary_epochs" in keys(decay="steps")
    assert "sgd_opt_learning_rate_decay_steps" not in keys(decay="steps")
    assert "sgd_opt_momentum" not in keys(optimizer="adamw")


@pytest.mark.slow
@pytest.mark.parametrize("write", [write_records, write_class_folders], ids=["records", "folders"])
def test_full_scale_trains_on_images_in_the_real_formats(write: object, tmp_path: Path) -> None:
    """ResNet-50 at its real size takes two steps on a few JPEG files in ImageNet's own layouts, and evaluates."""
    write(tmp_path, train=8, validation=5, classes=4)  # type: ignore[operator]
    config = dataclasses.replace(
        FULL, train_samples=8, eval_samples=5, global_batch_size=4, eval_batch_size=4, shuffle_buffer=8
    )
    loop = Loop(ImageClassificationWorkload(config, tmp_path, 1), make_strategy("single"))
    loop.build()
    assert count(loop.workload.model.trainable_variables) == 25_557_032
    loop.workload.load(loop.share)
    # Blocks begin as identity, so what lies within them hardly moves in the first steps.
    outer = [
        w for w in loop.workload.model.trainable_variables if "logits" in w.path or "_3_norm/gamma" in w.path
    ]
    before = [weight.numpy() for weight in outer]

    losses = loop.train_epoch(1)

    assert losses["loss"] == pytest.approx(math.log(1000), abs=1.5)
    assert loop.workload.optimizer.iterations.numpy() == 2
    assert len(outer) == 2 + 16
    assert not any(np.array_equal(a, b.numpy()) for a, b in zip(before, outer, strict=True))
    assert 0 <= loop.evaluate().quality <= 1
