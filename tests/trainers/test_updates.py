"""A step of an optimizer: in parts, in half precision, and what each task makes of both."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
keras = pytest.importorskip("keras", reason="the trainers need Keras (extra 'reference')")

from reference_impls.harness import SettingError, find_task  # noqa: E402
from reference_impls.harness.run.devices import make_strategy  # noqa: E402
from reference_impls.harness.run.loop import Loop  # noqa: E402
from reference_impls.harness.run.updates import apply_gradients, take_part  # noqa: E402
from reference_impls.recommendation.config import MINI  # noqa: E402
from tests.trainers.conftest import TINY, compute_in, write_tiny_ratings  # noqa: E402
from tests.trainers.made_up import Sides, SidesConfig  # noqa: E402

BATCH = {
    "numbers": tf.constant([0, 3, 2, 5, 4, 1]),
    "wanted": tf.constant([0.5, -1.0, 2.0, 1.0, 0.0, 3.0]),
    "scale": tf.constant(0.5),
}


class Line:
    """An embedding and a linear layer that learn one number for each of six."""

    def __init__(self, optimizer: Any) -> None:
        self.embedding = keras.layers.Embedding(
            6, 3, embeddings_initializer=keras.initializers.RandomNormal(seed=1)
        )
        self.top = keras.layers.Dense(1, kernel_initializer=keras.initializers.RandomNormal(seed=2))
        self.top(self.embedding(BATCH["numbers"]))
        self.variables = [*self.embedding.trainable_variables, *self.top.trainable_variables]
        self.optimizer = optimizer
        self.optimizer.build(self.variables)

    def measure(self, part: Any, _: object) -> tuple[Any, dict[str, Any]]:
        found = self.top(self.embedding(part["numbers"]))[:, 0]
        loss = part["scale"] * tf.reduce_sum((found - part["wanted"]) ** 2)
        return loss, {"loss": loss, "seen": tf.cast(tf.size(found), tf.float32)}

    def step(self, parts: int, batch: Any = None, clip_norm: float = 0.0) -> dict[str, float]:
        data = BATCH if batch is None else batch
        strategy = make_strategy("single")
        run = tf.function(
            lambda: strategy.run(
                lambda: apply_gradients(
                    self.measure, data, self.optimizer, self.variables, parts=parts, clip_norm=clip_norm
                )
            )
        )
        return {name: float(value) for name, value in run().items()}


def test_parts_of_a_batch_take_the_step_of_the_whole() -> None:
    """In one, two or six parts a batch gives the same losses, gradient norm and weights, to float precision."""
    found = {}
    for parts in (1, 2, 6):
        line = Line(keras.optimizers.Adam(0.1))
        found[parts] = [line.step(parts) for _ in range(3)], [each.numpy() for each in line.variables]

    for parts in (2, 6):
        for one, whole in zip(found[parts][0], found[1][0], strict=True):
            assert one == pytest.approx(whole, rel=1e-5)
        for one, whole in zip(found[parts][1], found[1][1], strict=True):
            np.testing.assert_allclose(one, whole, rtol=1e-4, atol=1e-6)
    assert found[1][0][0]["seen"] == 6


def test_parts_make_up_the_batch() -> None:
    """Each row is in one part, in order; a scalar is in every part."""
    rows = tf.reshape(tf.range(12), (6, 2))

    parts = [take_part(rows, 3, number).numpy() for number in range(3)]

    np.testing.assert_array_equal(np.concatenate(parts), rows)
    assert take_part(tf.constant(2.5), 3, 1).numpy() == 2.5


@pytest.mark.parametrize("parts", [1, 3])
def test_scaled_loss_takes_the_same_step(parts: int) -> None:
    """Scaling the loss changes neither weights nor the reported norm."""
    plain, scaled = (
        Line(wrap(keras.optimizers.SGD(0.1)))
        for wrap in (lambda each: each, keras.optimizers.LossScaleOptimizer)
    )

    assert scaled.step(parts) == pytest.approx(plain.step(parts), rel=1e-5)
    for one, other in zip(scaled.variables, plain.variables, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("wrap", [lambda each: each, keras.optimizers.LossScaleOptimizer])
def test_greater_gradients_are_scaled_down(wrap: Any) -> None:
    """A norm of half the gradient's halves the step, whether or not the loss is scaled; a greater one changes nothing."""
    plain = Line(keras.optimizers.SGD(0.1))
    before = [each.numpy() for each in plain.variables]
    norm = plain.step(1)["gradient_norm"]
    for share, factor in ((0.5, 0.5), (2.0, 1.0)):
        clipped = Line(wrap(keras.optimizers.SGD(0.1)))
        assert clipped.step(2, clip_norm=share * norm)["gradient_norm"] == pytest.approx(norm, rel=1e-4)
        for start, whole, part in zip(before, plain.variables, clipped.variables, strict=True):
            np.testing.assert_allclose(
                part.numpy() - start, factor * (whole.numpy() - start), rtol=1e-3, atol=1e-6
            )


def test_step_whose_scaled_gradient_overflows_is_skipped() -> None:
    """An overflow halves the scale, leaves the weights alone, and is not reported as divergence."""
    line = Line(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=2.0**127))
    before = [each.numpy() for each in line.variables]

    reported = line.step(1, {**BATCH, "scale": tf.constant(1e3)})

    assert reported["gradient_norm"] == 0
    assert np.isfinite(reported["loss"])
    assert float(line.optimizer.dynamic_scale) == 2.0**126
    for one, other in zip(line.variables, before, strict=True):
        np.testing.assert_array_equal(one.numpy(), other)


def test_task_learns_in_parts() -> None:
    """A task whose batches are computed in two parts trains as it does with whole batches."""
    losses = []
    for steps in (1, 2):
        keras.utils.set_random_seed(1)
        loop = Loop(
            Sides(SidesConfig(gradient_accumulation_steps=steps, dropout=0.0), Path(), 1),
            make_strategy("single"),
        )
        loop.build()
        loop.workload.load(loop.share)
        losses.append([loop.train_epoch(epoch)["loss"] for epoch in (1, 2)])

    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_task_learns_in_half_precision(precision: str, tmp_path: Path) -> None:
    """Recommendation lowers its loss in half precision, with float32 weights."""
    write_tiny_ratings(tmp_path)
    with compute_in(precision):
        sizes = {key: value for key, value in TINY.items() if key != "mlp_layers"}
        config = dataclasses.replace(MINI, mlp_layers=(8, 4), precision=precision, **sizes)
        loop = Loop(find_task("ncf").load_workload()(config, tmp_path, 1), make_strategy("single"))
        loop.build()
        loop.workload.load(loop.share)
        losses = [loop.train_epoch(epoch)["loss"] for epoch in range(1, 5)]

    assert losses[-1] < losses[0]
    assert {each.dtype for each in loop.workload.model.trainable_variables} == {"float32"}
    is_scaled = isinstance(loop.workload.optimizer, keras.optimizers.LossScaleOptimizer)
    assert is_scaled == (precision == "mixed_float16")


def test_missing_tpu_is_a_sentence() -> None:
    """Where there is no TPU, the strategy says so."""
    with pytest.raises(SettingError, match="needs a TPU, and TensorFlow finds none here"):
        make_strategy("tpu")
