"""Speech: the spectrogram, Deep Speech 2, its loss and decoding, and steps of training."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from itertools import groupby, product
from pathlib import Path
from typing import Any

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
from reference_impls.speech_recognition.audio import compute_spectrogram  # noqa: E402
from reference_impls.speech_recognition.config import FULL, MINI, SpeechConfig  # noqa: E402
from reference_impls.speech_recognition.decoding import transcribe  # noqa: E402
from reference_impls.speech_recognition.layers import BidirectionalGRU, SequenceNorm  # noqa: E402
from reference_impls.speech_recognition.model import DeepSpeech2, measure_losses  # noqa: E402
from reference_impls.speech_recognition.schedule import AnnealedRate  # noqa: E402
from reference_impls.speech_recognition.scoring import score_transcripts  # noqa: E402
from reference_impls.speech_recognition.workload import SpeechWorkload  # noqa: E402
from tests.trainers.conftest import compute_in, make_request, read_qualities, run_mlperf  # noqa: E402
from tests.trainers.spoken import prepare_tones  # noqa: E402

TEXTS = ["GO", "NO", "ON", "OFF", "GO ON", "NO GO", "UP", "UP ON", "OFF NO", "ON UP", "GO UP", "NO ON"]
CHANGES: dict[str, Any] = {
    "train_samples": 12,
    "eval_samples": 4,
    "global_batch_size": 4,
    "eval_batch_size": 4,
    "channels": 4,
    "gru_layers": 1,
    "gru_width": 16,
    "learning_rate": 0.01,
    "warmup_steps": 0,
    "max_epochs": 2,
    "target": 0.0,
}
TINY: SpeechConfig = dataclasses.replace(MINI, **CHANGES)
"""An epoch takes a fraction of a second."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared tones."""
    place = tmp_path_factory.mktemp("tones")
    prepare_tones(place, {"train": TEXTS, "dev": TEXTS[:4]}, 8_000)
    return place


@pytest.fixture(scope="module")
def model() -> DeepSpeech2:
    """A small Deep Speech 2 with random weights."""
    return DeepSpeech2(dataclasses.replace(TINY, gru_layers=2), seed=3)


