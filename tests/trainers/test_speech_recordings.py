"""Recordings of digits beside the synthetic speech: how they are joined, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
pytest.importorskip("soundfile", reason="speech recognition needs soundfile (extra 'reference')")
pytest.importorskip("jiwer", reason="speech recognition needs jiwer (extra 'reference')")

import soundfile

from reference_impls.harness import DataError
from reference_impls.speech_recognition import recordings
from reference_impls.speech_recognition.librispeech import list_utterances
from reference_impls.speech_recognition.synthetic import DIGITS

RATE = 8_000


def write_digits(folder: Path, rate: int = RATE) -> None:
    """Recordings as the package has them: each digit another constant of another length, between silences."""
    place = folder / "usr" / "share" / "sounds" / "digits"
    place.mkdir(parents=True)
    for number in range(len(DIGITS)):
        audio = np.pad(np.full(100 + number, 1_000 * (number + 1), np.int16), 50)
        soundfile.write(place / f"{number}.wav", audio, rate, subtype="PCM_16")


def test_digits_lose_the_silence_at_their_ends(tmp_path: Path) -> None:
    """What is quieter than a 64th of the loudest sample is cut off at both ends, and kept between them."""
    write_digits(tmp_path)
    assert [len(each) for each in recordings.read_digits(tmp_path, RATE)] == list(range(100, 110))
    assert recordings.trim_silence(np.array([1, 64, 0, -640, 10, 9], np.int16)).tolist() == [64, 0, -640]
    assert len(recordings.trim_silence(np.zeros(5, np.int16))) == 0


def test_strings_hold_what_their_transcripts_say(tmp_path: Path) -> None:
    """Each string has the samples of the digits of its transcript, in that order, and silence between them."""
    write_digits(tmp_path / "package")
    digits = recordings.read_digits(tmp_path / "package", RATE)
    recordings.write_strings(tmp_path, digits, RATE)
    utterances = list(list_utterances(tmp_path / recordings.SUBSET, "get"))
    assert len(utterances) == recordings.STRINGS
    for path, transcript in utterances:
        audio, rate = soundfile.read(path, dtype="int16")
        starts = audio[1:][(audio[1:] != 0) & (audio[:-1] == 0)]
        assert [DIGITS[int(value) // 1_000 - 1] for value in starts] == transcript.split()
        assert rate == RATE
        assert 2 <= len(starts) <= 4


def test_missing_and_unfit_recordings_are_named(tmp_path: Path) -> None:
    """A digit that is missing and a sample rate that does not fit are refused in one sentence."""
    write_digits(tmp_path / "other", rate=16_000)
    with pytest.raises(DataError, match=r"0\.wav has 16000 Hz; one channel of 8000 Hz is wanted"):
        recordings.read_digits(tmp_path / "other", RATE)
    write_digits(tmp_path / "some")
    next((tmp_path / "some").rglob("7.wav")).unlink()
    with pytest.raises(DataError, match=r"no recording of seven \(digits/7\.wav\)"):
        recordings.read_digits(tmp_path / "some", RATE)


def test_folder_without_weights_ends_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there are no weights, the command says so and ends with code 2."""
    write_digits(tmp_path / "speech_recognition" / "recordings" / "package")
    assert recordings.main([str(tmp_path), "--data", str(tmp_path)]) == 2
    assert "does not hold the weights of a run" in capsys.readouterr().err
