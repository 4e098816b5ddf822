"""Object detection: the model, and Mask R-CNN in the harness on tiny scenes."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
pytest.importorskip("pycocotools", reason="object detection needs pycocotools (extra 'reference')")
import keras  # noqa: E402

from reference_impls.harness import DataError, SettingError, find_task  # noqa: E402
from reference_impls.harness.run.checkpoints import Checkpoint, CheckpointKeeper  # noqa: E402
from reference_impls.harness.run.devices import make_strategy, set_seed  # noqa: E402
from reference_impls.harness.run.loop import Loop  # noqa: E402
from reference_impls.harness.run.requests import RunResult  # noqa: E402
from reference_impls.harness.run.training import train  # noqa: E402
from reference_impls.harness.workload import Share  # noqa: E402
from reference_impls.image_classification.imagenet import ImageNet  # noqa: E402
from reference_impls.object_detection import pretrained  # noqa: E402
from reference_impls.object_detection.config import FULL, MINI  # noqa: E402
from reference_impls.object_detection.model import MaskRCNN, build_backbone  # noqa: E402
from reference_impls.object_detection.workload import ObjectDetectionWorkload  # noqa: E402
from tests.trainers.conftest import compute_in, make_request, read_events, run_mlperf  # noqa: E402
from tests.trainers.detection_data import CHANGES, TINY, write_tiny_coco, write_tiny_scenes  # noqa: E402
from tests.trainers.workers import compare_two_processes  # noqa: E402


def make_loop(folder: Path, seed: int = 1, **changes: Any) -> Loop:
    """The tiny task, built and loaded."""
    config = dataclasses.replace(TINY, **changes)
    if not folder.is_dir() or not any(folder.iterdir()):
        write_tiny_scenes(folder)
    set_seed(seed)
    workload = ObjectDetectionWorkload(config, folder, seed, "get-it")
    loop = Loop(workload, make_strategy("single"))
    loop.build()
    loop.workload.load(loop.share)
    return loop


@pytest.fixture(scope="module")
def full_model() -> MaskRCNN:
    """The model of the full scale, for 90 classes, on small images."""
    sizes = {"canvas_size": 64, "max_image_size": 64, "min_image_size": 64}
    return MaskRCNN(dataclasses.replace(FULL, classes=90, **sizes), 1)


def test_full_model_has_the_published_parameters(full_model: MaskRCNN) -> None:
    """Each part has the size that the published model's shape gives; with 90 classes all have the published 44,401,393."""
    model = full_model
    parts = Counter[str]()
    for weight in model.trainable_variables:
        if "_norm/" not in weight.path:  # frozen; what is published counts no batch norm
            parts[weight.path.rpartition("/")[0]] += math.prod(weight.shape)
    heads = {
        "shared": 256 * 256 * 9 + 256,
        "hidden1": 256 * 49 * 1024 + 1024,
        "hidden2": 1024 * 1024 + 1024,
        "enlarge": 256 * 256 * 4 + 256,
        **{f"lateral{stage}": 128 * 2**stage * 256 + 256 for stage in (1, 2, 3, 4)},
        **{f"output{stage}": 256 * 256 * 9 + 256 for stage in (1, 2, 3, 4)},
        **{f"conv{number}": 256 * 256 * 9 + 256 for number in (1, 2, 3, 4)},
    }
    assert {name: parts[name] for name in heads} == heads
    last = Counter(
        {
            "logits": (256 + 1) * 3 + (1024 + 1) * 91 + (256 + 1) * 91,  # anchors, classes, masks
            "boxes": (256 + 1) * 12 + (1024 + 1) * 364,
        }
    )
    assert {name: parts[name] for name in last} == last
    backbone = sum(
        math.prod(each.shape) for each in model.backbone.trainable_variables if each.name == "kernel"
    )
    assert backbone == 25_557_032 - 2_049_000 - 53_120  # ResNet-50 without its classifier and batch norm
    assert sum(parts.values()) == 44_401_393
    trained = sum(math.prod(each.shape) for each in model.trained_variables)
    first_stage = 73_728 + 2 * 69_632  # blocks of 1×1, 3×3 and 1×1 convolutions, one with a shortcut
    assert trained == 44_401_393 - 7 * 7 * 3 * 64 - first_stage


