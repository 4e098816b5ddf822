"""The weights of ResNet-50 that Keras Applications publish, for the backbone.

Their network is version 1 (strides in the first 1×1 convolution of a block), its convolutions have biases, and it sees blue,
green and red less their mean, undivided. The biases are moved into the running means that follow them, and the first convolution
is changed so that red, green and blue, less their mean, over their deviation, give the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from reference_impls.harness.run.pretrained import load_pretrained
from reference_impls.image_classification.imagenet import ImageNet
from reference_impls.object_detection.config import ObjectDetectionConfig

BLOCKS = (3, 4, 6, 3)


def load_backbone(backbone: keras.Model, config: ObjectDetectionConfig, folder: Path, command: str) -> None:
    """Give a backbone the published weights.

    Args:
        backbone: of ResNet-50's shape.
        config: names the file and its checksum.
        folder: the data folder.
        command: the command that gets the data; messages name it.

    Raises:
        DataError: the file is missing, damaged, or holds the weights of another model.
    """
    published = keras.applications.ResNet50(include_top=False, weights=None)
    load_pretrained(published, config, folder, command)
    copy_weights(published, backbone)


def copy_weights(published: keras.Model, backbone: keras.Model) -> None:
    """Copy the weights of Keras' ResNet-50 into a backbone, which then computes the same features."""
    for theirs, ours in _list_names():
        kernel, bias = (np.asarray(each) for each in published.get_layer(f"{theirs}_conv").get_weights())
        gamma, beta, mean, variance = (
            np.asarray(each) for each in published.get_layer(f"{theirs}_bn").get_weights()
        )
        if ours == "stem":
            kernel = kernel[:, :, ::-1] * np.reshape(ImageNet.pixel_deviation, (1, 1, 3, 1))
        # Their batch norm has the same epsilon but for a thousandth part of it.
        backbone.get_layer(f"{ours}_conv").set_weights([kernel])
        values: dict[str, Any] = {"gamma": gamma, "beta": beta, "mean": mean - bias, "variance": variance}
        layer = backbone.get_layer(f"{ours}_norm")
        for name, value in values.items():
            getattr(layer, name).assign(value)


def _list_names() -> list[tuple[str, str]]:
    """The layers' names in Keras' network and in ours, without their endings."""
    names = [("conv1", "stem")]
    for stage, count in enumerate(BLOCKS, 1):
        for block in range(1, count + 1):
            parts = [*([(0, "shortcut")] if block == 1 else []), (1, "1"), (2, "2"), (3, "3")]
            names += [
                (f"conv{stage + 1}_block{block}_{theirs}", f"stage{stage}_block{block}_{ours}")
                for theirs, ours in parts
            ]
    return names
