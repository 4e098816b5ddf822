"""Models that are broken on purpose must miss their target: what a target proves is what it notices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

tf = pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
pytest.importorskip("sentencepiece", reason="translation needs sentencepiece (extra 'reference')")
pytest.importorskip("sacrebleu", reason="translation needs sacrebleu (extra 'reference')")

import keras  # noqa: E402

from reference_impls.harness import DataError, find_task  # noqa: E402
from reference_impls.harness.run.devices import make_strategy, set_seed  # noqa: E402
from reference_impls.harness.run.loop import Loop  # noqa: E402
from reference_impls.harness.workload import Share, Workload  # noqa: E402
from reference_impls.image_classification import model as resnet  # noqa: E402
from reference_impls.image_classification.model import BatchNormalization  # noqa: E402
from reference_impls.recommendation.model import NeuMF  # noqa: E402
from reference_impls.sentiment.model import BagLayer, RegionConvolution  # noqa: E402
from reference_impls.translation.layers import Attention  # noqa: E402

DATA = Path(__file__).resolve().parents[2] / "data"
SEEDS = (1, 2, 3)
Break = Callable[[pytest.MonkeyPatch, type[Workload[Any]]], None]


def zero(owner: type, method: str) -> Break:
    """The method gives zeros."""

    def apply(patch: pytest.MonkeyPatch, _: type[Workload[Any]]) -> None:
        whole = getattr(owner, method)
        patch.setattr(owner, method, lambda self, *args, **options: whole(self, *args, **options) * 0)

    return apply


def zero_factorization(patch: pytest.MonkeyPatch, _: type[Workload[Any]]) -> None:
    """NeuMF without its matrix factorization."""
    whole = NeuMF.embed

    def embed(self: NeuMF, users: tf.Tensor, items: tf.Tensor) -> tuple[tf.Tensor, ...]:
        mf_user, *others = whole(self, users, items)
        return (mf_user * 0, *others)

    patch.setattr(NeuMF, "embed", embed)


def zero_perceptron(patch: pytest.MonkeyPatch, _: type[Workload[Any]]) -> None:
    """NeuMF without its perceptron: the last hidden layer gives zeros."""
    whole = NeuMF.__init__

    def build(self: NeuMF, config: Any) -> None:
        whole(self, config)
        self.hidden.append(keras.layers.Lambda(lambda deep: deep * 0))

    patch.setattr(NeuMF, "__init__", build)


def keep_one_input(number: int, *, gamma: float | None = None) -> Break:
    """ResNet whose blocks give one of the two tensors that they should add: 0: the branch, 1: the shortcut.

    A branch alone begins with a last scale of 0, which lets nothing through, so a scale can be given.
    """

    def apply(patch: pytest.MonkeyPatch, _: type[Workload[Any]]) -> None:
        class Part(keras.layers.Layer):
            def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
                return inputs[number]

        patch.setattr(resnet.keras.layers, "Add", Part)
        if gamma is not None:
            patch.setattr(
                resnet,
                "BatchNormalization",
                lambda momentum, _, **options: BatchNormalization(momentum, gamma, **options),
            )

    return apply


def mask_attention(name: str) -> Break:
    """The attention layers of a name give zeros."""

    def apply(patch: pytest.MonkeyPatch, _: type[Workload[Any]]) -> None:
        whole = Attention.attend

        def attend(self: Attention, *args: Any) -> tf.Tensor:
            found = whole(self, *args)
            return found * 0 if self.name == name else found

        patch.setattr(Attention, "attend", attend)

    return apply


def shuffle_labels(key: str) -> Break:
    """Each sample is trained with the label of another one of its batch."""

    def apply(patch: pytest.MonkeyPatch, workload: type[Workload[Any]]) -> None:
        whole = workload.train_data

        def train_data(self: Workload[Any], epoch: int, share: Share) -> tf.data.Dataset:
            data = whole(self, epoch, share)
            return data.map(lambda batch: {**batch, key: tf.roll(batch[key], 1, axis=0)})

        patch.setattr(workload, "train_data", train_data)

    return apply


def freeze_optimizer(patch: pytest.MonkeyPatch, _: type[Workload[Any]]) -> None:
    """Weights stay as they begin."""
    patch.setattr(Workload, "update", lambda self, tape, loss, *args, **options: tf.constant(0.0))


BREAKS: dict[tuple[str, str], Break] = {
    ("recommendation", "matrix factorization zeroed"): zero_factorization,
    ("recommendation", "perceptron zeroed"): zero_perceptron,
    ("recommendation", "labels shuffled"): shuffle_labels("labels"),
    ("recommendation", "optimizer frozen"): freeze_optimizer,
    ("sentiment", "convolutions zeroed"): zero(RegionConvolution, "call"),
    ("sentiment", "bag zeroed"): zero(BagLayer, "call"),
    ("sentiment", "labels shuffled"): shuffle_labels("labels"),
    ("sentiment", "optimizer frozen"): freeze_optimizer,
    ("image_classification", "branches removed"): keep_one_input(1),
    ("image_classification", "shortcuts removed"): keep_one_input(0, gamma=1.0),
    ("image_classification", "labels shuffled"): shuffle_labels("labels"),
    ("image_classification", "optimizer frozen"): freeze_optimizer,
    ("translation", "attention to the source masked"): mask_attention("cross_attention"),
    ("translation", "labels shuffled"): shuffle_labels("target"),
    ("translation", "optimizer frozen"): freeze_optimizer,
}


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("name", "what"), BREAKS, ids=" ".join)
def test_broken_model_misses_the_target(
    name: str, what: str, seed: int, monkeypatch: pytest.MonkeyPatch, record_property: Callable[..., None]
) -> None:
    """No evaluation of a broken model, up to the greatest number of epochs, reaches the target."""
    task = find_task(name)
    config = task.config("mini", "closed")
    workload = task.load_workload()
    BREAKS[name, what](monkeypatch, workload)
    set_seed(seed)
    loop = Loop(
        workload(config, DATA / name / "mini", seed, task.data_command("mini", DATA)), make_strategy("single")
    )
    loop.build()
    try:
        loop.workload.load(loop.share)
    except DataError as error:
        pytest.skip(str(error))
    best = 0.0
    for epoch in range(1, config.max_epochs + 1):
        loop.train_epoch(epoch)
        best = max(best, loop.evaluate().quality)
    record_property("best_quality", best)
    assert best < config.target, f"{what}: {best:.4f} reaches the target of {config.target}"