@pytest.mark.slow
def test_published_weights_give_the_published_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backbone with the weights of Keras' ResNet-50 computes the features that Keras' network computes."""
    published = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(64, 64, 3))
    rng = np.random.default_rng(2)
    for weight in published.weights:  # fresh statistics and biases would hide mistakes
        if weight.name in ("bias", "beta", "moving_mean"):
            weight.assign(rng.normal(0, 0.1, weight.shape))
        elif weight.name in ("gamma", "moving_variance"):
            weight.assign(rng.uniform(0.8, 1.2, weight.shape))
    path = tmp_path / "published.weights.h5"
    published.save_weights(path)
    config = dataclasses.replace(
        *(FULL,),
        canvas_size=64,
        max_image_size=64,
        min_image_size=64,
        pretrained_weights=path.name,
        pretrained_checksum="",
    )
    backbone = build_backbone(config, 1)
    pretrained.load_backbone(backbone, config, tmp_path, "get-it")

    pixels = rng.uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
    theirs = published(pixels[..., ::-1] - np.array(ImageNet.pixel_mean[::-1], np.float32), training=False)
    ours = backbone((pixels - ImageNet.pixel_mean) / ImageNet.pixel_deviation, training=False)[-1]
    np.testing.assert_allclose(ours, theirs, rtol=0.02, atol=0.01 * float(np.abs(theirs).max()))

    damaged = dataclasses.replace(config, pretrained_checksum="0" * 32)
    with pytest.raises(DataError, match="is damaged: its md5 differs"):
        pretrained.load_backbone(backbone, damaged, tmp_path, "get-it")


def test_frozen_parts_keep_their_weights(full_model: MaskRCNN) -> None:
    """At full scale the first convolution, the first stage and all batch norms are not trained; at mini scale all are."""
    trained = {each.path for each in full_model.trained_variables}
    assert not [path for path in trained if "_norm/" in path or path.startswith(("stem_", "stage1_"))]
    assert len([path for path in trained if path.startswith("stage")]) == 53 - 1 - 10
    model = MaskRCNN(TINY, 1)
    assert len(model.trained_variables) == len(model.trainable_variables)


def test_padding_of_the_ground_truth_changes_no_loss(tmp_path: Path) -> None:
    """More room for objects that are not there leaves every loss as it is."""
    loop = make_loop(tmp_path)
    workload = loop.workload
    batch = next(iter(workload.train_data(1, Share())))
    padding = {
        "boxes": [[0, 0], [0, 5], [0, 0]],
        "classes": [[0, 0], [0, 5]],
        "masks": [[0, 0], [0, 5], [0, 0], [0, 0]],
    }
    padded = {name: tf.pad(each, padding[name]) if name in padding else each for name, each in batch.items()}

    losses, others = workload.measure_losses(batch), workload.measure_losses(padded)
    assert set(losses) == {"proposal_loss", "proposal_box_loss", "class_loss", "box_loss", "mask_loss"}
    for name, value in losses.items():
        assert float(value) > 0
        assert float(others[name]) == pytest.approx(float(value), rel=1e-5), name


def list_settings() -> list[str]:
    """The options of `mlperf train` that make its mini scale the tiny one."""
    values = {
        name: ",".join(map(str, value)) if isinstance(value, tuple) else value
        for name, value in CHANGES.items()
    }
    return [text for name, value in values.items() for text in ("--set", f"{name}={value}")]


@pytest.fixture
def do_run(tmp_path: Path) -> Callable[..., RunResult]:
    """Does a run of the tiny task as `mlperf train` does."""
    folder = write_tiny_scenes(tmp_path / "data")

    def run(name: str, **options: Any) -> RunResult:
        return train(
            make_request("object_detection", list_settings()[1::2], folder, tmp_path, name, **options)
        )

    return run


def read_course(log: Path) -> list[Any]:
    """What a run logs of its epochs, without times."""
    events = read_events(log)
    course: list[Any] = [
        (each["key"], each["value"])
        for each in events
        if each["key"] in ("eval_accuracy", "weights_checksum")
    ]
    stats = [each["value"] for each in events if each["key"] == "tracked_stats"]
    return [
        *course,
        *({name: value for name, value in each.items() if name != "throughput"} for each in stats),
    ]


def test_resumed_run_gives_what_an_equal_seed_gives(
    do_run: Callable[..., RunResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of the open variant that was interrupted and resumed ends as one of the same seed that was not."""
    result = do_run("whole")
    assert result.epochs == 2
    assert set(result.quality) == {"BBOX", "SEGM"}
    course = read_course(tmp_path / "whole.log")
    assert [each[0] for each in course[:3]] == ["eval_accuracy"] * 2 + ["weights_checksum"]
    assert course[3]["loss"] > course[4]["loss"] > 0

    save = CheckpointKeeper.save

    def interrupt(self: CheckpointKeeper, checkpoint: Checkpoint) -> None:
        save(self, checkpoint)
        if checkpoint.epoch == 1:
            monkeypatch.undo()
            raise KeyboardInterrupt

    monkeypatch.setattr(CheckpointKeeper, "save", interrupt)
    with pytest.raises(KeyboardInterrupt):
        do_run("broken")
    do_run("broken", resume=True)
    assert read_course(tmp_path / "broken.log") == course


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_task_learns_in_parts_and_in_half_precision(precision: str, tmp_path: Path) -> None:
    """The closed division's optimizer lowers the loss, in half precision and with accumulation steps, too."""
    with compute_in(precision):
        loop = make_loop(tmp_path, precision=precision, gradient_accumulation_steps=2, learning_rate=0.02)
        losses = [loop.train_epoch(epoch)["loss"] for epoch in range(1, 6)]
        assert losses[-1] < losses[0]
        assert set(loop.evaluate().quality) == {"BBOX", "SEGM"}