def make_noise(seed: int, *lengths: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Rows of noise of these lengths, padded, and the lengths."""
    rng = np.random.default_rng(seed)
    audio = np.zeros((len(lengths), max(lengths)), np.int16)
    for row, length in zip(audio, lengths, strict=True):
        row[:length] = rng.integers(-9_000, 9_000, length)
    return tf.constant(audio), tf.constant(lengths)


def test_spectrogram_is_that_of_numpy() -> None:
    """Each row is the normalized logarithm of the magnitudes of Hamming-weighted windows, window by window."""
    audio, samples = make_noise(1, 1000, 777)

    found, lengths = (each.numpy() for each in compute_spectrogram(audio, samples, 160, 80))

    for row, length, values, steps in zip(audio.numpy(), samples.numpy(), found, lengths, strict=True):
        weights = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(160) / 159)
        starts = range(0, length - 160 + 1, 80)
        windows = [row[start : start + 160] / 32_768 * weights for start in starts]
        wanted = np.log1p(np.abs(np.fft.rfft(windows)))
        wanted = (wanted - wanted.mean()) / wanted.std()
        assert steps == len(starts)
        np.testing.assert_allclose(values[:steps], wanted, atol=1e-3)
        assert not values[steps:].any()


def test_silence_and_short_audio_have_a_spectrogram() -> None:
    """Without any sound, or any window, the values are finite."""
    found, lengths = compute_spectrogram(tf.zeros((2, 400), tf.int16), tf.constant([400, 20]), 160, 80)
    assert lengths.numpy().tolist() == [4, 0]
    assert np.isfinite(found.numpy()).all()


def test_norm_ignores_padding() -> None:
    """A padded batch is normalized as its steps alone are, and leaves the same running statistics."""
    rng = np.random.default_rng(2)
    values = rng.normal(3, 2, (2, 5, 3, 4)).astype(np.float32)
    values[1, 2:] = 1e6
    steps = np.concatenate([values[0], values[1, :2]]).reshape(-1, 4)

    norm = SequenceNorm(0.9)
    norm.build(values.shape)
    found = norm(tf.constant(values), lengths=tf.constant([5, 2]), training=True).numpy()

    wanted = (steps - steps.mean(0)) / np.sqrt(steps.var(0) + 1e-5)
    np.testing.assert_allclose(
        np.concatenate([found[0], found[1, :2]]).reshape(-1, 4), wanted, rtol=1e-3, atol=1e-3
    )
    np.testing.assert_allclose(norm.mean.numpy(), 0.1 * steps.mean(0), rtol=1e-3)
    np.testing.assert_allclose(norm.variance.numpy(), 0.9 + 0.1 * steps.var(0), rtol=1e-3)
    later = norm(tf.constant(values), lengths=tf.constant([5, 2])).numpy()
    np.testing.assert_allclose(
        later[0],
        (values[0] - norm.mean.numpy()) / np.sqrt(norm.variance.numpy() + 1e-5),
        rtol=1e-3,
        atol=1e-3,
    )


def test_padding_is_not_heard(model: DeepSpeech2) -> None:
    """Wider padding changes neither what is heard nor the statistics and the loss of a step of training."""
    audio, samples = make_noise(4, 6_000, 8_000)
    labels = tf.constant([[1, 2, -1], [3, 4, 5]])
    wider = tf.pad(audio, ((0, 0), (0, 4_000)))
    for training in (False, True):
        found = []
        for each in (audio, wider):
            weights = model.get_weights()
            logits, lengths = model(each, samples, training=training)
            found.append((logits, lengths, measure_losses(logits, lengths, labels), model.get_weights()))
            model.set_weights(weights)
        (one, steps, loss, state), (other, _, other_loss, other_state) = found
        for row, count in enumerate(steps.numpy()):
            np.testing.assert_allclose(one[row, :count], other[row, :count], atol=1e-4)
        np.testing.assert_allclose(loss, other_loss, rtol=1e-4)
        for before, after in zip(state, other_state, strict=True):
            np.testing.assert_allclose(before, after, atol=1e-5)


def test_backward_direction_hears_what_comes_later() -> None:
    """A later step changes an earlier output through the backward GRU alone."""
    gru = BidirectionalGRU(4, seed=1)
    gru.build((None, None, 3))
    rng = np.random.default_rng(3)
    values = rng.normal(size=(1, 5, 3)).astype(np.float32)
    changed = values.copy()
    changed[0, 3] += 1
    lengths = tf.constant([5])

    one, other = gru(values, lengths).numpy(), gru(changed, lengths).numpy()
    assert not np.allclose(one[0, 0], other[0, 0], atol=1e-4)
    forward = [gru.read_forward(tf.constant(each)).numpy() for each in (values, changed)]
    np.testing.assert_array_equal(forward[0][0, :3], forward[1][0, :3])


def collapse(alignment: tuple[int, ...], blank: int) -> tuple[int, ...]:
    """The labels of an alignment: repetitions count once, blanks not at all."""
    return tuple(label for label, _ in groupby(alignment) if label != blank)


def sum_alignments(logits: np.ndarray) -> dict[tuple[int, ...], float]:
    """Probability of each sequence of labels, summed over all alignments one by one; the last class is the blank."""
    chances = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    found: dict[tuple[int, ...], float] = {}
    for alignment in product(range(logits.shape[1]), repeat=len(logits)):
        chance = math.prod(chances[step, label] for step, label in enumerate(alignment))
        labels = collapse(alignment, logits.shape[1] - 1)
        found[labels] = found.get(labels, 0.0) + chance
    return found


def test_loss_is_the_sum_over_all_alignments() -> None:
    """The CTC loss is minus the logarithm of what brute force finds, for repeated labels and padded rows too."""
    rng = np.random.default_rng(5)
    logits = rng.normal(0, 2, (4, 5, 4)).astype(np.float32)
    lengths = [5, 5, 3, 4]
    labels = np.array([[0, 1, 2], [1, 1, -1], [2, -1, -1], [0, 1, 0]])

    losses = measure_losses(tf.constant(logits), tf.constant(lengths), tf.constant(labels, tf.int32)).numpy()

    for row, steps, wanted, loss in zip(logits, lengths, labels, losses, strict=True):
        chance = sum_alignments(row[:steps])[tuple(wanted[wanted >= 0])]
        assert loss == pytest.approx(-math.log(chance), rel=1e-4)


def test_labels_that_do_not_fit_cost_nothing() -> None:
    """An utterance that is too short for its transcript is left out instead of ending the run."""
    logits = tf.Variable(tf.random.stateless_normal((2, 2, 4), (1, 2)))
    with tf.GradientTape() as tape:
        losses = measure_losses(logits, tf.constant([2, 2]), tf.constant([[1, 1], [1, 2]]))
    gradients = tape.gradient(losses, logits).numpy()
    assert losses.numpy()[0] == 0
    assert losses.numpy()[1] > 0
    assert not gradients[0].any()
    assert gradients[1].any()


@pytest.mark.parametrize("seed", range(5))
def test_prefix_beam_search_finds_the_likeliest_transcript(seed: int) -> None:
    """A beam that holds every prefix finds the labels whose alignments are the likeliest together; greedy may not."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1, (6, 5, 4)).astype(np.float32)
    lengths = tf.constant([5, 5, 5, 5, 4, 3])

    found = transcribe(tf.constant(logits), lengths, 400).to_list()
    greedy = transcribe(tf.constant(logits), lengths, 1).to_list()

    for row, steps, labels, likeliest in zip(logits, lengths.numpy(), found, greedy, strict=True):
        chances = sum_alignments(row[:steps])
        assert tuple(labels) == max(chances, key=chances.__getitem__)
        assert tuple(likeliest) == collapse(tuple(row[:steps].argmax(-1)), 3)


def test_greedy_decoding_can_miss_the_likeliest_transcript() -> None:
    """Where two alignments of one label outweigh the likeliest one of none, the search finds the label."""
    logits = tf.math.log(tf.constant([[[0.4, 0.0001, 0.5999], [0.4, 0.0001, 0.5999]]]))
    lengths = tf.constant([2])
    assert transcribe(logits, lengths, 1).to_list() == [[]]
    assert transcribe(logits, lengths, 10).to_list() == [[0]]


def test_word_error_rate_counts_edits_of_words() -> None:
    """Two replaced or missing words and one inserted, of five."""
    assert score_transcripts(["ONE TWO", "THREE FOUR FIVE"], ["ONE TEN", "THREE FOUR SIX SIX"]) == 3 / 5
    assert score_transcripts(["ONE TWO"], [""]) == 1.0
    assert score_transcripts(["ONE TWO"], ["ONE TWO"]) == 0.0


def test_rate_is_divided_after_each_epoch() -> None:
    """The learning rate rises over the warm-up and is divided by 1.1 after each epoch."""
    rate = AnnealedRate(base=0.1, annealing=1.1, epoch_steps=10, warmup_steps=4)
    np.testing.assert_allclose(
        [float(rate(step)) for step in (0, 1, 3, 9, 10, 25)],
        [0.025, 0.05, 0.1, 0.1, 0.1 / 1.1, 0.1 / 1.21],
        rtol=1e-5,
    )


def test_full_model_has_the_parameters_of_the_published_one() -> None:
    """Each layer has the parameters that the reference's listing gives: 38 million, as PyTorch counts them."""
    model = DeepSpeech2(FULL, seed=1)

    def count(layer: Any) -> int:
        return sum(math.prod(weight.shape) for weight in layer.trainable_weights)

    assert [count(each.convolution) for each in model.convolutions] == [14_464, 236_576]
    assert [count(each.norm) for each in model.convolutions] == [64, 64]
    features = 32 * 21
    wanted = [2 * 3 * 800 * (size + 800 + 2) for size in (features, 800, 800, 800, 800)]
    assert [count(each) for each in model.layers_of_gru] == wanted == [7_075_200, *[7_689_600] * 4]
    assert [count(each) for each in model.norms] == [1_600] * 5
    assert count(model.classifier) == 800 * 29
    assert count(model) == 38_115_968


def make_loop(folder: Path, seed: int = 1, **changes: Any) -> Loop:
    """The tiny task, built and loaded."""
    config = dataclasses.replace(TINY, **changes)
    set_seed(seed)
    loop = Loop(SpeechWorkload(config, folder, seed, "get-it"), make_strategy("single"))
    loop.build()
    loop.workload.load(loop.share)
    return loop


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
        assert loop.evaluate().quality >= 0


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
    assert loop.evaluate().quality >= 0


@pytest.mark.slow
def test_two_processes_train_together(folder: Path, tmp_path: Path) -> None:
    """Each reads its half of each batch; the first one scores the transcripts of both, and both agree on the quality."""
    data = tmp_path / "data" / "speech_recognition"
    data.mkdir(parents=True)
    (data / "mini").symlink_to(folder)
    options = [text for name, value in CHANGES.items() for text in ("--set", f"{name}={value}")]
    done = run_mlperf(
        *["train", "speech", "--division", "open", "--workers", "2", "--system", "here", "--format", "json"],
        *["--data", "data", "--output", "out", *options],
        folder=tmp_path,
    )
    (run,) = json.loads(done.stdout)["runs"]
    assert (run["epochs"], run["status"]) == (2, "aborted")
    log = tmp_path / "out" / "reference" / "results" / "here" / "deepspeech2" / "result_0.txt"
    assert [epoch for epoch, _ in read_qualities(log)] == [1, 2]
