"""Translation: the Transformer, its loss and decoding, and steps of training."""

from __future__ import annotations

import dataclasses
import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
pytest.importorskip("sentencepiece", reason="translation needs sentencepiece (extra 'reference')")
pytest.importorskip("sacrebleu", reason="translation needs sacrebleu (extra 'reference')")

from benchmarks.broken_models import BREAKS  # noqa: E402
from reference_impls.harness import DataError, SettingError  # noqa: E402
from reference_impls.harness.run.devices import make_strategy  # noqa: E402
from reference_impls.harness.run.loop import Loop  # noqa: E402
from reference_impls.harness.workload import Share  # noqa: E402
from reference_impls.translation import TASK  # noqa: E402
from reference_impls.translation.config import FULL, MINI  # noqa: E402
from reference_impls.translation.corpus import END, PAD  # noqa: E402
from reference_impls.translation.decoding import (  # noqa: E402
    penalize_length,
    translate_by_beam,
    translate_greedily,
)
from reference_impls.translation.download import prepare_wmt  # noqa: E402
from reference_impls.translation.layers import Dropout, KeyValues, encode_positions  # noqa: E402
from reference_impls.translation.model import Transformer, measure_loss  # noqa: E402
from reference_impls.translation.prepared import prepare_texts  # noqa: E402
from reference_impls.translation.schedule import WarmupSchedule  # noqa: E402
from reference_impls.translation.scoring import TranslationScorer  # noqa: E402
from reference_impls.translation.workload import TranslationWorkload  # noqa: E402
from tests.trainers.conftest import compute_in  # noqa: E402
from tests.trainers.texts import make_pairs, write_wmt  # noqa: E402

SMALL = dataclasses.replace(
    FULL, vocabulary=11, width=16, filter_width=32, heads=2, encoder_layers=2, decoder_layers=2, dropout=0.2
)
SOURCE = tf.constant([[3, 4, 5, END, PAD, PAD], [6, 7, 8, 9, 10, END]])


@pytest.fixture(scope="module")
def model() -> Transformer:
    """A small Transformer with random weights, its embedding large enough that it prefers some subwords."""
    made = Transformer(SMALL, seed=3)
    made.embedding.assign(made.embedding * 4)
    return made


@pytest.fixture(scope="module")
def writer() -> Transformer:
    """A small Transformer with weights so large that it does not only repeat its input."""
    made = Transformer(SMALL, seed=35)
    for weight in made.trainable_weights:
        if weight.name in ("kernel", "embedding"):
            weight.assign(weight * 4)
    return made


def test_positions_are_the_papers() -> None:
    """Each position has sines and cosines whose wave lengths grow from 2π to 10,000·2π."""
    waves = encode_positions(7, 8).numpy()

    lengths = 10_000 ** (np.arange(4) / 3)
    angles = np.arange(7)[:, np.newaxis] / lengths
    np.testing.assert_allclose(waves, np.concatenate([np.sin(angles), np.cos(angles)], axis=1), atol=1e-5)


def test_later_subwords_are_not_seen(model: Transformer) -> None:
    """Later subwords of a translation do not change the predictions of earlier ones."""
    target = tf.constant([[3, 4, 5, END], [6, 7, 8, END]])
    changed = tf.constant([[3, 4, 9, 9], [6, 7, 9, 9]])

    one, other = model(SOURCE, target).numpy(), model(SOURCE, changed).numpy()

    np.testing.assert_allclose(one[:, :3], other[:, :3], atol=1e-5)
    assert not np.allclose(one[:, 3], other[:, 3], atol=1e-3)


def test_padding_is_not_seen(model: Transformer) -> None:
    """A sentence is encoded the same whether or not it is padded."""
    target = tf.constant([[3, 4, END]])

    np.testing.assert_allclose(model(SOURCE[:1, :4], target), model(SOURCE[:1], target), atol=1e-5)


def test_steps_give_what_the_whole_gives(model: Transformer) -> None:
    """Writing subword by subword gives the logits that reading the whole translation gives."""
    target = tf.constant([[3, 4, 5, END], [6, 7, 8, END]])
    whole = model(SOURCE, target).numpy()

    sources, bias = model.encode(SOURCE)
    cache, token = model.make_empty_cache(tf.constant(2), 6), tf.fill((2,), PAD)
    for position in range(4):
        logits, cache = model.step(token, tf.constant(position), sources, bias, cache)
        np.testing.assert_allclose(logits, whole[:, position], atol=1e-4)
        token = target[:, position]


