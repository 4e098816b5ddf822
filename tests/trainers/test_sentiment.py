"""Sentiment analysis: data, model, workload."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

import tensorflow as tf

from reference_impls.harness import DataError
from reference_impls.harness.data.prepared import write_prepared
from reference_impls.harness.run.loop import Loop
from reference_impls.harness.workload import Share
from reference_impls.sentiment.config import FULL, MINI, SentimentConfig
from reference_impls.sentiment.data import (
    HELD_OUT_ONE_IN,
    SNIPPETS,
    Split,
    Texts,
    encode,
    list_ngrams,
    rank_frequent,
    read_snippets,
    read_tree,
    split_words,
)
from reference_impls.sentiment.download import fetch_reviews, fetch_snippets, prepare_texts
from reference_impls.sentiment.model import BagLayer, RegionConvolution, SentimentNet
from reference_impls.sentiment.workload import SentimentWorkload
from tests.trainers.conftest import compute_in

GOOD, BAD = ("a fine film", "so fine , so good", "good fun"), ("a dull film", "so dull , so bad", "bad taste")


def tiny_config(**changes: object) -> SentimentConfig:
    """The configuration for `write_tiny_texts`."""
    tiny = dataclasses.replace(
        MINI,
        train_samples=60,
        eval_samples=12,
        words=12,
        ngrams=30,
        units=6,
        bag_units=4,
        global_batch_size=10,
        eval_batch_size=5,
        learning_rate=0.05,
    )
    return dataclasses.replace(tiny, **changes)  # type: ignore[arg-type]


def write_tiny_texts(folder: Path, words: int = 12) -> Path:
    """Made-up texts whose words tell what they are."""
    train = Texts([*GOOD, *BAD] * 10, [1, 1, 1, 0, 0, 0] * 10)
    held_out = Texts([*BAD, *GOOD] * 2, [0, 0, 0, 1, 1, 1] * 2)
    write_prepared(folder, encode(Split(train, held_out), words, 30), {"words": words, "ngrams": 30})
    return folder


def write_package(path: Path, text: str) -> Path:
    """A source package that holds an archive that holds the snippets."""
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as archive:
        add_member(archive, f"hutto_ICWSM_2014/{SNIPPETS[1]}", text.encode())
    with tarfile.open(path, "w:gz") as archive:
        add_member(archive, f"package-1.0/additional_resources/{SNIPPETS[0]}", inner.getvalue())
    return path


def add_member(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a file to an archive."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def write_reviews(folder: Path, texts_each: int = 2, length: int = 30) -> Path:
    """Folders in the layout of IMDB's archive, with made-up reviews."""
    rng = np.random.default_rng(5)
    for part in ("train", "test"):
        for name, words in (("pos", ("wonderful", "moving")), ("neg", ("boring", "weak"))):
            place = folder / part / name
            place.mkdir(parents=True)
            for number in range(texts_each):
                text = " ".join(rng.choice([*words, "the", "film", "was", "a"], size=length))
                (place / f"{number}_{rng.integers(1, 11)}.txt").write_text(
                    f"{text}.<br /><br />End of {name}"
                )
    return folder


def test_snippets_are_read_and_split(tmp_path: Path) -> None:
    """Ratings become labels, those of zero are left out, and a checksum of the text picks one of five snippets."""
    ratings = [1.5, -2.0, 0.0, 0.1, -0.1, 3.0, 2.0, -1.0, -3.0, 0.5]
    lines = "".join(f"{number}\t{rating}\tText {number}\r\n" for number, rating in enumerate(ratings, 1))
    split = read_snippets(write_package(tmp_path / "a.tar.gz", lines))

    expected = {f"Text {number}": int(rating > 0) for number, rating in enumerate(ratings, 1) if rating}
    assert dict(zip(*split.train, strict=True)) | dict(zip(*split.held_out, strict=True)) == expected
    picked = [
        text
        for text in expected
        if int(hashlib.sha256(text.encode()).hexdigest()[:16], 16) % HELD_OUT_ONE_IN == 0
    ]
    assert split.held_out.texts == picked
    assert 0 < len(picked) < len(expected)


