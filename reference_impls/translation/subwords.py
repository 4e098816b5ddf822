"""Subwords: one vocabulary for both languages, learned from the training text by byte-pair encoding."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence

import numpy as np
import sentencepiece

from reference_impls.harness import DataError
from reference_impls.translation.corpus import END, PAD, UNKNOWN


def learn_subwords(
    sentences: Iterable[str], vocabulary: int, *, most_sentences: int = 10_000_000, coverage: float = 0.9995
) -> bytes:
    """Learn a vocabulary.

    Args:
        sentences: of both languages.
        vocabulary: number of subwords, the three special ones included.
        most_sentences: greatest number of sentences to learn from, sampled with a fixed seed.
        coverage: share of the text's characters that the subwords cover; the rarest are `UNKNOWN`.

    Returns:
        The vocabulary in the format of sentencepiece.

    Raises:
        DataError: the text is too small for so many subwords.
    """
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences),
            model_writer=model,
            model_type="bpe",
            vocab_size=vocabulary,
            character_coverage=coverage,
            normalization_rule_name="identity",
            split_digits=True,
            input_sentence_size=most_sentences,
            shuffle_input_sentence=True,
            num_threads=1,
            pad_id=PAD,
            eos_id=END,
            unk_id=UNKNOWN,
            bos_id=-1,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise DataError(
            f"no vocabulary of {vocabulary:,} subwords can be learned from the text: {error}"
        ) from None
    return model.getvalue()


class Subwords:
    """Encodes text as subwords and decodes it.

    Args:
        model: what `learn_subwords` returned.

    Raises:
        DataError: it is something else, or numbers the special subwords differently.
    """

    def __init__(self, model: bytes) -> None:
        self._processor = sentencepiece.SentencePieceProcessor()
        try:
            self._processor.LoadFromSerializedProto(model)
        except RuntimeError:
            raise DataError("the vocabulary is not in the format of sentencepiece") from None
        special = self._processor.pad_id(), self._processor.eos_id(), self._processor.unk_id()
        if special != (PAD, END, UNKNOWN):
            raise DataError(
                f"the vocabulary numbers padding, end and unknown {special}, not {(PAD, END, UNKNOWN)}; use one that "
                f"the data command of this task has learned"
            )

    def __len__(self) -> int:
        """Number of subwords."""
        return int(self._processor.vocab_size())

    @property
    def checksum(self) -> str:
        """SHA-256 of the subwords in the order of their ids, in hexadecimal; their file's depends on who wrote it."""
        pieces = (self._processor.id_to_piece(number) for number in range(len(self)))
        return hashlib.sha256("\n".join(pieces).encode()).hexdigest()

    def encode(self, sentences: Sequence[str]) -> list[list[int]]:
        """Ids of each sentence's subwords, with `END`."""
        return [[*ids, END] for ids in self._processor.encode(list(sentences))]

    def decode(self, rows: Iterable[np.ndarray]) -> list[str]:
        """Text of each row of ids, up to the first `END` or `PAD`."""
        texts = []
        for row in rows:
            ends = np.flatnonzero((row == END) | (row == PAD))
            texts.append(row[: ends[0] if len(ends) else len(row)].tolist())
        return list(self._processor.decode(texts)) if texts else []
