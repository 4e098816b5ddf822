"""Word error rate."""

from __future__ import annotations

from collections.abc import Sequence

import jiwer


def score_transcripts(references: Sequence[str], found: Sequence[str]) -> float:
    """The word error rate: words to replace, insert or delete, per word of the references."""
    return float(jiwer.wer(list(references), list(found)))
