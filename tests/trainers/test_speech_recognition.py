"""Speech: Deep Speech 2 in the harness on tones, and at its real size."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
pytest.importorskip("soundfile", reason="speech recognition needs soundfile (extra 'reference')")
pytest.importorskip("jiwer", reason="speech recognition needs jiwer (extra 'reference')")

from reference_impls.harness import DataError, SettingError  # noqa: E402
from reference_impls.harness.run.devices import make_strategy, set_seed  # noqa: E402
from reference_impls.harness.run.loop import Loop  # noqa: E402
from reference_impls.harness.run.requests import RunResult  # noqa: E402
from reference_impls.harness.run.training import train  # noqa: E402
from reference_impls.harness.workload import Share  # noqa: E402
from reference_impls.speech_recognition import TASK, download  # noqa: E402
from reference_impls.speech_recognition.alphabet import decode_text  # noqa: E402
from reference_impls.speech_recognition.config import FULL, MINI  # noqa: E402
from reference_impls.speech_recognition.decoding import transcribe  # noqa: E402
from reference_impls.speech_recognition.scoring import score_transcripts  # noqa: E402
from reference_impls.speech_recognition.workload import SpeechWorkload  # noqa: E402
from tests.trainers.conftest import compute_in, make_request, read_qualities  # noqa: E402
from tests.trainers.spoken import CHANGES, TEXTS, TINY, prepare_tones  # noqa: E402
from tests.trainers.workers import compare_two_processes  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared tones."""
    place = tmp_path_factory.mktemp("tones")
    prepare_tones(place, {"train": TEXTS, "dev": TEXTS[:4]}, 8_000)
    return place


def make_loop(folder: Path, seed: int = 1, **changes: Any) -> Loop:
    """The tiny task, built and loaded."""
    config = dataclasses.replace(TINY, **changes)
    set_seed(seed)
    loop = Loop(SpeechWorkload(config, folder, seed, "get-it"), make_strategy("single"))
    loop.build()
    loop.workload.load(loop.share)
    return loop


def check_transcripts(loop: Loop, texts: Sequence[str]) -> float:
    """Check that the word error rate is that of what the model hears in each utterance alone, without padding."""
    workload = loop.workload
    with mock.patch(f"{SpeechWorkload.__module__}.score_transcripts", wraps=score_transcripts) as score:
        quality: float = loop.evaluate().quality
    references, found = score.call_args.args
    assert sorted(references) == sorted(texts)
    for row, text in enumerate(found):
        (audio,) = workload.test_audio.read(np.array([row]))
        logits, lengths = workload.model(tf.constant([audio]), tf.constant([len(audio)]))
        (labels,) = transcribe(logits, lengths, workload.config.beam).to_list()
        assert text == decode_text(labels)
    assert quality == score_transcripts(references, found)
    return quality


def test_tones_are_learned_the_same_way_each_time(folder: Path) -> None:
    """The loss falls, and with equal seeds losses and qualities are equal to the last digit."""

    def learn() -> list[float]:
        loop = make_loop(folder)
        losses = [loop.train_epoch(epoch)["loss"] for epoch in range(1, 7)]
        return [*losses, loop.evaluate().quality]

    first = learn()
    assert first[5] < 0.6 * first[0]
    assert learn() == first


def test_first_epoch_goes_from_short_to_long(folder: Path) -> None:
    """SortaGrad: the lengths rise within the first epoch, and not within all later ones; every utterance is there."""
    workload = make_loop(folder).workload
    rising = []
    for epoch in range(1, 6):
        batches = list(workload.train_data(epoch, Share()).as_numpy_iterator())
        lengths = np.concatenate([batch["samples"] for batch in batches])
        rising.append((np.diff(lengths) >= 0).all())
        assert sorted(np.concatenate([batch["rows"] for batch in batches])) == list(range(12))
    assert rising[0]
    assert not all(rising[1:])


def test_open_variant_learns_in_half_precision_and_in_parts(folder: Path) -> None:
    """With AdamW, half precision and accumulation steps the loss falls, too, and beam search transcribes."""
    with compute_in("mixed_float16"):
        config = dataclasses.replace(TASK.config("mini", "open"), **CHANGES)
        config = dataclasses.replace(config, precision="mixed_float16", gradient_accumulation_steps=2)
        assert (config.optimizer, config.beam) == ("adamw", 8)
        loop = Loop(SpeechWorkload(config, folder, 1), make_strategy("single"))
        loop.build()
        loop.workload.load(loop.share)
        losses = [loop.train_epoch(epoch)["loss"] for epoch in range(1, 4)]
        assert losses[-1] < losses[0]
        assert check_transcripts(loop, TEXTS[:4]) < 1  # that of silence


