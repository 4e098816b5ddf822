"""Get and check the images: ``mlperf train data image_classification --scale mini --data DIR``.

mini: Fashion-MNIST out of Debian's package ``dataset-fashion-mnist``; nothing is installed, no root is needed.
full: ImageNet cannot be downloaded without an account; this checks the files that are there.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from reference_impls.harness import DataError, check_files
from reference_impls.harness.data.debian import fetch_package
from reference_impls.harness.data.downloads import run_script
from reference_impls.image_classification import TASK
from reference_impls.image_classification.config import FULL
from reference_impls.image_classification.fashion_mnist import FILES
from reference_impls.image_classification.imagenet_files import SPLITS, find_split

PACKAGE = "dataset-fashion-mnist"
UNPACKED = "usr/share/datasets/fashion-mnist"
INSTRUCTIONS = (
    "Get ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar from image-net.org (an account is needed) and lay the "
    "images out as TFRecords (train-00000-of-01024 … and validation-00000-of-00128 …) or as class folders "
    "(train/n01440764/*.JPEG …, val/n01440764/*.JPEG …)"
)


def fetch_fashion_mnist(folder: Path, package: Path | None = None) -> list[Path]:
    """Get the four files, unless they are there and undamaged.

    Args:
        folder: where to.
        package: the Debian package's file, if it was downloaded before.

    Returns:
        The files.

    Raises:
        DataError: the package cannot be downloaded, or holds other files.
    """
    command = TASK.data_command("mini", folder)
    try:
        return check_files(folder, FILES, command)
    except DataError:
        pass  # download them
    with tempfile.TemporaryDirectory(prefix="mlperf-images-") as temporary:
        fetch_package(PACKAGE, Path(temporary), package=package)
        unpacked = Path(temporary) / UNPACKED
        check_files(unpacked, FILES, f"another version of {PACKAGE}")
        folder.mkdir(parents=True, exist_ok=True)
        for file in FILES:
            shutil.copyfile(unpacked / file.name, folder / file.name)
    return check_files(folder, FILES, command)


def check_imagenet(folder: Path) -> dict[str, int]:
    """Count ImageNet's files.

    Args:
        folder: where it is.

    Returns:
        Number of files by split: TFRecords or images.

    Raises:
        DataError: there are none, or not all.
    """
    found = {}
    for names, wanted in zip(SPLITS, (FULL.train_samples, FULL.eval_samples), strict=True):
        split = find_split(folder, names, INSTRUCTIONS)
        if split.labels is not None and len(split.names) != wanted:
            raise DataError(
                f"{folder} holds {len(split.names):,} images for {names[0]}, not {wanted:,}. {INSTRUCTIONS}"
            )
        found[names[0]] = len(split.names)
    return found


def _get(options: argparse.Namespace, folder: Path) -> str:
    if options.scale == "full":
        return ", ".join(f"{count:,} files for {name}" for name, count in check_imagenet(folder).items())
    if options.verify:
        paths = check_files(folder, FILES, TASK.data_command("mini", folder))
    else:
        paths = fetch_fashion_mnist(folder, options.package)
    return f"{len(paths)} files, checksums match"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from a command line; return the exit code."""
    return run_script(
        TASK, "Get and check the images.", _get, arguments, files={"package": f"{PACKAGE} as a file (mini)"}
    )


if __name__ == "__main__":
    sys.exit(main())
