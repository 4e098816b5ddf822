"""Object detection: annotations and images in COCO's format, scenes, and average precision."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
pytest.importorskip("pycocotools", reason="object detection needs pycocotools (extra 'reference')")

from reference_impls.harness import DataError  # noqa: E402
from reference_impls.harness.workload import Share  # noqa: E402
from reference_impls.object_detection import download  # noqa: E402
from reference_impls.object_detection.coco import CocoSplit, find_scale  # noqa: E402
from reference_impls.object_detection.coco_files import find_annotations  # noqa: E402
from reference_impls.object_detection.config import FULL  # noqa: E402
from reference_impls.object_detection.scenes import LEAST_VISIBLE, make_scenes  # noqa: E402
from reference_impls.object_detection.scoring import encode_detections, measure_precision, paste_mask  # noqa: E402
from reference_impls.object_detection.sources import CocoImages, read_scenes_checksum  # noqa: E402
from tests.trainers.detection_data import TINY, make_cutouts, write_tiny_coco, write_tiny_scenes  # noqa: E402
from tests.trainers.images import write_fashion_mnist  # noqa: E402


def detect_truth(truth: dict[str, Any]) -> list[dict[str, Any]]:
    """The ground truth as detections."""
    names = ("image_id", "category_id", "bbox", "segmentation")
    return [{**{name: each[name] for name in names}, "score": 0.9} for each in truth["annotations"]]


def test_ground_truth_scores_one_and_shuffled_labels_zero() -> None:
    """COCO's precision of the ground truth itself is 1 for boxes and masks; with other classes it is near 0."""
    _, truth = make_scenes(make_cutouts(300), 40, np.random.default_rng(5))
    found = detect_truth(truth)

    precision = measure_precision(truth, found)
    assert {name: values["AP"] for name, values in precision.items()} == {"BBOX": 1.0, "SEGM": 1.0}
    labels = [each["category_id"] for each in found]
    shuffled = [{**each, "category_id": label % 10 + 1} for each, label in zip(found, labels, strict=True)]
    assert max(values["AP"] for values in measure_precision(truth, shuffled).values()) < 0.03
    assert measure_precision(truth, [])["SEGM"] == {"AP": 0.0, "AP50": 0.0, "AP75": 0.0}


def test_masks_survive_being_cropped_and_pasted(tmp_path: Path) -> None:
    """What is read for training, encoded as detections, has the precision 1 for boxes and close to it for masks."""
    split = CocoSplit(write_tiny_scenes(tmp_path), "train2017", TINY, "get-it", is_trained_on=True)
    found = []
    for number, entry in enumerate(split.images):
        sample = split.read_sample(number)
        scores = np.where(sample.classes > 0, 0.9, -1.0)
        found += encode_detections(entry, sample.boxes, scores, sample.classes, sample.masks, split.class_ids)

    assert len(found) == len(split.truth["annotations"])
    precision = measure_precision(split.truth, found)
    assert precision["BBOX"]["AP"] == 1
    assert precision["SEGM"]["AP"] > 0.9


def test_masks_are_pasted_where_their_boxes_are() -> None:
    """Pixels whose centers lie in the mask are set, and those outside the image are cut off."""
    half = np.zeros((4, 4))
    half[:, :2] = 1
    pixels = paste_mask(half, np.array([-2.0, 1.0, 2.0, 5.0]), 3, 6)
    assert pixels.tolist() == [[0, 1, 1, 0, 0, 0], [0, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0]]