@pytest.mark.slow
def test_steps_are_compiled_by_xla(tmp_path: Path) -> None:
    """All shapes are fixed: XLA compiles training and evaluation, and gives the same losses."""
    write_tiny_scenes(tmp_path / "data" / "object_detection" / "mini")
    losses = []
    for options in ([], ["--jit-compile"]):
        # The gradient of the backbone's max-pooling has no deterministic kernel with XLA.
        done = run_mlperf(
            *["train", "maskrcnn", "--division", "open", "--system", "here", "--nondeterministic", *options],
            *["--data", "data", "--output", f"out{len(losses)}", *list_settings()],
            folder=tmp_path,
        )
        log = tmp_path / f"out{len(losses)}" / "reference" / "results" / "here" / "maskrcnn" / "result_0.txt"
        assert log.is_file(), done.stderr
        course = read_course(log)
        assert [each[0] for each in course[:2]] == ["eval_accuracy"] * 2
        losses.append(course[3]["loss"])
    assert losses[1] == pytest.approx(losses[0], rel=0.01)


@pytest.mark.slow
def test_two_processes_train_together(tmp_path: Path) -> None:
    """Each trains on its half of the images; both end with the same weights and quality, and learn what one process does."""
    folder = write_tiny_scenes(tmp_path / "data")
    compared = compare_two_processes("object_detection", list_settings()[1::2], folder, tmp_path)
    assert compared.first.epochs == len(compared.stats) == 2
    assert compared.second == compared.first
    for losses, expected in zip(compared.losses, compared.losses_of_one, strict=True):
        assert losses == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_full_scale_trains_on_images_in_the_real_format(tmp_path: Path) -> None:
    """Mask R-CNN at its real size takes two steps on a few JPEG files in COCO's layout, and evaluates them."""
    published = keras.applications.ResNet50(include_top=False, weights=None)
    published.save_weights(tmp_path / "resnet.weights.h5")
    config = dataclasses.replace(
        FULL,
        train_samples=4,
        eval_samples=5,
        global_batch_size=2,
        eval_batch_size=2,
        max_image_size=512,
        min_image_size=320,
        canvas_size=512,
        pretrained_weights="resnet.weights.h5",
        pretrained_checksum="",
    )
    workload = ObjectDetectionWorkload(config, write_tiny_coco(tmp_path / "coco"), 1, "get-it")
    with pytest.raises(DataError, match=r"resnet\.weights\.h5 is missing; get it with: get-it"):
        workload.check_data()
    (tmp_path / "resnet.weights.h5").rename(tmp_path / "coco" / "resnet.weights.h5")
    workload.check_data()
    loop = Loop(workload, make_strategy("single"))
    loop.build()
    workload.load(loop.share)

    trained = {each.path for each in workload.variables}
    before = {each.path: each.numpy() for each in workload.model.trainable_variables}

    losses = loop.train_epoch(1)

    assert loop.steps == 2
    assert losses["class_loss"] == pytest.approx(math.log(81), abs=1.5)
    after = {each.path: each.numpy() for each in workload.model.trainable_variables}
    assert {name for name in before if (before[name] != after[name]).any()} == trained
    quality = loop.evaluate().quality
    assert all(0 <= quality[name] <= 1 for name in ("BBOX", "SEGM"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"canvas_size": 96}, "canvas_size=96 is too small for images of max_image_size=128"),
        ({"canvas_size": 136}, "canvas_size=136 is no multiple of 16"),
        ({"optimizer": "adam"}, "sgd, adamw"),
        ({"batch_norm": "off"}, "frozen, trained"),
        ({"positive_share": 2.0}, "positive_share must be at least 0"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes: dict[str, Any], says: str) -> None:
    """Each setting that cannot work is named."""
    with pytest.raises(SettingError, match=says):
        dataclasses.replace(TINY, **changes)


def test_data_of_another_size_is_refused(tmp_path: Path) -> None:
    """Fewer scenes than the configuration says are reported with the command that gets the right ones."""
    write_tiny_scenes(tmp_path, train=7)
    workload = ObjectDetectionWorkload(TINY, tmp_path, 1, "get-it")
    workload.check_data()
    with pytest.raises(DataError, match="holds 7 and 5 images, not 8 and 5; get the right data with: get-it"):
        workload.load(Share())
    with pytest.raises(DataError, match=r"instances_train2017\.json is missing; get it with: get-it"):
        ObjectDetectionWorkload(TINY, tmp_path / "none", 1, "get-it").check_data()


def test_the_task_is_found_by_its_names() -> None:
    """The benchmark's and the model's names find it."""
    assert {find_task(name).name for name in ("maskrcnn", "mask-rcnn", "detection")} == {"object_detection"}
    assert ObjectDetectionWorkload(MINI, Path(), 1).target == {"BBOX": MINI.target, "SEGM": MINI.mask_target}
