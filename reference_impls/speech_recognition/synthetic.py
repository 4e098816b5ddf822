"""The synthetic utterances of the mini scale: digits and commands in many voices, with noise, in LibriSpeech's layout.

All arithmetic is on integers, so that every machine gets the same samples from what eSpeak NG says.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reference_impls.speech_recognition.flac import write_samples
from reference_impls.speech_recognition.voices import (
    ACCENTS,
    SAMPLE_RATE,
    VARIANTS,
    Spoken,
    is_held_out,
    speak_all,
)

DIGITS = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")
COMMANDS = ("YES", "NO", "UP", "DOWN", "LEFT", "RIGHT", "ON", "OFF", "STOP", "GO")
TRAINING_SUBSET, EVALUATION_SUBSET = "train-synthetic", "dev-synthetic"

_SEED = 2018
_WORDS = (2, 5)
_RATES, _PITCHES = (150, 300), (10, 90)
_SILENCE_MS = (100, 250)
_NOISE = (4, 33)  # in 64ths of the speech's root mean square: from -24 dB to -6 dB
_TAPS, _SCALE = 24, 1 << 14
_PASS = 0.45  # of the lower sample rate: where the filter is down by half


class Planned(NamedTuple):
    """An utterance to make.

    Attributes:
        spoken: what is said, and how.
        noise: root mean square of the noise, in 64ths of that of the speech.
        before_ms: silence before the speech.
        after_ms: silence after it.
    """

    spoken: Spoken
    noise: int
    before_ms: int
    after_ms: int


def plan_utterances(count: int, seed: int, *, held_out: bool) -> list[Planned]:
    """Draw utterances: digit strings and strings of commands, half of each.

    Args:
        count: how many.
        seed: of the random generator.
        held_out: whether they are spoken by the voices that are held out, or by the others.
    """
    rng = np.random.default_rng([_SEED, seed])
    variants = [variant for variant in VARIANTS if is_held_out(variant) == held_out]
    planned = []
    for _ in range(count):
        vocabulary = (DIGITS, COMMANDS)[rng.integers(2)]
        words = [vocabulary[number] for number in rng.integers(len(vocabulary), size=rng.integers(*_WORDS))]
        spoken = Spoken(
            " ".join(words),
            variants[rng.integers(len(variants))],
            ACCENTS[rng.integers(len(ACCENTS))],
            int(rng.integers(*_RATES)),
            int(rng.integers(*_PITCHES)),
        )
        planned.append(
            Planned(
                spoken,
                int(rng.integers(*_NOISE)),
                *(int(each) for each in rng.integers(*_SILENCE_MS, size=2)),
            )
        )
    return planned


def write_utterances(folder: Path, train: int, test: int, sample_rate: int) -> None:
    """Make all utterances and write them in LibriSpeech's layout: a voice is a speaker, an accent a chapter.

    Args:
        folder: where to.
        train: number of utterances to train on.
        test: number of utterances of the held-out voices.
        sample_rate: of the files.

    Raises:
        DataError: eSpeak NG is missing, or cannot do it.
    """
    parts = {
        TRAINING_SUBSET: plan_utterances(train, 1, held_out=False),
        EVALUATION_SUBSET: plan_utterances(test, 2, held_out=True),
    }
    speech = iter(speak_all([each.spoken for planned in parts.values() for each in planned]))
    for number, (subset, planned) in enumerate(parts.items()):
        transcripts: dict[Path, list[str]] = {}
        rng = np.random.default_rng([_SEED, 3, number])
        for each in planned:
            speaker, chapter = VARIANTS.index(each.spoken.variant) + 1, ACCENTS.index(each.spoken.accent) + 1
            place = folder / subset / f"{speaker}" / f"{chapter}"
            lines = transcripts.setdefault(place / f"{speaker}-{chapter}.trans.txt", [])
            name = f"{speaker}-{chapter}-{len(lines):04d}"
            lines.append(f"{name} {each.spoken.text}\n")
            audio = resample(next(speech), SAMPLE_RATE, sample_rate)
            write_samples(place / f"{name}.flac", add_noise(audio, each, sample_rate, rng), sample_rate)
        for path, lines in transcripts.items():
            path.write_text("".join(lines), "utf-8")


def add_noise(audio: np.ndarray, planned: Planned, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Speech between two silences, all of it with noise of a bell-shaped distribution: int16."""
    loudness = math.isqrt(int(np.square(audio.astype(np.int64)).mean()))
    before, after = (
        milliseconds * sample_rate // 1000 for milliseconds in (planned.before_ms, planned.after_ms)
    )
    whole = np.pad(audio.astype(np.int64), (before, after))
    # The sum of three uniform integers in ±most has a mean square of most².
    most = max(loudness * planned.noise // 64, 1)
    noise = rng.integers(-most, most + 1, size=(3, len(whole))).sum(axis=0)
    return _cut(whole + noise)


def resample(audio: np.ndarray, rate: int, wanted_rate: int) -> np.ndarray:
    """Samples at a lower rate, by a windowed sinc whose coefficients are integers: int16."""
    divisor = math.gcd(rate, wanted_rate)
    up, down = wanted_rate // divisor, rate // divisor
    count = len(audio) * up // down
    places = np.arange(count, dtype=np.int64) * down
    first, phases = places // up, places % up
    offsets = np.arange(1 - _TAPS, _TAPS + 1)
    distances = offsets[np.newaxis] - np.arange(up)[:, np.newaxis] / up
    cutoff = 2 * _PASS * wanted_rate / rate
    kernel = cutoff * np.sinc(cutoff * distances) * (0.5 + 0.5 * np.cos(np.pi * distances / (_TAPS + 1)))
    coefficients = np.rint(kernel / kernel.sum(axis=1, keepdims=True) * _SCALE).astype(np.int64)
    padded = np.pad(audio.astype(np.int64), _TAPS)
    values = (padded[first[:, np.newaxis] + offsets + _TAPS] * coefficients[phases]).sum(axis=1)
    return _cut(values // _SCALE)


def _cut(values: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.clip(values, -(1 << 15), (1 << 15) - 1).astype(np.int16)
    return found
