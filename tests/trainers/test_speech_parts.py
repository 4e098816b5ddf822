"""Parts of Deep Speech 2: the spectrogram, the layers, the loss, decoding, the word error rate and the schedule."""

from __future__ import annotations

import dataclasses
import math
from itertools import groupby, product
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
pytest.importorskip("soundfile", reason="speech recognition needs soundfile (extra 'reference')")
pytest.importorskip("jiwer", reason="speech recognition needs jiwer (extra 'reference')")

from reference_impls.speech_recognition.audio import compute_spectrogram  # noqa: E402
from reference_impls.speech_recognition.config import FULL  # noqa: E402
from reference_impls.speech_recognition.decoding import transcribe  # noqa: E402
from reference_impls.speech_recognition.layers import BidirectionalGRU, SequenceNorm  # noqa: E402
from reference_impls.speech_recognition.model import DeepSpeech2, measure_losses  # noqa: E402
from reference_impls.speech_recognition.schedule import AnnealedRate  # noqa: E402
from reference_impls.speech_recognition.scoring import score_transcripts  # noqa: E402
from tests.trainers.spoken import TINY  # noqa: E402


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