def test_other_packages_are_refused(tmp_path: Path) -> None:
    """A file that is not a package, holds no snippets, or holds other lines is rejected."""
    path = tmp_path / "a.tar.gz"
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match="is not the package that was requested"):
        read_snippets(path)
    with tarfile.open(path, "w:gz") as archive:
        add_member(archive, "package-1.0/setup.py", b"")
    with pytest.raises(DataError, match=r"it holds no hutto_ICWSM_2014.tar.gz"):
        read_snippets(path)
    with pytest.raises(DataError, match=r"line 2 of movieReviewSnippets_GroundTruth\.txt"):
        read_snippets(write_package(path, "1\t1.0\tgood\n2\tgood\n"))


def test_folders_of_reviews_are_read(tmp_path: Path) -> None:
    """IMDB's folders give negative texts, then positive ones, of each part."""
    split = read_tree(write_reviews(tmp_path / "aclImdb"))

    assert split.train.labels == split.held_out.labels == [0, 0, 1, 1]
    assert "wonderful" in split.train.texts[2] or "moving" in split.train.texts[2]
    for path in (tmp_path / "aclImdb" / "test" / "pos").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="holds no text file"):
        read_tree(tmp_path / "aclImdb")


def test_words_are_split() -> None:
    """Words and contractions stay whole, punctuation stands alone, line breaks of HTML vanish."""
    assert split_words("It isn't GOOD!<br /><br />10/10, 'fun'") == [
        "it",
        "isn't",
        "good",
        "!",
        "10",
        "/",
        "10",
        ",",
        "'",
        "fun",
        "'",
    ]


def test_vocabulary_ranks_by_frequency() -> None:
    """The most frequent items come first; of equally frequent ones the alphabet decides."""
    assert rank_frequent(["b", "a", "c", "a", "b", "d"], 3) == {"a": 1, "b": 2, "c": 3}
    assert list(list_ngrams(["x", "y", "z"])) == ["x", "y", "z", "x y", "y z", "x y z"]


@given(texts=st.lists(st.text("abc .", max_size=12), min_size=1, max_size=8))
def test_encoding_keeps_the_texts(texts: list[str]) -> None:
    """Numbers of known words lead back to the words; a bag holds the text's known sequences, each once."""
    split = Split(Texts(texts, [0] * len(texts)), Texts(texts[:1], [1]))
    arrays = encode(split, 3, 5)
    words = [split_words(text) for text in texts]
    vocabulary = rank_frequent([word for each in words for word in each], 3)
    known = rank_frequent([ngram for each in words for ngram in list_ngrams(each)], 5)

    assert arrays["train_word_counts"].tolist() == [len(each) for each in words]
    assert arrays["train_words"].tolist() == [vocabulary.get(word, 0) for each in words for word in each]
    bags = [sorted({known[ngram] for ngram in list_ngrams(each) if ngram in known}) for each in words]
    assert arrays["train_ngram_counts"].tolist() == [len(bag) for bag in bags]
    assert arrays["train_ngrams"].tolist() == [number for bag in bags for number in bag]
    assert arrays["eval_words"].tolist() == arrays["train_words"].tolist()[: len(words[0])]


@pytest.mark.parametrize("region", [1, 3])
def test_convolution_is_one_over_one_hot_regions(region: int) -> None:
    """The layer gives what a matrix product with concatenated one-hot vectors gives, at the best place of the text."""
    layer = RegionConvolution(words=4, region=region, units=3)
    numbers = np.array([[1, 2, 0, 4, 3], [2, 2, 0, 0, 0]], np.int32)
    layer(numbers)
    rng = np.random.default_rng(0)
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape))
    matrix = np.concatenate([table.numpy()[1:] for table in layer.tables])  # (region · words, units)
    bias = layer.bias.numpy()

    expected = []
    for text in numbers:
        padded = np.concatenate([np.zeros(region - 1, int), text, np.zeros(region - 1, int)])
        places = []
        for start in range(len(padded) - region + 1):
            one_hot = np.zeros((region, 4))
            for place, number in enumerate(padded[start : start + region]):
                if number:
                    one_hot[place, number - 1] = 1
            places.append(np.maximum(one_hot.reshape(-1) @ matrix + bias, 0))
        best = np.max(places, axis=0)
        expected.append(best / np.sqrt(1 + best @ best))
    np.testing.assert_allclose(layer(numbers).numpy(), expected, rtol=1e-5)


