"""Fashion-MNIST: 28×28 gray images of clothing in ten classes, in the idx format of MNIST."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reference_impls.harness import DataError, DataFile, check_files

FILES = (
    DataFile(
        "train-images-idx3-ubyte.gz",
        "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
        26_421_856,
    ),
    DataFile(
        "train-labels-idx1-ubyte.gz",
        "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
        29_491,
    ),
    DataFile(
        "t10k-images-idx3-ubyte.gz",
        "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
        4_422_079,
    ),
    DataFile(
        "t10k-labels-idx1-ubyte.gz", "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05", 5_125
    ),
)

PIXEL_MEAN = 72.94
PIXEL_DEVIATION = 90.02
"""Of all pixels of the 60,000 training images, on the scale 0 to 255."""

_UNSIGNED_BYTES = 0x08


class Images(NamedTuple):
    """Labelled images.

    Attributes:
        images: uint8 [count, height, width, 1].
        labels: int32 [count], from 0.
    """

    images: np.ndarray
    labels: np.ndarray


def read_fashion_mnist(folder: Path, command: str) -> tuple[Images, Images]:
    """Read training and test images.

    Args:
        folder: where the four files are.
        command: the command that gets them; messages name it.

    Raises:
        DataError: a file is missing, damaged or of another format.
    """
    paths = check_files(folder, FILES, command)
    train, test = _read_images(paths[0], paths[1], command), _read_images(paths[2], paths[3], command)
    return train, test


def _read_images(images: Path, labels: Path, command: str) -> Images:
    pixels, classes = read_idx(images, command), read_idx(labels, command)
    if pixels.ndim != 3 or classes.ndim != 1 or len(pixels) != len(classes):
        raise DataError(
            f"{images} and {labels} do not match: shapes {pixels.shape} and {classes.shape}; "
            f"get them again with: {command}"
        )
    return Images(pixels[..., np.newaxis], classes.astype(np.int32))


def read_idx(path: Path, command: str) -> np.ndarray:
    """Read a gzipped idx file: two zero bytes, the type, the number of dimensions, their sizes, the bytes.

    Args:
        path: the file.
        command: the command that gets it; messages name it.

    Returns:
        uint8 array.

    Raises:
        DataError: the file is damaged or does not hold unsigned bytes.
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path} cannot be unpacked ({error}); get it again with: {command}") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != _UNSIGNED_BYTES:
        raise DataError(f"{path} is not an idx file of unsigned bytes; get it again with: {command}")
    dimensions = content[3]
    header = 4 + 4 * dimensions
    shape = tuple(int(size) for size in np.frombuffer(content[4:header], ">u4"))
    pixels = np.frombuffer(content, np.uint8, offset=min(header, len(content)))
    if pixels.size != np.prod(shape, dtype=np.int64):
        raise DataError(
            f"{path} has {pixels.size:,} values where its header says {shape}; get it again with: {command}"
        )
    return pixels.reshape(shape)
