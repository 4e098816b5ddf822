"""Texts to translate: a dictionary, WMT's files, subwords, batches."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
pytest.importorskip("sentencepiece", reason="translation needs sentencepiece (extra 'reference')")

from reference_impls.harness import DataError  # noqa: E402
from reference_impls.harness.workload import Share  # noqa: E402
from reference_impls.translation import download, wmt  # noqa: E402
from reference_impls.translation.batches import list_widths, plan_batches, serve_batches  # noqa: E402
from reference_impls.translation.cmudict import read_pronunciations, split_pairs  # noqa: E402
from reference_impls.translation.config import MINI  # noqa: E402
from reference_impls.translation.corpus import END, PAD, pack_sentences  # noqa: E402
from reference_impls.translation.prepared import VOCABULARY_SHA256, prepare_texts, read_texts  # noqa: E402
from reference_impls.translation.subwords import learn_subwords  # noqa: E402
from reference_impls.translation.workload import TranslationWorkload  # noqa: E402
from tests.trainers.texts import make_pairs, write_wmt  # noqa: E402

ENTRIES = """MNCL
("a" dt (((ax) 0)))
("lead" n (((l eh d) 1)))
("lead" v (((l iy d) 1)))
("leading" nil (((l iy) 1) ((d ih ng) 0)))
("it's" nil (((ih t s) 1)))
"""


def test_dictionary_gives_letters_and_phonemes(tmp_path: Path) -> None:
    """Of each word of three letters or more the first pronunciation counts; stressed vowels are marked."""
    (tmp_path / "dictionary").write_text(ENTRIES)

    assert read_pronunciations(tmp_path / "dictionary") == [
        ("l e a d", "l eh1 d"),
        ("l e a d i n g", "l iy1 d ih ng"),
    ]


@pytest.mark.parametrize("content", [b"", b"no dictionary at all", b'("lead" \xff', None])
def test_damaged_or_missing_dictionary_is_reported(tmp_path: Path, content: bytes | None) -> None:
    """A file that is no dictionary, and one that is not there, are named."""
    if content is not None:
        (tmp_path / "dictionary").write_bytes(content)

    with pytest.raises(DataError, match=r"dictionary (is missing or damaged|holds no pronunciations)"):
        read_pronunciations(tmp_path / "dictionary")


def test_words_that_begin_alike_are_on_one_side() -> None:
    """A checksum of the first five letters decides where a word goes, so both sides are fixed and share no beginning."""
    words = sorted(
        first + second + rest
        for first in "bcdfg"
        for second in "aeiou"
        for rest in ("nder", "ndered", "t", "tting")
    )
    pairs = [(" ".join(word), "x") for word in words]

    split = split_pairs(pairs)

    assert split == split_pairs(pairs)
    assert split.train
    assert split.test
    beginnings = [{letters[:9] for letters, _ in part} for part in split]
    assert not beginnings[0] & beginnings[1]


def test_preparation_can_be_read_and_repeated(tmp_path: Path) -> None:
    """Sentences come back from their subwords; the same texts give the same files."""
    pairs = make_pairs(60)
    facts = prepare_texts(tmp_path / "a", lambda: pairs[:50], pairs[50:], 120)
    prepare_texts(tmp_path / "b", lambda: pairs[:50], pairs[50:], 120)

    texts = read_texts(tmp_path / "a", "get-it")

    assert facts["train_pairs"] == 50
    assert facts["vocabulary"] == len(texts.subwords) == 120
    assert texts.references == [german for _, german in pairs[50:]]
    rows = texts.source.pad(np.arange(50))
    assert texts.subwords.decode(rows) == [english for english, _ in pairs[:50]]
    assert (tmp_path / "a" / "prepared.json").read_text() == (tmp_path / "b" / "prepared.json").read_text()


def test_too_small_text_is_reported(tmp_path: Path) -> None:
    """A vocabulary larger than the text allows is refused in one sentence."""
    with pytest.raises(DataError, match="no vocabulary of 9,000 subwords can be learned"):
        prepare_texts(tmp_path, lambda: make_pairs(5), make_pairs(1), 9000)


def test_sentences_side_by_side() -> None:
    """Rows are padded; a row of index -1 is empty."""
    sentences = pack_sentences([[5, 6, END], [7, END], [8, 9, 10, 11, END]])

    padded = sentences.pad(np.array([1, -1, 0]))

    assert padded.tolist() == [[7, END, PAD, PAD], [PAD] * 4, [5, 6, END, PAD]]
    assert sentences.lengths.tolist() == [3, 2, 5]


@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_every_sentence_is_in_one_batch(replicas: int) -> None:
    """Whatever the order, each sentence comes once, no batch is too wide or large, sizes divide evenly."""
    lengths = np.random.default_rng(0).integers(1, 60, size=501)
    plans = plan_batches(lengths, 256, replicas, np.random.default_rng(1))

    rows = np.concatenate([plan.rows for plan in plans])
    assert sorted(rows[rows >= 0]) == list(range(501))
    for plan in plans:
        assert len(plan.rows) % replicas == 0
        assert lengths[plan.rows[plan.rows >= 0]].max() <= plan.width
        assert plan.width * len(plan.rows) <= max(256, plan.width * replicas)
    other = plan_batches(lengths, 256, replicas, np.random.default_rng(2))
    assert len(other) == len(plans)
    assert (rows < 0).sum() < max(256 // plans[-1].width, 1) + replicas


def test_widths_grow_by_about_a_fifth() -> None:
    """Widths are multiples of 4 that reach the longest sentence."""
    widths = list_widths(100)

    assert widths[0] == 8
    assert widths[-1] >= 100
    assert all(width % 4 == 0 for width in widths)
    assert all(a < b <= max(1.2 * a, a + 4) for a, b in pairwise(widths))


def test_processes_share_each_batch() -> None:
    """Two processes get the halves of each batch, and the subwords of the whole one."""
    sentences = pack_sentences([[3 + i] * (1 + i % 5) + [END] for i in range(20)])
    plans = plan_batches(sentences.lengths, 64, 2)

    halves = [list(serve_batches(plans, Share(i, 2, 1), sentences, sentences)) for i in (0, 1)]

    assert len(halves[0]) == len(halves[1]) == len(plans)
    rows = np.concatenate([batch["rows"].numpy() for half in halves for batch in half])
    assert sorted(rows[rows >= 0]) == list(range(20))
    assert [float(batch["tokens"]) for batch in halves[0]] == [float(batch["tokens"]) for batch in halves[1]]
    assert sum(float(batch["tokens"]) for batch in halves[0]) == len(sentences.ids)


@pytest.mark.parametrize("sgml", [True, False])
def test_wmt_layout_is_read(tmp_path: Path, sgml: bool) -> None:
    """Training texts are found below the folder, empty halves left out; the test is plain text or SGML."""
    pairs = [("A < B & C", "A < B & C."), ("Two", "Zwei")]
    write_wmt(tmp_path, [*pairs, ("", "Nichts")], pairs, sgml=sgml)

    assert list(wmt.read_training_pairs(tmp_path)) == pairs
    assert wmt.read_test_pairs(tmp_path) == pairs


def test_wmt_files_that_do_not_match_are_reported(tmp_path: Path) -> None:
    """A half that is missing, shorter or not UTF-8 is named."""
    pairs = make_pairs(3)
    write_wmt(tmp_path, pairs, pairs)
    german = next(tmp_path.rglob("*.de-en.de"))

    german.write_text("eins\nzwei\n")
    with pytest.raises(DataError, match="differ in length: one ends before line 3"):
        list(wmt.read_training_pairs(tmp_path))
    german.write_bytes(b"\xff\xfe\n\n\n")
    with pytest.raises(DataError, match="is damaged near line 1"):
        list(wmt.read_training_pairs(tmp_path))
    german.unlink()
    with pytest.raises(DataError, match="is missing, the other half of"):
        list(wmt.read_training_pairs(tmp_path))


def test_vocabulary_from_a_file_is_used(tmp_path: Path) -> None:
    """Texts are split into the subwords of a file, so data prepared from other texts has the same vocabulary."""
    pairs = make_pairs(30)
    write_wmt(tmp_path / "one", pairs, pairs[:4])
    write_wmt(tmp_path / "other", pairs[:20], pairs[:4])
    file = tmp_path / "vocabulary.model"
    file.write_bytes(learn_subwords((text for pair in pairs for text in pair), 100))

    learned = download.prepare_wmt(tmp_path / "one", 100, 4)
    given = download.prepare_wmt(tmp_path / "other", 100, 4, file)
    relearned = download.prepare_wmt(tmp_path / "other", 100, 4)

    assert learned[VOCABULARY_SHA256] == given[VOCABULARY_SHA256] != relearned[VOCABULARY_SHA256]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not in the format of sentencepiece"),
        (b"no model", "is not in the format of sentencepiece"),
        (None, r"no\.model cannot be read: No such file"),
        (100, "has 100 subwords, not 90"),
    ],
)
def test_unusable_vocabulary_is_reported(tmp_path: Path, content: bytes | int | None, message: str) -> None:
    """A vocabulary that is empty, damaged, missing or of another size is named; nothing is learned in its place."""
    pairs = make_pairs(30)
    write_wmt(tmp_path, pairs, pairs[:4])
    file = tmp_path / "no.model"
    if isinstance(content, int):
        content = learn_subwords((text for pair in pairs for text in pair), content)
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(DataError, match=message):
        download.prepare_wmt(tmp_path, 90, 4, file)
    assert not (tmp_path / "prepared.json").exists()


def test_another_vocabulary_is_refused_before_the_run(tmp_path: Path) -> None:
    """Data that is split into other subwords than the benchmark's is refused; what is logged is the data's own checksum."""
    pairs = make_pairs(72)
    facts = prepare_texts(tmp_path, lambda: pairs[:60], pairs[60:], 100)
    workload = TranslationWorkload(MINI, tmp_path, 1, "get-it")

    assert workload.hyperparameters(Share())["vocabulary_checksum"] == facts[VOCABULARY_SHA256]
    with pytest.raises(DataError, match=r"other subwords .* get the right data with: get-it"):
        workload.check_data()
    TranslationWorkload(
        dataclasses.replace(MINI, vocabulary_checksum=str(facts[VOCABULARY_SHA256])), tmp_path, 1
    ).check_data()


def test_script_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without texts the script ends with exit code 2 and says what to download."""
    assert download.main(["--scale", "full", "--data", str(tmp_path)]) == 2
    assert "training-parallel-europarl-v7.tgz" in capsys.readouterr().err
    assert download.main(["--verify", "--data", str(tmp_path)]) == 2
    assert "mlperf train data translation" in capsys.readouterr().err
