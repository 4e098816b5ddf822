"""Readers of images: Fashion-MNIST's files, ImageNet's TFRecords and folders."""

from __future__ import annotations

import dataclasses
import gzip
from pathlib import Path

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

from reference_impls.harness import DataError  # noqa: E402
from reference_impls.harness.data.debian import fetch_package  # noqa: E402
from reference_impls.harness.workload import Share  # noqa: E402
from reference_impls.image_classification import download, fashion_mnist  # noqa: E402
from reference_impls.image_classification.config import FULL  # noqa: E402
from reference_impls.image_classification.fashion_mnist import read_fashion_mnist, read_idx  # noqa: E402
from reference_impls.image_classification.imagenet import (  # noqa: E402
    ImageNet,
    crop_and_flip,
    crop_center,
)
from tests.trainers.images import (  # noqa: E402
    write_class_folders,
    write_fashion_mnist,
    write_idx,
    write_records,
)

COMMAND = "get-it"


def test_idx_file_is_read_with_its_shape(tmp_path: Path) -> None:
    """Values and shape of an idx file come back as they were written."""
    values = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    write_idx(tmp_path / "some.gz", values)

    np.testing.assert_array_equal(read_idx(tmp_path / "some.gz", COMMAND), values)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"no gzip", "cannot be unpacked"),
        (gzip.compress(b"\0\0\x08", mtime=0), "not an idx file"),
        (gzip.compress(b"\0\0\x0d\x01\0\0\0\1" + bytes(4), mtime=0), "not an idx file of unsigned bytes"),
        (
            gzip.compress(b"\0\0\x08\x01\0\0\0\5" + bytes(4), mtime=0),
            "has 4 values where its header says (5,)",
        ),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\5" + bytes(5), mtime=0)[:-9], "cannot be unpacked"),
    ],
)
def test_damaged_idx_file_is_reported_in_one_sentence(tmp_path: Path, content: bytes, complaint: str) -> None:
    """A file that is cut off or of another kind is named, with the command that gets it."""
    (tmp_path / "some.gz").write_bytes(content)

    with pytest.raises(DataError) as caught:
        read_idx(tmp_path / "some.gz", COMMAND)

    assert complaint in str(caught.value)
    assert str(caught.value).endswith(f"with: {COMMAND}")
    assert "\n" not in str(caught.value)


def test_missing_images_are_reported_with_the_command(tmp_path: Path) -> None:
    """An empty folder is answered by the command that fills it."""
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.gz is missing; get it with: get-it"):
        read_fashion_mnist(tmp_path, COMMAND)


def test_changed_images_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the right size with other contents fails by its checksum."""
    write_fashion_mnist(tmp_path, monkeypatch, train=4, test=3)
    train, test = read_fashion_mnist(tmp_path, COMMAND)
    assert (train.images.shape, test.images.shape) == ((4, 28, 28, 1), (3, 28, 28, 1))

    path = tmp_path / fashion_mnist.FILES[0].name
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(DataError, match=r"sha256 differs; get it again with: get-it"):
        read_fashion_mnist(tmp_path, COMMAND)


def make_source(folder: Path, **changes: object) -> ImageNet:
    """ImageNet's reader for a folder with 12 images to train and 5 to evaluate on."""
    small: dict[str, object] = {
        "train_samples": 12,
        "eval_samples": 5,
        "global_batch_size": 4,
        "eval_batch_size": 4,
        "image_size": 32,
    }
    return ImageNet(folder, dataclasses.replace(FULL, **{**small, **changes}), 7, COMMAND)


