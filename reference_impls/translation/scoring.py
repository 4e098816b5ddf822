"""Corpus BLEU as the benchmark defines it: case-insensitive."""

from __future__ import annotations

from collections.abc import Sequence

from sacrebleu.metrics.bleu import BLEU


def score_translations(
    translations: Sequence[str], references: Sequence[str], tokenizer: str = "13a"
) -> float:
    """Case-insensitive BLEU in percent.

    Args:
        translations: one per sentence, in order.
        references: one per sentence, in order.
        tokenizer: name of sacrebleu's tokenizer.
    """
    return float(
        BLEU(lowercase=True, tokenize=tokenizer).corpus_score(list(translations), [list(references)]).score
    )
