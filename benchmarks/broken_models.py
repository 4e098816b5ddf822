"""Models that are broken on purpose: a target proves what it notices, so each of them must miss it.

``make measure-mini STEPS=breaks`` trains each with three seeds, records the qualities in the task's ``target.json``, and writes
the table of its README; a finished training is not repeated. A test marked ``slow`` trains them, too.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from reference_impls.harness import find_task
from reference_impls.harness.run.devices import make_strategy, set_seed
from reference_impls.harness.run.loop import Loop
from reference_impls.harness.run.updates import GRADIENT_NORM
from reference_impls.harness.workload import Share, Workload
from reference_impls.image_classification import model as resnet
from reference_impls.image_classification.model import BatchNormalization
from reference_impls.object_detection import workload as detection_workload
from reference_impls.object_detection.model import MaskRCNN
from reference_impls.object_detection.pooling import align_regions
from reference_impls.recommendation.model import NeuMF
from reference_impls.reinforcement_learning import workload as go_workload
from reference_impls.reinforcement_learning.model import NetworkEvaluation
from reference_impls.sentiment.model import BagLayer, RegionConvolution
from reference_impls.speech_recognition.layers import BidirectionalGRU, NormedConvolution
from reference_impls.translation import model as transformer
from reference_impls.translation.layers import Attention

SEEDS = (1, 2, 3)
Patch = tuple[Any, str, Any]
"""An owner, the name of one of its attributes, and what replaces it."""

Break = Callable[[type[Workload[Any]]], list[Patch]]
"""Gives what breaks the models of a workload."""


def zero(owner: type, method: str) -> Break:
    """A method that gives zeros."""
    whole = getattr(owner, method)
    return lambda _: [(owner, method, lambda self, *args, **options: whole(self, *args, **options) * 0)]


def zero_factorization(_: type[Workload[Any]]) -> list[Patch]:
    """NeuMF without its matrix factorization."""
    whole = NeuMF.embed

    def embed(self: NeuMF, users: tf.Tensor, items: tf.Tensor) -> tuple[tf.Tensor, ...]:
        mf_user, *others = whole(self, users, items)
        return (mf_user * 0, *others)

    return [(NeuMF, "embed", embed)]


def zero_perceptron(_: type[Workload[Any]]) -> list[Patch]:
    """NeuMF without its perceptron: a last hidden layer that gives zeros."""
    whole = NeuMF.__init__

    def build(self: NeuMF, config: Any) -> None:
        whole(self, config)
        self.hidden.append(keras.layers.Lambda(lambda deep: deep * 0))

    return [(NeuMF, "__init__", build)]


def keep_one_input(number: int, *, gamma: float | None = None) -> Break:
    """ResNet whose blocks give one of the two tensors that they should add: 0: the branch, 1: the shortcut.

    A branch alone begins with a last scale of 0, which lets nothing through, so a scale can be given.
    """

    class Part(keras.layers.Layer):
        def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
            return inputs[number]

    def normalize(momentum: float, _: float, **options: Any) -> BatchNormalization:
        return BatchNormalization(momentum, gamma, **options)

    scales = [] if gamma is None else [(resnet, "BatchNormalization", normalize)]
    return lambda _: [(keras.layers, "Add", Part), *scales]


def mask_attention(name: str) -> Break:
    """Attention layers of a name that give zeros."""
    whole = Attention.attend

    def attend(self: Attention, *args: Any) -> tf.Tensor:
        found = whole(self, *args)
        return found * 0 if self.name == name else found

    return lambda _: [(Attention, "attend", attend)]


def remove_positions(_: type[Workload[Any]]) -> list[Patch]:
    """A Transformer that is not told where in its sequence a subword is."""
    whole = transformer.encode_positions
    return [(transformer, "encode_positions", lambda *args: whole(*args) * 0)]


def shuffle_labels(*keys: str) -> Break:
    """Each sample is trained with the label of another one of its batch."""

    def break_data(workload: type[Workload[Any]]) -> list[Patch]:
        whole = workload.train_data

        def train_data(self: Workload[Any], epoch: int, share: Share) -> tf.data.Dataset:
            data = whole(self, epoch, share)
            return data.map(lambda batch: {**batch, **{key: tf.roll(batch[key], 1, axis=0) for key in keys}})

        return [(workload, "train_data", train_data)]

    return break_data


def freeze_optimizer(_: type[Workload[Any]]) -> list[Patch]:
    """Weights that stay as they begin."""

    def measure_only(
        self: Workload[Any], measure: Any, batch: Any, *_: Any, **__: Any
    ) -> dict[str, tf.Tensor]:
        return {**measure(batch, 0)[1], GRADIENT_NORM: tf.constant(0.0)}

    return [(Workload, "update", measure_only)]


def zero_value(_: type[Workload[Any]]) -> list[Patch]:
    """Minigo whose network takes every position to be even: only games that have ended tell its search who wins."""
    whole = NetworkEvaluation.__call__

    def evaluate(self: NetworkEvaluation, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        policy, value = whole(self, planes)
        return policy, value * 0

    return [(NetworkEvaluation, "__call__", evaluate)]


def freeze_policy(_: type[Workload[Any]]) -> list[Patch]:
    """Minigo that does not learn from the search's visits, only from results."""
    whole = go_workload.compute_losses

    def compute_losses(*arguments: Any, **options: Any) -> dict[str, tf.Tensor]:
        losses = whole(*arguments, **options)
        return {**losses, "loss": losses["loss"] - losses["policy_loss"]}

    return [(go_workload, "compute_losses", compute_losses)]