def test_dropped_values_follow_from_the_seeds(model: Transformer) -> None:
    """Equal seeds drop the same values, others drop others."""
    target = tf.constant([[3, END], [6, END]])

    def run(number: int) -> np.ndarray:
        return np.asarray(model(SOURCE, target, dropout=Dropout(SMALL, tf.constant((1, number)))))

    np.testing.assert_array_equal(run(0), run(0))
    assert not np.array_equal(run(0), run(1024))


def test_loss_is_cross_entropy_with_spread_labels() -> None:
    """The loss is that of the definition, summed over subwords that are there; a perfect guess costs nothing."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2, 3, 5)).astype(np.float32)
    target = np.array([[1, 2, PAD], [4, 3, 1]])
    wanted = np.full((5, 5), 0.1 / 4) + np.eye(5) * (0.9 - 0.1 / 4)
    logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    best = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1 / 4))
    expected = sum(
        -(wanted[target[i, j]] * logp[i, j]).sum() - best
        for i, j in product(range(2), range(3))
        if target[i, j] != PAD
    )

    loss, count = measure_loss(tf.constant(logits), tf.constant(target), 0.1)
    assert float(loss) == pytest.approx(expected, rel=1e-4)
    assert float(count) == 5
    perfect, _ = measure_loss(
        tf.constant(np.log(wanted[[[1, 2]]]).astype(np.float32)), tf.constant([[1, 2]]), 0.1
    )
    assert float(perfect) == pytest.approx(0, abs=1e-5)


def test_schedule_is_the_papers() -> None:
    """The learning rate rises to its height at the end of the warm-up and falls with the root of the step."""
    schedule = WarmupSchedule(factor=2.0, width=64, warmup_steps=100)

    rates = [float(schedule(step - 1)) for step in (1, 50, 100, 400)]
    top = 2.0 / 8 / 10
    np.testing.assert_allclose(rates, [top / 100, top / 2, top, top / 2], rtol=1e-5)
    with pytest.raises(SettingError, match="inverse_sqrt, cosine"):
        dataclasses.replace(MINI, schedule="linear")


def test_cosine_ends_at_nothing() -> None:
    """The open variant's schedule reaches the same height and falls to 0."""
    schedule = WarmupSchedule(factor=2.0, width=64, warmup_steps=100, kind="cosine", decay_steps=300)

    np.testing.assert_allclose(
        [float(schedule(s - 1)) for s in (100, 200, 300)], [0.025, 0.0125, 0], atol=1e-6
    )


def score(model: Transformer, source: tf.Tensor, tokens: list[int]) -> float:
    """Log probability of a translation."""
    logits = model(source, tf.constant([tokens]))
    chosen = tf.gather(tf.nn.log_softmax(logits)[0], tokens, batch_dims=1)
    return float(tf.reduce_sum(chosen))


@pytest.mark.parametrize("name", ["model", "writer"])
def test_greedy_takes_the_likeliest_each_time(name: str, request: pytest.FixtureRequest) -> None:
    """Each written subword is the likeliest after those before it; after the end nothing follows."""
    model: Transformer = request.getfixturevalue(name)
    written = translate_greedily(model, SOURCE, 4).numpy()

    assert written.shape == (2, 10)
    assert len(np.unique(written)) > (3 if name == "writer" else 1)
    for row, source in zip(written, SOURCE, strict=True):
        ends = np.flatnonzero(row == END)
        stop = int(ends[0]) + 1 if len(ends) else len(row)
        assert not row[stop:].any()
        logits = model(source[tf.newaxis], tf.constant(row[np.newaxis, :stop])).numpy()[0]
        assert row[:stop].tolist() == logits.argmax(-1).tolist()


def test_wide_beam_finds_the_best_translation(model: Transformer) -> None:
    """With a beam that holds everything the search finds the best of all short translations, as counting them does."""
    source = SOURCE[:1, :4]
    alpha, longest = 0.6, 2
    kinds = [token for token in range(SMALL.vocabulary) if token != END]
    candidates = [[*start, END] for size in range(longest) for start in product(kinds, repeat=size)]
    best = max(
        candidates, key=lambda each: score(model, source, each) / float(penalize_length(len(each), alpha))
    )

    found = translate_by_beam(model, source, longest - 4, beam=SMALL.vocabulary, alpha=alpha).numpy()[0]

    assert [token for token in found.tolist() if token != PAD] == [token for token in best if token != PAD]