@pytest.fixture(params=[write_records, write_class_folders], ids=["records", "folders"])
def imagenet(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with images in one of the two layouts, labeled 0, 1, 2 in turn."""
    request.param(tmp_path, train=12, validation=5, classes=3)
    return tmp_path


def test_every_training_image_comes_once_in_an_epoch(imagenet: Path) -> None:
    """An epoch on one process is a shuffle of all images, in whole batches."""
    batches = list(make_source(imagenet).train_batches(1, Share()))

    assert [tuple(batch["images"].shape) for batch in batches] == [(4, 32, 32, 3)] * 3
    assert {batch["images"].dtype for batch in batches} == {tf.uint8}
    labels = np.concatenate([batch["labels"].numpy() for batch in batches])
    assert sorted(labels) == sorted([0, 1, 2] * 4)


def test_epochs_differ_and_can_be_repeated(imagenet: Path) -> None:
    """The same seed and epoch give the same crops in the same order; another epoch gives others."""

    def read(epoch: int) -> np.ndarray:
        return np.concatenate(
            [batch["images"].numpy() for batch in make_source(imagenet).train_batches(epoch, Share())]
        )

    np.testing.assert_array_equal(read(1), read(1))
    assert not np.array_equal(read(1), read(2))


def test_processes_get_equally_many_training_batches(imagenet: Path) -> None:
    """Two processes with a replica each read half a batch at a time, as often as one process alone."""
    source = make_source(imagenet)

    for index in range(2):
        batches = list(source.train_batches(1, Share(index, 2, 1)))
        assert [len(batch["labels"]) for batch in batches] == [2, 2, 2]


def test_every_validation_image_counts_once(imagenet: Path) -> None:
    """Over all processes each validation image has weight 1 once; padding has weight 0."""
    source = make_source(imagenet)

    for processes in (1, 2):
        shares = [list(source.eval_batches(Share(i, processes, 1))) for i in range(processes)]
        assert len({len(batches) for batches in shares}) == 1
        labels = [batch["labels"].numpy()[batch["weight"].numpy() > 0] for each in shares for batch in each]
        assert sorted(np.concatenate(labels)) == [0, 0, 1, 1, 2]


def test_missing_record_files_are_noticed(tmp_path: Path) -> None:
    """A set of TFRecords that is not complete is refused."""
    write_records(tmp_path, train=4, validation=2, classes=2)
    (tmp_path / "train-00001-of-00002").unlink()

    with pytest.raises(DataError, match="holds 1 of the 00002 files like train-00000-of-00002"):
        make_source(tmp_path)


def test_empty_folder_says_what_it_should_hold(tmp_path: Path) -> None:
    """Where there are no images the message says which layouts are read."""
    with pytest.raises(
        DataError, match=r"neither train-\*-of-\* \(TFRecords\) nor train/n…/\*.JPEG; .*get-it"
    ):
        make_source(tmp_path)


def test_middle_crop_keeps_the_middle() -> None:
    """The middle of a wide image is seen, its sides are not; pixels stay bytes."""
    image = np.zeros((80, 200, 3), np.uint8)
    image[:, 65:135] = 255
    encoded = tf.io.encode_jpeg(image, quality=100)

    middle = crop_center(encoded, 32).numpy()

    assert middle.shape == (32, 32, 3)
    assert middle.dtype == np.uint8
    np.testing.assert_allclose(middle[:, :, 0], 255, atol=12)


def test_png_by_the_name_of_jpeg_is_read() -> None:
    """A few of ImageNet's files are PNG; they are decoded like the others."""
    rng = np.random.default_rng(0)
    image = rng.integers(256, size=(40, 50, 3), dtype=np.uint8)
    encoded = tf.io.encode_png(image)

    assert crop_center(encoded, 24).shape == (24, 24, 3)
    assert crop_and_flip(encoded, 24, tf.constant((1, 2))).shape == (24, 24, 3)


def test_random_crop_follows_from_its_seeds() -> None:
    """Equal seeds give equal parts of an image, other seeds other parts; some are flipped."""
    ramp = np.broadcast_to(np.linspace(0, 255, 64, dtype=np.uint8)[np.newaxis, :, np.newaxis], (64, 64, 3))
    encoded = tf.io.encode_png(tf.constant(ramp))
    crops = [crop_and_flip(encoded, 16, tf.constant((3, i))).numpy() for i in range(20)]

    np.testing.assert_array_equal(crops[0], crop_and_flip(encoded, 16, tf.constant((3, 0))).numpy())
    assert not np.array_equal(crops[0], crops[1])
    rises = {bool(crop[8, -1, 0] > crop[8, 0, 0]) for crop in crops}
    assert rises == {True, False}


def test_script_says_what_is_missing_of_imagenet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The check of the full data set ends with exit code 2 and says where to get it."""
    assert download.main(["--scale", "full", "--data", str(tmp_path)]) == 2
    assert "image-net.org" in capsys.readouterr().err


def test_script_says_when_the_package_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A package's file that is not there is named, with how to get it."""
    arguments = ["--data", str(tmp_path / "data"), "--package", str(tmp_path / "none.deb")]

    assert download.main(arguments) == 2
    told = capsys.readouterr().err
    assert "none.deb" in told or "dpkg-deb" in told
    assert "apt-get download dataset-fashion-mnist" in told


def test_package_is_unpacked_into_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative folder is one below where the command was started, not below where the package was downloaded."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "dpkg-deb"
    program.write_text('#!/bin/sh\n[ "$1" = -x ] && touch "$3/unpacked"\n', "utf-8")
    program.chmod(0o755)
    (tmp_path / "some.deb").touch()
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.chdir(tmp_path)

    fetch_package("some", Path("data/some"), package=Path("some.deb"))

    assert (tmp_path / "data" / "some" / "unpacked").is_file()
