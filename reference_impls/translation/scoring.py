"""BLEU as the benchmark wants it: of whole texts, cases alike."""

from __future__ import annotations

from collections.abc import Sequence

from sacrebleu.metrics.bleu import BLEU


def score_translations(translations: Sequence[str], references: Sequence[str]) -> float:
    """BLEU in per cent, regardless of case, with sacrebleu's international ("13a") tokens.

    Args:
        translations: one for each sentence, in order.
        references: one for each sentence, in order.
    """
    return float(BLEU(lowercase=True).corpus_score(list(translations), [list(references)]).score)