def test_beam_is_not_worse_than_greedy(model: Transformer) -> None:
    """Without a length penalty a beam of 4 finds translations at least as likely as greedy ones that end."""
    greedy, beam = (
        translate_greedily(model, SOURCE, 3).numpy(),
        translate_by_beam(model, SOURCE, 3, 4, 0.0).numpy(),
    )
    for source, one, other in zip(SOURCE, greedy, beam, strict=True):
        rows = [
            [int(t) for t in row[: int(np.flatnonzero(row == END)[0]) + 1]]
            for row in (one, other)
            if END in row
        ]
        if len(rows) == 2:
            assert (
                score(model, source[tf.newaxis], rows[1]) >= score(model, source[tf.newaxis], rows[0]) - 1e-4
            )


@pytest.mark.parametrize("beam", [1, 3])
def test_decoding_compiled_by_xla_writes_the_same(writer: Transformer, beam: int) -> None:
    """XLA compiles both ways of decoding; they write the subwords that they write without it."""

    def decode(source: tf.Tensor) -> tf.Tensor:
        if beam == 1:
            return translate_greedily(writer, source, 4)
        return translate_by_beam(writer, source, 4, beam, 0.6)

    written = decode(SOURCE).numpy()
    assert len(np.unique(written)) > 3
    np.testing.assert_array_equal(tf.function(decode, jit_compile=True)(SOURCE), written)


def test_bleu_is_that_of_the_literature() -> None:
    """Equal texts score 100 whatever their case; the classic example scores what is published for it."""
    assert TranslationScorer(["The cat sat on the Mat"]).score(["the cat sat on the mat"]) == pytest.approx(
        100
    )
    scorer = TranslationScorer(["the cat is on the mat"])
    assert scorer.score(["the the the the the the the"]) < 10
    assert scorer.score(["the cat is on the mat"]) == pytest.approx(100)  # the references are those of before


def test_transformer_big_has_the_parameters_of_the_literature() -> None:
    """Each layer of Transformer big has the parameters of the paper; with 33,000 subwords they are 210 million."""
    width, inside = 1_024, 4_096
    attention = 4 * width**2
    forward = 2 * width * inside + inside + width
    norm = 2 * width
    model = Transformer(dataclasses.replace(FULL, vocabulary=50, encoder_layers=1, decoder_layers=1), seed=1)

    assert model.encoder[0].count_params() == attention + forward + 2 * norm == 12_592_128
    assert model.decoder[0].count_params() == 2 * attention + forward + 3 * norm == 16_788_480
    assert model.count_params() == 12_592_128 + 16_788_480 + 2 * norm + 50 * width
    whole = 6 * (12_592_128 + 16_788_480) + 2 * norm + FULL.vocabulary * width
    assert (FULL.encoder_layers, FULL.decoder_layers, whole) == (6, 6, 210_079_744)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared made-up texts."""
    place = tmp_path_factory.mktemp("texts")
    pairs = make_pairs(72)
    prepare_texts(place, lambda: pairs[:60], pairs[60:], 120)
    return place


TINY = {
    "train_samples": 60,
    "eval_samples": 12,
    "vocabulary": 120,
    "width": 16,
    "filter_width": 32,
    "heads": 2,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "global_batch_size": 128,
    "eval_batch_size": 128,
    "warmup_steps": 20,
}


@pytest.mark.parametrize("division", ["closed", "open"])
def test_configurations_learn_on_made_up_texts(folder: Path, division: str) -> None:
    """Both divisions' mini configuration lowers the loss, equal seeds alike, and scores every sentence."""

    def train() -> tuple[list[float], float]:
        config = dataclasses.replace(TASK.config("mini", division), **TINY)
        loop = Loop(TranslationWorkload(config, folder, 1), make_strategy("single"))
        loop.build()
        loop.workload.load(loop.share)
        losses = [loop.train_epoch(epoch)["loss"] for epoch in range(1, 5)]
        return losses, loop.evaluate().quality

    losses, quality = train()
    assert losses[-1] < losses[0]
    assert 0 <= quality <= 100
    if division == "closed":
        assert train() == (losses, quality)


def test_mini_model_has_as_many_parameters_as_configured() -> None:
    """Two layers of the encoder, one of the decoder, two norms and the shared embedding."""
    width, inner, norm = MINI.width, MINI.filter_width, 2 * MINI.width
    forward = 2 * width * inner + inner + width
    encoder = MINI.encoder_layers * (4 * width**2 + forward + 2 * norm)
    decoder = MINI.decoder_layers * (8 * width**2 + forward + 3 * norm)

    whole = sum(weight.shape.num_elements() for weight in Transformer(MINI, seed=1).trainable_weights)

    assert whole == encoder + decoder + 2 * norm + MINI.vocabulary * width == 172_352


