"""Several training steps by one call of TensorFlow: the values stay the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
pytest.importorskip("sentencepiece", reason="translation needs sentencepiece (extra 'reference')")
pytest.importorskip("sacrebleu", reason="translation needs sacrebleu (extra 'reference')")

import tensorflow as tf

from reference_impls.harness import DivergenceError, SettingError
from reference_impls.harness.run import loop as loop_module
from reference_impls.harness.run.devices import make_strategy
from reference_impls.harness.run.loop import Loop
from reference_impls.harness.workload import Workload
from reference_impls.recommendation.workload import RecommendationWorkload
from reference_impls.translation.config import MINI
from reference_impls.translation.prepared import prepare_texts
from reference_impls.translation.workload import TranslationWorkload
from tests.trainers.conftest import write_tiny_ratings
from tests.trainers.made_up import Sides, SidesConfig
from tests.trainers.test_recommendation import tiny_config
from tests.trainers.test_translation import TINY
from tests.trainers.texts import make_pairs


def make_sides(folder: Path) -> Sides:
    return Sides(SidesConfig(train_samples=320), folder, 1)


def make_recommendation(folder: Path) -> RecommendationWorkload:
    return RecommendationWorkload(tiny_config(), write_tiny_ratings(folder), 1)


def make_translation(folder: Path) -> TranslationWorkload:
    """With dropout, whose numbers follow from the step; batches are of several widths."""
    pairs = make_pairs(72)
    prepare_texts(folder, lambda: pairs[:60], pairs[60:], 120)
    return TranslationWorkload(dataclasses.replace(MINI, dropout=0.1, **TINY), folder, 1)


def train(make: Callable[[Path], Workload], folder: Path, steps_per_call: int) -> list[object]:
    """Losses, number of steps and quality of two epochs."""
    tf.keras.utils.set_random_seed(1)
    loop = Loop(make(folder), make_strategy("single"), steps_per_call=steps_per_call)
    loop.build()
    loop.workload.load(loop.share)
    return [(loop.train_epoch(epoch), loop.steps, loop.evaluate().quality) for epoch in (1, 2)]


@pytest.mark.parametrize("make", [make_sides, make_recommendation, make_translation])
def test_several_steps_per_call_give_the_same_values(
    make: Callable[[Path], Workload], tmp_path: Path
) -> None:
    """Losses and quality are those of single steps to the last digit, also if the last call does fewer steps."""
    single = train(make, tmp_path, 1)

    assert single[0][1] % 4
    assert train(make, tmp_path, 4) == single
    assert train(make, tmp_path, 1000) == single


def test_calls_end_where_checkpoints_are_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints come after as many steps as requested; a resumed epoch does the rest of its steps."""
    loop = Loop(
        Sides(SidesConfig(), Path(), 1), make_strategy("single"), steps_per_call=2, checkpoint_steps=3
    )
    loop.build()
    loop.workload.load(loop.share)
    saved: list[tuple[int, int | None]] = []
    shown: list[int] = []
    monkeypatch.setattr(loop_module, "SHOW_EVERY_S", -1)

    def pause(steps: int, of: int | None) -> bool:
        saved.append((steps, of))
        return False

    loop.train_epoch(1, lambda *step: shown.append(step[0]), pause=pause)
    loop.train_epoch(2, lambda *step: shown.append(step[0]), done=3)

    assert saved == [(3, 8), (6, 8)]
    assert shown == [2, 3, 5, 6, 8, 5, 6, 8]


def test_step_that_diverges_within_a_call_is_named() -> None:
    """The message names the step, not the call."""
    workload = Sides(SidesConfig(learning_rate=1e38), Path(), 1)
    loop = Loop(workload, make_strategy("single"), steps_per_call=8)
    loop.build()
    workload.load(loop.share)

    with pytest.raises(DivergenceError, match=r" in step [2-4] of epoch 1"):
        loop.train_epoch(1)


def test_epoch_of_unknown_length_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that does not know how many steps are left would lose those of the last call."""
    whole = Sides.train_data
    monkeypatch.setattr(Sides, "train_data", lambda *given: whole(*given).filter(lambda _: True))
    loop = Loop(Sides(SidesConfig(), Path(), 1), make_strategy("single"), steps_per_call=2)
    loop.build()
    loop.workload.load(loop.share)

    with pytest.raises(SettingError, match="number of steps of an epoch is unknown; train without"):
        loop.train_epoch(1)
