"""Finds ImageNet's files; does not load TensorFlow, so that it is fast."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from reference_impls.harness import DataError

SPLITS = (("train",), ("validation", "val"))
"""Names of the files and folders of training and validation."""


class ImageFiles(NamedTuple):
    """The files of training or validation.

    Attributes:
        names: paths of the files, sorted.
        labels: classes of the images if each file is one image; None if the files are TFRecords.
    """

    names: list[str]
    labels: list[int] | None


def find_split(folder: Path, names: tuple[str, ...], command: str) -> ImageFiles:
    """The images of training or validation.

    Args:
        folder: where ImageNet is.
        names: possible names of the split.
        command: the command that checks the data; messages name it.

    Raises:
        DataError: there are neither TFRecords nor class folders.
    """
    for name in names:
        for place in (folder, folder / name):
            records = sorted(path for path in place.glob(f"{name}-*-of-*") if path.is_file())
            if records:
                _check_count(records, command)
                return ImageFiles([str(path) for path in records], None)
        classes = sorted(path for path in (folder / name).glob("n*") if path.is_dir())
        if classes:
            found = [
                (str(image), label)
                for label, place in enumerate(classes)
                for image in sorted(place.iterdir())
            ]
            return ImageFiles([image for image, _ in found], [label for _, label in found])
    raise DataError(
        f"{folder} holds no images for {names[0]}: neither {names[0]}-*-of-* (TFRecords) nor "
        f"{names[-1]}/n…/*.JPEG; what to get and where to put it: {command}"
    )


def _check_count(records: list[Path], command: str) -> None:
    wanted = records[-1].name.rpartition("-of-")[2]
    if not wanted.isdigit() or len(records) != int(wanted):
        raise DataError(
            f"{records[0].parent} holds {len(records)} of the {wanted} files like {records[0].name}; "
            f"what to get and where to put it: {command}"
        )