def test_masking_attention_to_the_source_is_zeroing_the_encoder(
    model: Transformer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model that is broken by masking that attention computes what one whose encoder gives zeros does."""
    target = tf.constant([[3, 4, 5, END], [6, 7, 8, END]])
    with monkeypatch.context() as broken:
        for patch in BREAKS["translation"]["attention to the source masked"](TranslationWorkload):
            broken.setattr(*patch)
        masked = model(SOURCE, target).numpy()
    sources, bias = model.encode(SOURCE)
    zeros = [KeyValues(*(part * 0 for part in each)) for each in sources]
    monkeypatch.setattr(Transformer, "encode", lambda *_: (zeros, bias))

    np.testing.assert_array_equal(model(SOURCE, target).numpy(), masked)


@pytest.mark.parametrize("beam", [1, 2])
def test_evaluation_compiled_by_xla_translates_alike(folder: Path, beam: int) -> None:
    """Batches of several lengths are evaluated by compiled steps, which write what uncompiled ones write."""
    written = []
    for jit_compile in (False, True):
        config = dataclasses.replace(MINI, beam=beam, **TINY)
        loop = Loop(TranslationWorkload(config, folder, 1), make_strategy("single"), jit_compile=jit_compile)
        loop.build()
        for weight in loop.workload.model.trainable_weights:
            if weight.name in ("kernel", "embedding"):
                weight.assign(weight * 4)
        loop.workload.load(loop.share)
        written.append(
            loop.runtime.collect(loop.workload.eval_data, loop.workload.eval_step, "rows")["written"]
        )

    assert len(np.unique(written[0])) > 10
    np.testing.assert_array_equal(*written)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_task_learns_in_half_precision_and_in_parts(folder: Path, precision: str) -> None:
    """Half precision and accumulation steps lower the loss, too, and translate every sentence."""
    with compute_in(precision):
        config = dataclasses.replace(MINI, precision=precision, gradient_accumulation_steps=2, **TINY)
        loop = Loop(TranslationWorkload(config, folder, 1), make_strategy("single"))
        loop.build()
        loop.workload.load(loop.share)
        losses = [loop.train_epoch(epoch)["loss"] for epoch in range(1, 4)]
        assert losses[-1] < losses[0]
        assert 0 <= loop.evaluate().quality <= 100


def test_texts_of_another_size_are_refused(folder: Path) -> None:
    """Data that does not match the configuration is reported with the command that gets the right data."""
    with pytest.raises(
        DataError, match=r"holds 120 subwords and 12 sentences .* 100 and 2,125; .* with: get-it"
    ):
        TranslationWorkload(MINI, folder, 1, "get-it").load(Share())


@pytest.mark.slow
def test_full_scale_trains_on_texts_in_the_real_layout(tmp_path: Path) -> None:
    """Transformer big at its real size takes two steps on a few sentences in WMT's own layout, and translates one."""
    pairs = make_pairs(40)
    write_wmt(tmp_path, pairs, pairs[:1])
    prepare_wmt(tmp_path, 120, 1)
    config = dataclasses.replace(
        FULL, eval_samples=1, global_batch_size=200, eval_batch_size=64, extra_length=2
    )
    workload = TranslationWorkload(config, tmp_path, 1, "get-it")
    loop = Loop(workload, make_strategy("single"))
    loop.build()
    assert workload.model.count_params() == pytest.approx(210e6, rel=0.02)
    assert workload.train_samples == 40
    # The real vocabulary needs the real text; the model keeps its real size and uses a part of its subwords.
    workload.config = dataclasses.replace(config, vocabulary=120)
    workload.load(loop.share)
    before = workload.model.embedding.numpy()

    plans = list(workload.train_data(1, loop.share).take(2))
    losses = [float(workload_step(loop, batch)) for batch in plans]

    assert losses[0] == pytest.approx(math.log(33_000), rel=0.2)
    assert workload.optimizer.iterations.numpy() == 2
    assert not np.array_equal(before, workload.model.embedding.numpy())
    assert 0 <= loop.evaluate().quality <= 100


def workload_step(loop: Loop, batch: dict[str, tf.Tensor]) -> tf.Tensor:
    """A step outside the loop's epochs, so that there are two of them and no more."""
    return tf.function(lambda: loop.runtime.strategy.run(loop.workload.train_step, args=(batch,)))()["loss"]
