"""Speech recognition: Deep Speech 2 on LibriSpeech; word error rate."""

from reference_impls.harness import Task
from reference_impls.speech_recognition.config import FULL, FULL_OPEN, MINI, MINI_OPEN

TASK = Task(
    name="speech_recognition",
    benchmark="deepspeech2",
    summary="Deep Speech 2 on LibriSpeech (mini: a small one on synthetic speech), word error rate",
    configs={
        ("mini", "closed"): MINI,
        ("mini", "open"): MINI_OPEN,
        ("full", "closed"): FULL,
        ("full", "open"): FULL_OPEN,
    },
    workload="reference_impls.speech_recognition.workload:SpeechWorkload",
    scripts="reference_impls.speech_recognition.download",
    aliases=("speech",),
)

__all__ = ["TASK"]
