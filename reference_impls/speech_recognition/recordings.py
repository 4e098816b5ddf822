"""A person's speech beside the synthetic one: the word error rate of strings joined from recordings of ten digits.

    python -m reference_impls.speech_recognition.recordings WEIGHTS

The recordings are those of Debian's package ``asterisk-core-sounds-en-wav``: one woman, at 8 kHz, who says each digit once.
They are joined into strings of two to four digits between silences, without noise. Ten recordings of one person set no target;
what is printed tells how far a model that heard only a synthesizer is from people.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from reference_impls.harness import DataError, TrainerError
from reference_impls.harness.data.debian import fetch_package
from reference_impls.harness.run.weights import restore_weights
from reference_impls.harness.workload import Quality
from reference_impls.speech_recognition.alphabet import decode_text
from reference_impls.speech_recognition.config import MINI
from reference_impls.speech_recognition.flac import write_samples
from reference_impls.speech_recognition.librispeech import prepare_subsets, read_utterances
from reference_impls.speech_recognition.reader import AudioReader
from reference_impls.speech_recognition.synthetic import DIGITS
from reference_impls.speech_recognition.workload import SpeechWorkload

PACKAGE = "asterisk-core-sounds-en-wav"
SUBSET = "dev-recorded"
STRINGS = 200
COMMAND = "python -m reference_impls.speech_recognition.recordings WEIGHTS"

_SEED = 2018
_WORDS = (2, 5)
_SILENCE_MS = (100, 250)
_GAP_MS = (20, 120)
_QUIET = 64  # a sample below 1/64 of a recording's loudest one, at its ends, is silence


def read_digits(folder: Path, sample_rate: int) -> list[np.ndarray]:
    """The recordings of the ten digits, without the silence at their ends: int16 each.

    Args:
        folder: where Debian's package is unpacked.
        sample_rate: that they must have.

    Raises:
        DataError: one is missing, damaged, or has another sample rate.
    """
    digits = []
    for number, name in enumerate(DIGITS):
        found = sorted(folder.rglob(f"digits/{number}.wav"))
        if not found:
            raise DataError(f"{folder} holds no recording of {name.lower()} (digits/{number}.wav)")
        try:
            audio, rate = soundfile.read(found[0], dtype="int16")
        except (RuntimeError, OSError) as error:
            raise DataError(f"{found[0]} cannot be read ({error})") from None
        if rate != sample_rate or audio.ndim != 1:
            raise DataError(f"{found[0]} has {rate} Hz; one channel of {sample_rate} Hz is wanted")
        digits.append(trim_silence(audio))
    return digits


def trim_silence(audio: np.ndarray) -> np.ndarray:
    """Samples [samples] from the first to the last that are not silence; none of a recording that is all zeros."""
    loud = np.flatnonzero(np.abs(audio.astype(np.int64)) * _QUIET > np.abs(audio.astype(np.int64)).max())
    return audio[loud[0] : loud[-1] + 1] if len(loud) else audio[:0]


def write_strings(folder: Path, digits: Sequence[np.ndarray], sample_rate: int) -> None:
    """Join recordings into `STRINGS` strings of digits and write them in LibriSpeech's layout, with one speaker.

    Args:
        folder: where to.
        digits: the recordings, from zero to nine: int16 each.
        sample_rate: theirs.
    """
    rng = np.random.default_rng(_SEED)

    def be_silent(limits: tuple[int, int]) -> np.ndarray:
        return np.zeros(int(rng.integers(*limits)) * sample_rate // 1000, np.int16)

    place = folder / SUBSET / "1" / "1"
    lines = []
    for number in range(STRINGS):
        chosen = rng.integers(len(DIGITS), size=rng.integers(*_WORDS))
        parts = [be_silent(_SILENCE_MS)]
        for digit in chosen:
            parts += [digits[digit], be_silent(_GAP_MS)]
        parts.append(be_silent(_SILENCE_MS))
        write_samples(place / f"1-1-{number:04d}.flac", np.concatenate(parts), sample_rate)
        lines.append(f"1-1-{number:04d} {' '.join(DIGITS[digit] for digit in chosen)}\n")
    (place / "1-1.trans.txt").write_text("".join(lines), "utf-8")


def evaluate_recordings(weights: Path, recordings: Path, data: Path | None = None) -> Quality:
    """The word error rate of a run's final weights on recordings.

    Args:
        weights: the folder in which the run has kept them.
        recordings: folder with utterances in the subset `SUBSET`, in LibriSpeech's layout.
        data: folder of the prepared data; None: where the run had it.

    Raises:
        TrainerError: the weights are of no run of this task, or damaged, or its data is missing.
        DataError: the recordings are missing or damaged.
    """
    run = restore_weights(weights, data)
    workload = run.loop.workload
    if not isinstance(workload, SpeechWorkload):
        raise TrainerError(f"{weights} holds the weights of {run.request.task}, not of speech recognition")
    prepare_subsets(recordings, [SUBSET], [SUBSET], workload.config.sample_rate, COMMAND, COMMAND)
    _, spoken, _ = read_utterances(recordings, COMMAND)
    workload.test_audio = AudioReader(spoken, recordings, COMMAND)
    workload.references = [decode_text(spoken.find_labels(row)) for row in range(len(spoken.paths))]
    return run.loop.evaluate().quality


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from a command line; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", type=Path, help="the folder 'weights' of a run at mini scale")
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of all data (default: data)")
    parser.add_argument(
        "--package", type=Path, help=f"the file of Debian's {PACKAGE}, if it was downloaded before"
    )
    options = parser.parse_args(arguments)
    recordings = options.data / "speech_recognition" / "recordings"
    try:
        with_package = recordings / "package"
        if not with_package.is_dir() or options.package:
            fetch_package(PACKAGE, with_package, package=options.package)
        shutil.rmtree(recordings / SUBSET, ignore_errors=True)
        write_strings(recordings, read_digits(with_package, MINI.sample_rate), MINI.sample_rate)
        quality = evaluate_recordings(options.weights, recordings, options.data)
    except TrainerError as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return 2
    sys.stdout.write(
        f"word error rate of {STRINGS} strings of recorded digits (one speaker): {quality:.4f}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
