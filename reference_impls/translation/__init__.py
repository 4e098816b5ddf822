"""Translation: the Transformer, English to German, BLEU."""

from reference_impls.harness import Task
from reference_impls.translation.config import CONFIGS

TASK = Task(
    name="translation",
    benchmark="transformer",
    summary="Transformer big on WMT17 English–German (mini: a smaller one on LibreOffice's texts), BLEU",
    configs=CONFIGS,
    workload="reference_impls.translation.workload:Translation",
    scripts="reference_impls.translation.download",
)

__all__ = ["TASK"]
