"""The training loop on a made-up task."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

tf = pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

from reference_impls.harness import DivergenceError  # noqa: E402
from reference_impls.harness.run import loop as loop_module  # noqa: E402
from reference_impls.harness.run.devices import make_strategy  # noqa: E402
from reference_impls.harness.run.loop import Loop  # noqa: E402
from reference_impls.harness.workload import Evaluation  # noqa: E402
from tests.trainers.made_up import Sides, SidesConfig  # noqa: E402


class Notes:
    """Keeps what the loop reports."""

    def __init__(self, target: float) -> None:
        self.target = target
        self.calls: list[tuple[str, int]] = []
        self.qualities: list[float] = []

    def start(self) -> None:
        self.calls.append(("start", 0))

    def start_epoch(self, epoch: int) -> None:
        self.calls.append(("epoch", epoch))

    def show_step(self, step: int, steps: int | None, losses: Mapping[str, float]) -> None:
        assert steps == 8

    def finish_epoch(self, epoch: int, steps: int, part: float, losses: Mapping[str, float]) -> None:
        assert (steps, part) == (8, 1)
        self.calls.append(("trained", epoch))

    def start_eval(self, progress: float, total_steps: int) -> None:
        assert total_steps == 8 * progress
        self.calls.append(("eval", int(progress)))

    def finish_eval(self, evaluation: Evaluation) -> bool:
        self.qualities.append(evaluation.quality)
        return evaluation.quality >= self.target

    def save(self, epoch: int, step: int, total_steps: int, part: int) -> None:
        self.calls.append(("save", epoch))


def train(config: SidesConfig, seed: int = 1, strategy: str = "single") -> Notes:
    """Train the made-up task and return what the loop reported."""
    tf.keras.utils.set_random_seed(seed)
    loop = Loop(Sides(config, Path(), seed), make_strategy(strategy))
    loop.build()
    notes = Notes(config.target)
    loop.run(notes)
    return notes


def test_loop_stops_when_the_target_is_reached() -> None:
    """Training ends with the first evaluation that reaches the target."""
    notes = train(SidesConfig())

    assert notes.qualities[-1] >= 0.97
    assert all(quality < 0.97 for quality in notes.qualities[:-1])
    assert notes.calls[:3] == [("start", 0), ("epoch", 1), ("trained", 1)]


def test_loop_stops_at_the_limit() -> None:
    """A target that cannot be reached ends after the last epoch; evaluations keep their schedule."""
    notes = train(SidesConfig(target=2.0, max_epochs=5, first_eval_epoch=2, eval_every_epochs=3))

    assert [epoch for what, epoch in notes.calls if what == "eval"] == [2, 5]
    assert len(notes.qualities) == 2


def test_step_compiled_by_xla_trains_alike() -> None:
    """With XLA the loss falls as without; it differs a little, because XLA draws other numbers for dropout."""
    losses = []
    for jit_compile in (False, True):
        tf.keras.utils.set_random_seed(1)
        loop = Loop(Sides(SidesConfig(), Path(), 1), make_strategy("single"), jit_compile=jit_compile)
        loop.build()
        loop.workload.load(loop.share)
        losses.append([loop.train_epoch(epoch) for epoch in (1, 2)])

    plain, compiled = ([each["loss"] for each in epochs] for epochs in losses)
    assert compiled == pytest.approx(plain, rel=0.1)
    assert compiled[1] < 0.9 * compiled[0]


def test_loss_that_is_not_finite_ends_the_loop() -> None:
    """A step whose loss or gradient is not finite ends training in that epoch, before anything is evaluated."""
    with pytest.raises(DivergenceError, match=r"(loss|gradient norm) is (nan|inf) in step \d+ of epoch 1"):
        train(SidesConfig(learning_rate=1e38))


def test_loss_that_is_not_finite_is_found_when_losses_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses are read after every so many steps, and the message names the step that diverged."""
    made = Sides.train_step

    def diverge(self: Sides, batch: object) -> Mapping[str, tf.Tensor]:
        losses = made(self, batch)
        is_sixth = tf.cast(tf.convert_to_tensor(self.optimizer.iterations), tf.int32) == 6
        return {**losses, "loss": tf.where(is_sixth, float("nan"), losses["loss"])}

    trained = []
    monkeypatch.setattr(Sides, "train_step", diverge)
    monkeypatch.setattr(loop_module, "LOOK_EVERY_STEPS", 4)
    monkeypatch.setattr(loop_module, "SHOW_EVERY_S", -1)
    loop = Loop(Sides(SidesConfig(train_samples=640), Path(), 1), make_strategy("single"))
    loop.build()
    loop.workload.load(loop.share)
    with pytest.raises(DivergenceError, match=r"^loss is nan in step 6 of epoch 1"):
        loop.train_epoch(1, lambda step, steps, losses: trained.append((step, bool(losses))))
    assert trained == [(1, False), (2, False), (3, False), (4, True), (5, True), (6, True), (7, True)]


def test_quality_that_is_not_finite_ends_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quality that is not a number is no evaluation."""
    monkeypatch.setattr(Sides, "measure", lambda self, collected: Evaluation(float("nan")))
    with pytest.raises(DivergenceError, match="accuracy is nan after epoch 1"):
        train(SidesConfig())
