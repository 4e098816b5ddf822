"""Texts and their sentiment: reading, tokenizing and encoding."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from reference_impls.harness.errors import DataError

SNIPPETS = ("hutto_ICWSM_2014.tar.gz", "movieReviewSnippets_GroundTruth.txt")
HELD_OUT_ONE_IN = 5
"""One of five snippets is for evaluation; a checksum of its text picks it, so that nothing about it was looked at."""

LONGEST_NGRAM = 3
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?|[^\sa-z0-9]")
_BREAK = re.compile(r"<br ?/?>")


class Texts(NamedTuple):
    """Texts and whether each is positive."""

    texts: list[str]
    labels: list[int]


class Split(NamedTuple):
    """Texts to train on and texts to evaluate on."""

    train: Texts
    held_out: Texts


def read_snippets(path: Path) -> Split:
    """The human-rated snippets of movie reviews from the source package that carries them.

    A snippet is positive if its mean rating is above zero; those rated exactly zero are left out.

    Raises:
        DataError: the file is not such a package.
    """
    lines = _read_inner_file(path).splitlines()
    texts, labels = [], []
    for number, line in enumerate(lines, 1):
        fields = line.split("\t")
        try:
            rating = float(fields[1])
            text = fields[2]
        except (IndexError, ValueError):
            raise DataError(
                f"{path}: line {number} of {SNIPPETS[1]} is not number, rating and text"
            ) from None
        if rating:
            texts.append(text)
            labels.append(int(rating > 0))
    is_held_out = [_checksum(text) % HELD_OUT_ONE_IN == 0 for text in texts]
    train = [number for number, is_picked in enumerate(is_held_out) if not is_picked]
    held_out = [number for number, is_picked in enumerate(is_held_out) if is_picked]
    return Split(
        Texts([texts[n] for n in train], [labels[n] for n in train]),
        Texts([texts[n] for n in held_out], [labels[n] for n in held_out]),
    )


def _checksum(text: str) -> int:
    """The first eight bytes of a text's SHA-256, as a number; equal texts come to the same side of a split."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _read_inner_file(path: Path) -> str:
    """The text of a file within an archive within an archive."""
    try:
        with tarfile.open(path) as outer, tarfile.open(fileobj=_open_member(outer, SNIPPETS[0])) as inner:
            return _open_member(inner, SNIPPETS[1]).read().decode("utf-8", "replace")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DataError(f"{path} is not the package that was requested: {error}") from None


def _open_member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    """A file of an archive, in memory; OSError if none has that name."""
    for member in archive.getmembers():
        file = archive.extractfile(member) if member.name.endswith(f"/{name}") else None
        if file is not None:
            return io.BytesIO(file.read())
    raise OSError(f"it holds no {name}")


def read_tree(folder: Path) -> Split:
    """IMDB's folders: ``train`` and ``test`` with ``pos`` and ``neg`` of one text file each.

    Raises:
        DataError: a folder is missing or empty.
    """

    def read(part: str) -> Texts:
        texts: list[str] = []
        labels: list[int] = []
        for label, name in enumerate(("neg", "pos")):
            paths = sorted((folder / part / name).glob("*.txt"))
            if not paths:
                raise DataError(f"{folder / part / name} holds no text file")
            texts += [path.read_text("utf-8", "replace") for path in paths]
            labels += [label] * len(paths)
        return Texts(texts, labels)

    return Split(read("train"), read("test"))


def split_words(text: str) -> list[str]:
    """Words and punctuation marks of a text, in lower case."""
    return _WORD.findall(_BREAK.sub(" ", text.lower()))


def list_ngrams(words: Sequence[str]) -> Iterator[str]:
    """All n-grams of one to three words of a text, in order."""
    for length in range(1, LONGEST_NGRAM + 1):
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length])


def rank_frequent(items: Iterable[str], most: int) -> dict[str, int]:
    """The most frequent items, numbered from 1; ties are broken alphabetically."""
    counts = Counter(items)
    ranked = sorted(counts, key=lambda item: (-counts[item], item))[:most]
    return {item: number for number, item in enumerate(ranked, 1)}


def encode(split: Split, most_words: int, most_ngrams: int) -> dict[str, np.ndarray]:
    """Encode texts as indices; vocabularies come from the training texts alone.

    Args:
        split: the texts.
        most_words: size of the vocabulary of words.
        most_ngrams: size of the vocabulary of n-grams.

    Returns:
        For ``train`` and ``eval``: ``…_words`` (int32, indices of all texts concatenated; 0: not in the
        vocabulary), ``…_word_counts`` (int32, how many of them each text has), the same for ``…_ngrams``
        (each known n-gram of a text once, ascending), and ``…_labels`` (int32).
    """
    train_words = [split_words(text) for text in split.train.texts]
    vocabulary = rank_frequent(chain.from_iterable(train_words), most_words)
    known = rank_frequent(chain.from_iterable(map(list_ngrams, train_words)), most_ngrams)
    arrays = {}
    for name, texts in (("train", split.train), ("eval", split.held_out)):
        words = train_words if name == "train" else [split_words(text) for text in texts.texts]
        numbers = [[vocabulary.get(word, 0) for word in each] for each in words]
        bags = [sorted({known[ngram] for ngram in list_ngrams(each) if ngram in known}) for each in words]
        arrays[f"{name}_words"] = np.fromiter(chain.from_iterable(numbers), np.int32)
        arrays[f"{name}_word_counts"] = np.array([len(each) for each in numbers], np.int32)
        arrays[f"{name}_ngrams"] = np.fromiter(chain.from_iterable(bags), np.int32)
        arrays[f"{name}_ngram_counts"] = np.array([len(each) for each in bags], np.int32)
        arrays[f"{name}_labels"] = np.array(texts.labels, np.int32)
    return arrays