def test_full_scales_optimizer_trains(folder: Path) -> None:
    """The full scale's momentum takes steps, the gradients scaled down to the configured norm."""
    changes = {**CHANGES, "sample_rate": 8_000, "kernel_1": (21, 11), "kernel_2": (9, 5), "clip_norm": 1.0}
    config = dataclasses.replace(FULL, **{**changes, "learning_rate": 0.1, "momentum": 0.0})
    loop = Loop(SpeechWorkload(config, folder, 1), make_strategy("single"))
    loop.build()
    loop.workload.load(loop.share)
    before = [each.numpy() for each in loop.workload.model.trainable_variables]
    losses = loop.train_epoch(1)
    assert losses["gradient_norm"] > 1
    after = [each.numpy() for each in loop.workload.model.trainable_variables]
    moved = math.sqrt(sum(np.square(a - b).sum() for a, b in zip(after, before, strict=True)))
    assert 0.1 < moved <= 0.1 * loop.steps * 1.001


@pytest.fixture
def do_run(folder: Path, tmp_path: Path) -> Callable[..., RunResult]:
    """Does a run of the tiny task as `mlperf train` does."""

    def run(name: str, **options: Any) -> RunResult:
        return train(
            make_request(
                "speech_recognition",
                [f"{name}={value}" for name, value in CHANGES.items()],
                folder,
                tmp_path,
                name,
                **options,
            )
        )

    return run


def test_resumed_run_gives_what_an_uninterrupted_one_gives(
    do_run: Callable[..., RunResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted in the second epoch and resumed, a run finds the qualities and weights of one that was not."""
    do_run("first")
    step, done = SpeechWorkload.train_data, []

    def interrupt(self: SpeechWorkload, epoch: int, share: Share) -> tf.data.Dataset:
        done.append(epoch)
        if done == [1, 2]:
            raise KeyboardInterrupt
        return step(self, epoch, share)

    monkeypatch.setattr(SpeechWorkload, "train_data", interrupt)
    with pytest.raises(KeyboardInterrupt):
        do_run("broken")
    do_run("broken", resume=True)

    assert done == [1, 2, 2]
    qualities = read_qualities(tmp_path / "first.log")
    assert len(qualities) == 2
    assert read_qualities(tmp_path / "broken.log") == qualities
    first, broken = (
        (tmp_path / f"{name}.log").read_text().partition('"weights_checksum"')[2][:90]
        for name in ("first", "broken")
    )
    assert first.partition("meta")[0] == broken.partition("meta")[0] != ""


def test_xla_is_refused(do_run: Callable[..., RunResult]) -> None:
    """XLA cannot compile the loss and the decoders, and a run says so before it begins."""
    with pytest.raises(
        SettingError, match="XLA cannot compile the steps of speech_recognition; train without"
    ):
        do_run("compiled", jit_compile=True)


def test_data_of_another_size_is_refused(folder: Path) -> None:
    """Data that does not match the configuration is reported with the command that gets the right data."""
    with pytest.raises(DataError, match=r"holds 12 utterances .* and 4 .* at 8000 Hz .* with: get-it"):
        SpeechWorkload(MINI, folder, 1, "get-it").load(Share())


@pytest.mark.slow
def test_full_scale_trains_on_librispeech_in_miniature(tmp_path: Path) -> None:
    """Deep Speech 2 at its real size takes two steps on LibriSpeech's tree at 16 kHz, and transcribes."""
    subsets = {"train-clean-100": ["GO ON UP", "UP OFF"], "dev-clean": ["NO WAY UP"]}
    prepare_tones(tmp_path / "LibriSpeech", subsets, 16_000)
    for name, text in (
        ("train-clean-360", "SO BE IT"),
        ("train-other-500", "LET IT BE"),
        ("dev-other", "ON IT"),
    ):
        prepare_tones(tmp_path / "more", {name: [text], f"not-{name}": ["A"]}, 16_000)
    facts = download.prepare_librispeech(tmp_path, 16_000)
    assert (facts["train_utterances"], facts["test_utterances"]) == (4, 2)
    config = dataclasses.replace(
        FULL, train_samples=4, eval_samples=2, global_batch_size=2, eval_batch_size=2
    )
    loop = Loop(SpeechWorkload(config, tmp_path, 1, "get-it"), make_strategy("single"))
    loop.build()
    assert loop.workload.model.count_params() == 38_115_968 + 2 * (32 + 32 + 5 * 800)
    loop.workload.load(loop.share)
    before = loop.workload.model.classifier.kernel.numpy()

    losses = loop.train_epoch(1)

    assert loop.steps == 2
    assert math.isfinite(losses["loss"])
    assert not np.array_equal(before, loop.workload.model.classifier.kernel.numpy())
    check_transcripts(loop, ["NO WAY UP", "ON IT"])


@pytest.mark.slow
def test_two_processes_train_together(folder: Path, tmp_path: Path) -> None:
    """Each reads its half of each batch; both end with the same weights and quality, and learn what one process does."""
    settings = [f"{name}={value}" for name, value in CHANGES.items()]
    compared = compare_two_processes("speech_recognition", settings, folder, tmp_path)
    assert compared.first.epochs == len(compared.stats) == 2
    assert compared.second == compared.first
    for losses, expected in zip(compared.losses, compared.losses_of_one, strict=True):
        assert losses == pytest.approx(expected, rel=1e-4)