def zero_pyramid(_: type[Workload[Any]]) -> list[Patch]:
    """Mask R-CNN whose feature pyramid gives zeros."""
    whole = MaskRCNN.extract_features

    def extract_features(self: MaskRCNN, *args: Any, **options: Any) -> list[tf.Tensor]:
        return [each * 0 for each in whole(self, *args, **options)]

    return [(MaskRCNN, "extract_features", extract_features)]


def freeze_proposals(_: type[Workload[Any]]) -> list[Patch]:
    """Mask R-CNN that does not learn where objects may be."""
    whole = detection_workload.measure_proposals

    def measure_proposals(*args: Any, **options: Any) -> tuple[tf.Tensor, ...]:
        return tuple(loss * 0 for loss in whole(*args, **options))

    return [(detection_workload, "measure_proposals", measure_proposals)]


def pool_whole_images(_: type[Workload[Any]]) -> list[Patch]:
    """Mask R-CNN whose regions all have the features of the whole image."""

    def align(maps: list[tf.Tensor], strides: Any, boxes: tf.Tensor, *args: Any) -> tf.Tensor:
        height, width = (strides[0] * size for size in maps[0].shape[1:3])
        return align_regions(maps, strides, boxes * 0 + tf.constant([0.0, 0.0, height, width]), *args)

    return [(detection_workload, "align_regions", align)]


def round_regions(_: type[Workload[Any]]) -> list[Patch]:
    """Mask R-CNN whose regions are rounded to cells of the finest map, as before RoIAlign."""

    def align(maps: list[tf.Tensor], strides: Any, boxes: tf.Tensor, *args: Any) -> tf.Tensor:
        return align_regions(maps, strides, tf.round(boxes / strides[0]) * strides[0], *args)

    return [(detection_workload, "align_regions", align)]


BREAKS: dict[str, dict[str, Break]] = {
    "object_detection": {
        "pyramid zeroed": zero_pyramid,
        "proposals frozen": freeze_proposals,
        "boxes as masks": zero(MaskRCNN, "draw_masks"),
        "regions rounded to cells": round_regions,
        "features of the whole image": pool_whole_images,
        "labels shuffled": shuffle_labels("boxes", "classes", "masks"),
        "optimizer frozen": freeze_optimizer,
    },
    "recommendation": {
        "matrix factorization zeroed": zero_factorization,
        "perceptron zeroed": zero_perceptron,
        "labels shuffled": shuffle_labels("labels"),
        "optimizer frozen": freeze_optimizer,
    },
    "reinforcement_learning": {
        "value zeroed": zero_value,
        "policy frozen": freeze_policy,
        "labels shuffled": shuffle_labels("policy", "value", "owners"),
        "optimizer frozen": freeze_optimizer,
    },
    "sentiment": {
        "convolutions zeroed": zero(RegionConvolution, "call"),
        "bag zeroed": zero(BagLayer, "call"),
        "labels shuffled": shuffle_labels("labels"),
        "optimizer frozen": freeze_optimizer,
    },
    "speech_recognition": {
        "convolutions zeroed": zero(NormedConvolution, "convolve"),
        "GRUs zeroed": zero(BidirectionalGRU, "call"),
        "backward direction removed": zero(BidirectionalGRU, "read_backward"),
        "labels shuffled": shuffle_labels("labels"),
        "optimizer frozen": freeze_optimizer,
    },
    "image_classification": {
        "branches removed": keep_one_input(1),
        "shortcuts removed": keep_one_input(0, gamma=1.0),
        "labels shuffled": shuffle_labels("labels"),
        "optimizer frozen": freeze_optimizer,
    },
    "translation": {
        "attention to the source masked": mask_attention("cross_attention"),
        "attention within the source masked": mask_attention("attention"),
        "attention within the translation masked": mask_attention("self_attention"),
        "positions removed": remove_positions,
        "labels shuffled": shuffle_labels("target"),
        "optimizer frozen": freeze_optimizer,
    },
}
"""What breaks a model, by task and name."""

UNNOTICED = {"translation": "attention within the translation masked"}
"""What a task's target does not notice: it is measured, so that pages can say by how much the quality falls."""


def train_broken(name: str, what: str, seed: int, data: Path) -> list[Any]:
    """Train a broken model to the greatest number of epochs of the mini scale.

    Args:
        name: name of the task.
        what: name of what is broken.
        seed: the run's seed.
        data: folder of all data.

    Returns:
        The quality after each epoch; a number, or several by name.

    Raises:
        DataError: the data is missing.
    """
    task = find_task(name)
    config = task.config("mini", "closed")
    workload = task.load_workload()
    place = data / name / "mini"
    with ExitStack() as stack:
        for patch in BREAKS[name][what](workload):
            stack.enter_context(mock.patch.object(*patch))
        set_seed(seed)
        loop = Loop(workload(config, place, seed, task.data_command("mini", place)), make_strategy("single"))
        loop.build()
        loop.workload.load(loop.share)
        qualities = []
        for epoch in range(1, config.max_epochs + 1):
            loop.train_epoch(epoch)
            with loop.workload.around_evaluation(epoch):
                qualities.append(loop.evaluate().quality)
    return qualities
