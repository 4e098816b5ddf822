"""Corpus BLEU as the benchmark defines it: case-insensitive."""

from __future__ import annotations

from collections.abc import Sequence

from sacrebleu.metrics.bleu import BLEU


class TranslationScorer:
    """Scores translations by references, whose n-grams are counted only once.

    Args:
        references: one per sentence, in order.
        tokenizer: name of sacrebleu's tokenizer.
    """

    def __init__(self, references: Sequence[str], tokenizer: str = "13a") -> None:
        self._bleu = BLEU(lowercase=True, tokenize=tokenizer, references=[list(references)])

    def score(self, translations: Sequence[str]) -> float:
        """Case-insensitive BLEU in percent, of one translation per reference."""
        return float(self._bleu.corpus_score(list(translations), None).score)
