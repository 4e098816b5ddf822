"""Corpus BLEU as the benchmark defines it: case-insensitive."""

from __future__ import annotations

from collections.abc import Sequence

from sacrebleu.metrics.bleu import BLEU


def score_translations(translations: Sequence[str], references: Sequence[str]) -> float:
    """Case-insensitive BLEU in percent, with sacrebleu's "13a" tokenizer.

    Args:
        translations: one per sentence, in order.
        references: one per sentence, in order.
    """
    return float(BLEU(lowercase=True).corpus_score(list(translations), [list(references)]).score)