def test_scenes_hide_parts_of_objects() -> None:
    """Annotations describe what is visible: masks of a scene do not overlap, and enough of each object is left."""
    from pycocotools import mask as coco_mask

    pixels, truth = make_scenes(make_cutouts(200), 20, np.random.default_rng(5))
    assert (pixels.shape, pixels.dtype) == ((20, 128, 128, 3), np.uint8)
    hidden = 0
    for entry in truth["images"]:
        own = [each for each in truth["annotations"] if each["image_id"] == entry["id"]]
        masks = np.stack([coco_mask.decode(each["segmentation"]) for each in own])
        assert masks.sum(axis=0).max() == 1
        for mask, each in zip(masks, own, strict=True):
            left, top, wide, high = each["bbox"]
            rows, columns = np.nonzero(mask)
            assert (rows.min(), columns.min()) == (top, left)
            assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (high, wide)
            assert each["area"] == mask.sum() > LEAST_VISIBLE * 100
            hidden += mask.sum() < high * wide  # cut-outs are rectangles here
    assert 5 < hidden < len(truth["annotations"])


def test_scenes_are_the_same_each_time(tmp_path: Path) -> None:
    """The checksum that is written follows from the images alone, and covers every pixel and annotation."""
    one, other = (write_tiny_scenes(tmp_path / name) for name in "ab")
    checksum = read_scenes_checksum(one, "get-it")
    assert checksum == read_scenes_checksum(other, "get-it")
    CocoImages(one, TINY, 1, "get-it")
    image = sorted((one / "val2017").iterdir())[0]
    image.write_bytes(tf.io.encode_png(np.zeros((128, 128, 3), np.uint8)).numpy())
    with pytest.raises(DataError, match=r"are damaged: their checksum differs; get them again with: get-it"):
        CocoImages(one, TINY, 1, "get-it")


