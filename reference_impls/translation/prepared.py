"""Prepared texts: subwords, and sentences as ids, in the harness's form of prepared data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from reference_impls.harness import DataError
from reference_impls.harness.data.prepared import read_prepared, write_prepared
from reference_impls.translation.corpus import Sentences, join_sentences, pack_sentences
from reference_impls.translation.subwords import Subwords, learn_subwords

Pair = tuple[str, str]
Item = TypeVar("Item")

VOCABULARY_SHA256 = "vocabulary_sha256"
"""Name of the fact that holds `Subwords.checksum`."""

_AT_ONCE = 50_000
_MOST_SUBWORDS = 1 << 16


class PreparedTexts(NamedTuple):
    """What a run needs.

    Attributes:
        subwords: the vocabulary.
        source: training sentences.
        target: their translations.
        test: sentences to translate.
        references: human translations of them.
    """

    subwords: Subwords
    source: Sentences
    target: Sentences
    test: Sentences
    references: list[str]


def prepare_texts(
    folder: Path,
    train: Callable[[], Iterable[Pair]],
    test: Sequence[Pair],
    vocabulary: int,
    model: bytes | None = None,
) -> dict[str, int | str]:
    """Learn subwords from the training pairs, encode all text, and write the result.

    Args:
        folder: where to.
        train: returns the training pairs; called twice.
        test: pairs to evaluate on.
        vocabulary: number of subwords.
        model: a vocabulary to use instead of learning one, in the format of sentencepiece.

    Returns:
        Facts: numbers of pairs and of subwords, and the vocabulary's checksum.

    Raises:
        DataError: the texts are too small for so many subwords, more are requested than can be stored, or ``model`` is
            damaged or of another size.
    """
    if vocabulary > _MOST_SUBWORDS:
        raise DataError(f"no more than {_MOST_SUBWORDS:,} subwords can be stored, not {vocabulary:,}")
    if model is None:
        model = learn_subwords((text for pair in train() for text in pair), vocabulary)
    subwords = Subwords(model)
    if len(subwords) != vocabulary:
        raise DataError(f"the vocabulary has {len(subwords):,} subwords, not {vocabulary:,}")
    sources, targets = [], []
    for part in _take(train(), _AT_ONCE):
        sources.append(pack_sentences(subwords.encode([english for english, _ in part])))
        targets.append(pack_sentences(subwords.encode([german for _, german in part])))
    source, target = join_sentences(sources), join_sentences(targets)
    held_out = pack_sentences(subwords.encode([english for english, _ in test]))
    references = "\n".join(german for _, german in test).encode()
    facts: dict[str, int | str] = {
        "train_pairs": len(source.ends),
        "test_pairs": len(test),
        "train_source_subwords": len(source.ids),
        "train_target_subwords": len(target.ids),
        "vocabulary": len(subwords),
        VOCABULARY_SHA256: subwords.checksum,
    }
    arrays = {
        "source_ids": source.ids,
        "source_ends": source.ends,
        "target_ids": target.ids,
        "target_ends": target.ends,
        "test_ids": held_out.ids,
        "test_ends": held_out.ends,
        "references": np.frombuffer(references, np.uint8),
        "subwords": np.frombuffer(model, np.uint8),
    }
    # How many pairs a run leaves out as too long must be known before its clock starts.
    pair_lengths = np.bincount(longer_lengths(source, target)).tolist()
    write_prepared(folder, arrays, {**facts, "pair_lengths": pair_lengths})
    return facts


def longer_lengths(source: Sentences, target: Sentences) -> np.ndarray:
    """Length of the longer sentence of each pair, in ids."""
    return np.asarray(np.maximum(source.lengths, target.lengths))


def read_texts(folder: Path, command: str) -> PreparedTexts:
    """Read what `prepare_texts` wrote.

    Args:
        folder: where it is.
        command: the command that prepares it; messages name it.

    Raises:
        DataError: something is missing or damaged, or is the data of another task.
    """
    arrays, _ = read_prepared(folder, command)
    try:
        return PreparedTexts(
            Subwords(arrays["subwords"].tobytes()),
            Sentences(arrays["source_ids"], arrays["source_ends"]),
            Sentences(arrays["target_ids"], arrays["target_ends"]),
            Sentences(arrays["test_ids"], arrays["test_ends"]),
            arrays["references"].tobytes().decode().split("\n"),
        )
    except KeyError as missing:
        raise DataError(
            f"{folder} holds prepared data of another task (there is no {missing}); get this one's with: {command}"
        ) from None


def _take(items: Iterable[Item], count: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while part := list(islice(iterator, count)):
        yield part
