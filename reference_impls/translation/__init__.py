"""Translation: the Transformer, English to German; BLEU."""

from reference_impls.harness import Task
from reference_impls.translation.config import FULL, FULL_OPEN, MINI, MINI_OPEN

TASK = Task(
    name="translation",
    benchmark="transformer",
    summary="Transformer big on WMT17 English–German (mini: a small one from spelling to sound), BLEU",
    configs={
        ("mini", "closed"): MINI,
        ("mini", "open"): MINI_OPEN,
        ("full", "closed"): FULL,
        ("full", "open"): FULL_OPEN,
    },
    workload="reference_impls.translation.workload:TranslationWorkload",
    scripts="reference_impls.translation.download",
)

__all__ = ["TASK"]