def test_download_makes_scenes_of_fashion_mnist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command makes the scenes, and ``--verify`` finds out whether they are still what was made."""

    def fetch(folder: Path, package: Path | None) -> None:
        write_fashion_mnist(folder, monkeypatch, train=70, test=40)

    monkeypatch.setattr(download, "fetch_fashion_mnist", fetch)
    monkeypatch.setattr(download, "MINI", TINY)
    assert download.main(["--data", str(tmp_path)]) == 0
    assert "8 and 5 scenes, checksums match" in capsys.readouterr().out
    (tmp_path / "checksum.json").unlink()
    assert download.main(["--data", str(tmp_path), "--verify"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_images_of_coco_are_scaled_and_padded(tmp_path: Path) -> None:
    """Images get their shorter side, boxes move with them, crowds and images without objects are left out."""
    config = FULL
    split = CocoSplit(write_tiny_coco(tmp_path), "train2017", config, "get-it", is_trained_on=True)
    assert [each["id"] for each in split.images] == [139, 196, 253, 310]
    assert len(CocoSplit(tmp_path, "val2017", config, "get-it", is_trained_on=False).images) == 5

    sample = split.read_sample(0)  # 60 × 90
    assert sample.shape.tolist() == [800, 1200]
    assert sample.image.shape == (1344, 1344, 3)
    assert sample.image[:800, :1200].any(axis=-1).mean() > 0.9
    assert not sample.image[800:].any()
    assert not sample.image[:, 1200:].any()
    assert sample.classes[:3].tolist() == [1, 80, 0]  # ids have gaps, classes have none
    np.testing.assert_allclose(sample.boxes[0], np.array([20, 10.5, 50.25, 40]) * 800 / 60, rtol=1e-6)
    assert sample.masks[0].mean() > 0.9
    assert sample.masks[1].all()
    assert find_scale(400, 1000, 800, 1333) == pytest.approx(1.333)


def damage_json(edit: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """Changes the annotations of a folder."""

    def change(folder: Path) -> None:
        path = find_annotations(folder, "train2017")
        truth = json.loads(path.read_text())
        edit(truth)
        path.write_text(json.dumps(truth))

    return change


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (
            lambda folder: find_annotations(folder, "train2017").unlink(),
            r"instances_train2017\.json is missing",
        ),
        (
            lambda folder: find_annotations(folder, "train2017").write_text("{"),
            r"\.json is damaged \(Expecting",
        ),
        (lambda folder: find_annotations(folder, "train2017").write_text("[]"), "has no list of images"),
        (damage_json(lambda truth: truth.pop("categories")), "has no list of categories"),
        (damage_json(lambda truth: truth["categories"].pop()), "has 9 categories, not 10"),
        (
            damage_json(lambda truth: truth["annotations"][0].pop("bbox")),
            "among annotations without area, bbox",
        ),
        (
            damage_json(lambda truth: truth["annotations"][0].update(bbox=[1, 2, "x", 4])),
            "which is not four numbers",
        ),
        (
            damage_json(lambda truth: truth["annotations"][0].update(category_id=77)),
            "the unknown category 77",
        ),
        (damage_json(lambda truth: truth["annotations"][0].update(segmentation=[["a"]])), "cannot be read"),
        (
            damage_json(lambda truth: truth["annotations"][0].update(segmentation=[[1, 2, 3]])),
            "cannot be read",
        ),
        (
            damage_json(
                lambda truth: truth["annotations"][0].update(segmentation={"size": [2, 2], "counts": [4]})
            ),
            "has the shape",
        ),
        (
            damage_json(lambda truth: truth["images"][0].update(height=127)),
            "has 128 by 128 pixels, not 127 by 128",
        ),
        (lambda folder: (folder / "train2017" / f"{1:012}.png").unlink(), "png is missing"),
        (lambda folder: (folder / "train2017" / f"{1:012}.png").write_bytes(b"\x89PNG"), "cannot be decoded"),
    ],
)
def test_damaged_data_is_refused_in_a_sentence(
    damage: Callable[[Path], object], says: str, tmp_path: Path
) -> None:
    """What is missing, damaged or of another kind is named, with the command that gets it."""
    damage(write_tiny_scenes(tmp_path))
    with pytest.raises(DataError, match=says) as error:
        CocoSplit(tmp_path, "train2017", TINY, "get-it", is_trained_on=True).read_sample(0)
    assert str(error.value).endswith("with: get-it")
    assert "\n" not in str(error.value)


def test_flipped_images_keep_their_objects(tmp_path: Path) -> None:
    """Half of the images are mirrored, their boxes and masks with them; padding stays at the right edge."""
    config = TINY
    source = CocoImages(write_tiny_scenes(tmp_path), config, 1, "get-it")
    samples = [source.train.read_sample(number) for number in range(8)]
    seen, flipped = 0, 0
    for batch in source.train_batches(1, Share()).as_numpy_iterator():
        for row in range(4):
            image = batch["image"][row]
            same = [each for each in samples if (each.image == image).all()]
            mirrored = [each for each in samples if (each.image[:, ::-1] == image).all()]
            seen += 1
            if same:
                np.testing.assert_array_equal(batch["boxes"][row], same[0].boxes)
            else:
                flipped += 1
                count = int((mirrored[0].classes > 0).sum())
                boxes = mirrored[0].boxes[:count]
                np.testing.assert_allclose(batch["boxes"][row][:count, 1], 128 - boxes[:, 3])
                np.testing.assert_allclose(batch["boxes"][row][:count, 3], 128 - boxes[:, 1])
                np.testing.assert_array_equal(batch["masks"][row], mirrored[0].masks[:, :, ::-1])
                assert not batch["boxes"][row][count:].any()
    assert seen == 8
    assert 0 < flipped < 8


def test_two_processes_read_the_halves_of_the_same_batches(tmp_path: Path) -> None:
    """The batches of two processes are the parts of those of one."""
    source = CocoImages(write_tiny_scenes(tmp_path), TINY, 1, "get-it")
    whole, *halves = (
        list(source.train_batches(2, share).as_numpy_iterator())
        for share in (Share(), Share(0, 2, 1), Share(1, 2, 1))
    )
    assert len(whole) == 2
    for step, batch in enumerate(whole):
        for name, array in batch.items():
            np.testing.assert_array_equal(np.concatenate([half[step][name] for half in halves]), array)
