"""Made-up utterances in LibriSpeech's layout: a tone for each character."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reference_impls.speech_recognition.alphabet import CHARACTERS
from reference_impls.speech_recognition.config import MINI, SpeechConfig
from reference_impls.speech_recognition.flac import write_samples
from reference_impls.speech_recognition.librispeech import prepare_subsets

TEXTS = ["GO", "NO", "ON", "OFF", "GO ON", "NO GO", "UP", "UP ON", "OFF NO", "ON UP", "GO UP", "NO ON"]
CHANGES: dict[str, Any] = {
    "train_samples": 12,
    "eval_samples": 4,
    "global_batch_size": 4,
    "eval_batch_size": 4,
    "channels": 4,
    "gru_layers": 1,
    "gru_width": 16,
    "learning_rate": 0.01,
    "warmup_steps": 0,
    "max_epochs": 2,
    "target": 0.0,
}
TINY: SpeechConfig = dataclasses.replace(MINI, **CHANGES)
"""An epoch takes a fraction of a second."""


def make_audio(text: str, sample_rate: int, seed: int) -> np.ndarray:
    """Tones of 120 ms, one for each character, with noise."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(0.12 * sample_rate)) / sample_rate
    tones = [np.sin(2 * np.pi * (300 + 110 * CHARACTERS.index(each)) * times) for each in text]
    audio = 8_000 * np.concatenate(tones)
    return (audio + rng.normal(0, 300, len(audio))).astype(np.int16)


def write_subset(folder: Path, texts: Sequence[str], sample_rate: int, *, seed: int = 0) -> list[Path]:
    """Utterances of two chapters of a speaker; returns their paths."""
    paths = []
    for number, text in enumerate(texts):
        chapter = f"{1 + number % 2}"
        name = f"7-{chapter}-{number // 2:04d}"
        place = folder / "7" / chapter
        write_samples(place / f"{name}.flac", make_audio(text, sample_rate, seed + number), sample_rate)
        with (place / f"7-{chapter}.trans.txt").open("a") as file:
            file.write(f"{name} {text}\n")
        paths.append(place / f"{name}.flac")
    return paths


def prepare_tones(folder: Path, subsets: Mapping[str, Sequence[str]], sample_rate: int) -> dict[str, int]:
    """Write subsets, list them, train on the first and evaluate on the second."""
    for number, (name, texts) in enumerate(subsets.items()):
        write_subset(folder / name, texts, sample_rate, seed=100 * number)
    first, second = subsets
    return prepare_subsets(folder, [first], [second], sample_rate, "get-it", "get-it")
