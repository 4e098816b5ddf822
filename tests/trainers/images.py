"""Made-up images in the formats of the real data sets."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from reference_impls.harness import DataFile
from reference_impls.image_classification import fashion_mnist


def write_idx(path: Path, values: np.ndarray) -> None:
    """Write unsigned bytes as a gzipped idx file."""
    header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    path.write_bytes(gzip.compress(header + values.tobytes(), mtime=0))


def write_fashion_mnist(folder: Path, monkeypatch: pytest.MonkeyPatch, *, train: int, test: int) -> None:
    """Write made-up Fashion-MNIST: ten classes of noise around a gray level; their checksums count as the right ones."""
    files = []
    for kind, count in (("train", train), ("t10k", test)):
        rng = np.random.default_rng(len(kind))
        labels = (np.arange(count) % 10).astype(np.uint8)
        noise = rng.normal(25.0 * labels[:, np.newaxis, np.newaxis] + 15, 8, (count, 28, 28))
        images = np.clip(noise, 0, 255).astype(np.uint8)
        write_idx(folder / f"{kind}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{kind}-labels-idx1-ubyte.gz", labels)
    for file in fashion_mnist.FILES:
        content = (folder / file.name).read_bytes()
        files.append(DataFile(file.name, hashlib.sha256(content).hexdigest(), len(content)))
    monkeypatch.setattr(fashion_mnist, "FILES", tuple(files))


def make_jpeg(label: int, number: int, classes: int) -> bytes:
    """A JPEG file: noise around a gray level that gives the class; no two are of one size."""
    rng = np.random.default_rng([label, number])
    grey = 40 + 170 * label / max(classes - 1, 1)
    size = (48 + number, 64 + 2 * number, 3)
    image = np.clip(rng.normal(grey, 20, size), 0, 255).astype(np.uint8)
    return bytes(tf.io.encode_jpeg(image).numpy())


def write_records(folder: Path, *, train: int, validation: int, classes: int, files: int = 2) -> None:
    """Write ImageNet's TFRecords; classes count from 1 there."""
    folder.mkdir(exist_ok=True)
    for split, count in (("train", train), ("validation", validation)):
        for file in range(files):
            path = folder / f"{split}-{file:05d}-of-{files:05d}"
            with tf.io.TFRecordWriter(str(path)) as writer:
                for number in range(file, count, files):
                    label = number % classes
                    features = {
                        "image/encoded": _bytes(make_jpeg(label, number, classes)),
                        "image/class/label": _integer(label + 1),
                        "image/class/synset": _bytes(f"n{label:08d}".encode()),
                        "image/height": _integer(48 + number),
                    }
                    example = tf.train.Example(features=tf.train.Features(feature=features))
                    writer.write(example.SerializeToString())


def write_class_folders(folder: Path, *, train: int, validation: int, classes: int) -> None:
    """Write a folder of JPEG files for each class."""
    for split, count in (("train", train), ("val", validation)):
        for number in range(count):
            label = number % classes
            place = folder / split / f"n{label:08d}"
            place.mkdir(parents=True, exist_ok=True)
            (place / f"n{label:08d}_{number}.JPEG").write_bytes(make_jpeg(label, number, classes))


def _bytes(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def _integer(value: int) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
