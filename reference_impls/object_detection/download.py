"""Get and check the images: ``mlperf train data object_detection --scale mini --data DIR``.

mini: scenes of Fashion-MNIST, which comes out of Debian's package ``dataset-fashion-mnist``; nothing is installed.
full: COCO 2017, which you provide, and the weights that the backbone starts from; this checks what is there.
TensorFlow, which reads and writes images, is loaded once the files are there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from reference_impls.harness import check_files
from reference_impls.harness.data.downloads import run_script
from reference_impls.image_classification.download import PACKAGE, fetch_fashion_mnist
from reference_impls.image_classification.fashion_mnist import read_fashion_mnist
from reference_impls.object_detection import TASK
from reference_impls.object_detection.coco_files import SPLITS, check_coco
from reference_impls.object_detection.config import FULL, MINI

INSTRUCTIONS = (
    "Get train2017.zip, val2017.zip and annotations_trainval2017.zip from cocodataset.org and unpack them into this folder "
    f"(annotations/, train2017/, val2017/), and put {FULL.pretrained_weights}, the weights of ResNet-50 that Keras "
    "Applications publish, beside them"
)


def prepare_scenes(folder: Path, package: Path | None = None) -> None:
    """Get Fashion-MNIST and make the scenes.

    Args:
        folder: where to.
        package: the Debian package's file, if it was downloaded before.

    Raises:
        DataError: the package cannot be downloaded, or holds other files.
    """
    from reference_impls.object_detection.scenes import write_scenes

    with tempfile.TemporaryDirectory(prefix="mlperf-scenes-") as temporary:
        fetch_fashion_mnist(Path(temporary), package)
        train, test = read_fashion_mnist(Path(temporary), TASK.data_command("mini", folder))
    write_scenes(folder, train, test, (MINI.train_samples, MINI.eval_samples))


def _get(options: argparse.Namespace, folder: Path) -> str:
    command = TASK.data_command(options.scale, folder)
    if options.scale == "full":
        check_coco(folder, INSTRUCTIONS)
        check_files(folder, FULL.list_pretrained(), INSTRUCTIONS)
        from reference_impls.object_detection.coco import CocoSplit

        splits = [
            CocoSplit(folder, split, FULL, command, is_trained_on=split == SPLITS[0]) for split in SPLITS
        ]
        counts = " and ".join(f"{len(split.images):,}" for split in splits)
        return f"{counts} images to train and to evaluate on, weights of the backbone"
    if not options.verify:
        prepare_scenes(folder, options.package)
    from reference_impls.object_detection.sources import read_scenes

    train, test = read_scenes(folder, MINI, command)
    return f"{len(train.images):,} and {len(test.images):,} scenes, checksums match"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from a command line; return the exit code."""
    files = {"package": f"{PACKAGE} as a file (mini)"}
    return run_script(TASK, "Get, make and check the images.", _get, arguments, files=files)


if __name__ == "__main__":
    sys.exit(main())