def test_bag_layer_sums_the_known_sequences() -> None:
    """The layer sees a set: order and padding do not matter."""
    layer = BagLayer(ngrams=5, units=3)
    first, second = layer(np.array([[1, 4, 0, 0]])), layer(np.array([[4, 1]]))
    np.testing.assert_allclose(first, second)
    total = layer.table.numpy()[[1, 4]].sum(axis=0)
    clipped = np.maximum(total, 0)
    np.testing.assert_allclose(second[0], clipped / np.sqrt(1 + clipped @ clipped), rtol=1e-5)


def test_padding_changes_nothing() -> None:
    """A text has the same logits in a batch with longer texts."""
    net = SentimentNet(tiny_config(words=9, ngrams=9, units=5, bag_units=2))
    alone = net(np.array([[1, 2, 3]]), np.array([[5]]))
    padded = net(np.array([[1, 2, 3, 0, 0], [4, 5, 6, 7, 8]]), np.array([[5, 0], [6, 7]]))
    np.testing.assert_allclose(alone[0], padded[0], rtol=1e-5)


def test_mini_model_has_as_many_parameters_as_configured() -> None:
    """Two convolutions of 50 neurons on regions of 3 and 4 words, the bag layer, and the layer on top."""
    net = SentimentNet(MINI)
    net(np.zeros((1, 1), np.int32), np.zeros((1, 1), np.int32))

    convolutions = (3 + 4) * (16_000 + 1) * 50 + 2 * 50
    bag = (5_000 + 1) * 20 + 20
    assert net.count_params() == convolutions + bag + (50 + 50 + 20) * 2 + 2


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_tiny_texts_are_learned(precision: str, tmp_path: Path) -> None:
    """In every precision a few epochs on made-up texts tell good from bad; every held-out text counts once."""
    with compute_in(precision):
        config = tiny_config(precision=precision)
        workload = SentimentWorkload(config, write_tiny_texts(tmp_path), 1, "get it")
        workload.check_data()
        workload.build()
    workload.load(Share())
    loop = Loop(workload, tf.distribute.get_strategy())
    losses = [loop.train_epoch(epoch)["loss"] for epoch in range(1, 6)]

    assert loop.steps == 6
    assert losses[-1] < losses[0]
    assert loop.evaluate().quality == 1.0


def test_data_of_another_vocabulary_is_refused(tmp_path: Path) -> None:
    """Texts prepared with another vocabulary than the configuration's are reported with the command."""
    workload = SentimentWorkload(tiny_config(), write_tiny_texts(tmp_path, words=11), 1, "get it")
    with pytest.raises(DataError, match=r"with 11 words .* where the configuration says .* with: get it"):
        workload.load(Share())


def test_mini_data_comes_from_the_index(tmp_path: Path) -> None:
    """The script gets the 10,568 rated snippets from the package index, with the sizes of the configuration."""
    try:
        split = fetch_snippets(tmp_path)
    except DataError as error:
        pytest.skip(f"no package index: {error}")
    assert prepare_texts(split, MINI, tmp_path) == 10_568
    workload = SentimentWorkload(MINI, tmp_path, 1)
    workload.load(Share())
    assert len(workload.train.labels) == MINI.train_samples
    assert len(workload.held_out.labels) == MINI.eval_samples
    assert 0.45 < workload.held_out.labels.mean() < 0.55


@pytest.mark.slow
def test_full_size_model_trains_on_the_real_format(tmp_path: Path) -> None:
    """IMDB's folders feed the full-size net, of 214,013,082 parameters, for two steps."""
    write_reviews(tmp_path / "aclImdb", texts_each=4, length=200)
    assert prepare_texts(fetch_reviews(tmp_path), FULL, tmp_path) == 16
    config = dataclasses.replace(
        FULL, train_samples=8, eval_samples=8, global_batch_size=4, eval_batch_size=4
    )
    workload = SentimentWorkload(config, tmp_path, 1)
    workload.build()
    convolutions = (3 + 4) * 30_001 * 1_000 + 2 * 1_000
    assert workload.model.count_params() == convolutions + 200_001 * 20 + 20 + 2_020 * 2 + 2
    workload.load(Share())
    loop = Loop(workload, tf.distribute.get_strategy())
    losses = [loop.train_epoch(epoch)["cross_entropy"] for epoch in (1, 2)]

    assert loop.steps == 2
    assert losses[1] < losses[0] < 0.7
    assert 0 <= loop.evaluate().quality <= 1
