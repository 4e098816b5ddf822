"""Where the files of COCO 2017 are. Nothing here needs TensorFlow."""

from __future__ import annotations

from pathlib import Path

from reference_impls.harness.errors import DataError

SPLITS = ("train2017", "val2017")


def find_annotations(folder: Path, split: str) -> Path:
    """The file of a split's annotations."""
    return folder / "annotations" / f"instances_{split}.json"


def check_coco(folder: Path, command: str) -> list[Path]:
    """Check, without reading them, that annotations and images are there; gives the annotations' files.

    Raises:
        DataError: something is missing.
    """
    for path in [find_annotations(folder, split) for split in SPLITS]:
        if not path.is_file():
            raise DataError(f"{path} is missing; get it with: {command}")
    for path in [folder / split for split in SPLITS]:
        if not path.is_dir():
            raise DataError(f"the folder of images {path} is missing; get it with: {command}")
    return [find_annotations(folder, split) for split in SPLITS]
