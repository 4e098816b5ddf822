"""Speech: LibriSpeech's trees, FLAC files, synthetic utterances, batches."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("soundfile", reason="speech recognition needs soundfile (extra 'reference')")
pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

from reference_impls.harness import DataError
from reference_impls.harness.data.prepared import write_prepared
from reference_impls.harness.workload import Share
from reference_impls.speech_recognition import download, voices
from reference_impls.speech_recognition.alphabet import BLANK, decode_text, encode_text
from reference_impls.speech_recognition.batches import plan_evaluation, serve_batches
from reference_impls.speech_recognition.flac import read_header, read_samples, write_samples
from reference_impls.speech_recognition.librispeech import list_utterances, prepare_subsets, read_utterances
from reference_impls.speech_recognition.reader import AudioReader
from reference_impls.speech_recognition.synthetic import Planned, add_noise, plan_utterances, resample
from tests.trainers.spoken import make_audio, prepare_tones, write_subset

TEXTS = ["GO", "NO", "OFF ON", "IT'S", "A B"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Prepared tones."""
    prepare_tones(tmp_path, {"train-clean-100": TEXTS, "dev-clean": ["ON", "GO NO", "B"]}, 8_000)
    return tmp_path


def test_characters_are_numbers_and_back() -> None:
    """Each character has a number of its own; the blank comes after them."""
    text = "'ABCDEFGHIJKLMNOPQRSTUVWXYZ Z"
    assert decode_text(encode_text(text)) == text
    assert encode_text(text).max() == BLANK - 1 == 27
    assert decode_text(encode_text("  A  B ")) == "A B"
    with pytest.raises(ValueError, match="unknown character 'a'"):
        encode_text("Aa")


def test_utterances_are_those_of_the_tree(folder: Path) -> None:
    """Transcripts, lengths and checksums are those of the files; transcripts are found by row."""
    train, test, sample_rate = read_utterances(folder, "get-it")

    assert (len(train.paths), len(test.paths), sample_rate) == (5, 3, 8_000)
    found = {path: decode_text(train.find_labels(row)) for row, path in enumerate(train.paths)}
    assert sorted(found.values()) == sorted(TEXTS)
    assert found["train-clean-100/7/2/7-2-0001.flac"] == "IT'S"
    row = train.paths.index("train-clean-100/7/2/7-2-0001.flac")
    audio = make_audio("IT'S", 8_000, 3)
    assert train.samples[row] == len(audio)
    assert train.md5[row].tobytes() == hashlib.md5(audio.tobytes(), usedforsecurity=False).digest()
    assert (AudioReader(train, folder, "get-it").read(np.array([row, -1]))[0] == audio).all()


def test_header_says_what_the_file_holds(tmp_path: Path) -> None:
    """Rate, channels, bits, number and checksum of the samples come out of the header."""
    audio = np.arange(-500, 500, dtype=np.int16)
    write_samples(tmp_path / "one.flac", audio, 16_000)

    header = read_header(tmp_path / "one.flac", "get-it")

    md5 = hashlib.md5(audio.tobytes(), usedforsecurity=False).digest()
    assert header == (16_000, 1, 16, 1000, md5)
    assert (read_samples(tmp_path / "one.flac", 1000, md5, "get-it") == audio).all()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: path.unlink(), r"7-1-0000\.flac is missing, whose transcript is in 7-1\.trans\.txt"),
        (
            lambda path: path.write_bytes(b"RIFF"),
            "is damaged: it is not a FLAC file; get it again with: get-it",
        ),
        (
            lambda path: write_samples(path, np.zeros(900, np.int16), 16_000),
            "has 1 channels of 16 bits at 16000 Hz, not one of 16 bits at 8000 Hz",
        ),
        (
            lambda path: write_samples(path.with_stem("7-1-0009"), np.zeros(900, np.int16), 8_000),
            r"7-1-0009\.flac has no transcript in 7-1\.trans\.txt",
        ),
        (
            lambda path: (path.parent / "7-1.trans.txt").write_text("7-1-0000\n"),
            r"7-1\.trans\.txt:1: a name and a transcript are wanted, not '7-1-0000'",
        ),
        (
            lambda path: (path.parent / "7-1.trans.txt").write_bytes(b"7-1-0000 \xff\n"),
            r"7-1\.trans\.txt is damaged \('utf-8' codec",
        ),
        (
            lambda path: (path.parent / "7-1.trans.txt").write_text("7-1-0000 go\n"),
            r"the transcript of .*7-1-0000\.flac has an unknown character 'g'",
        ),
    ],
)
def test_damaged_trees_are_refused(tmp_path: Path, damage, says: str) -> None:
    """What is missing or damaged is named, with the command that gets it."""
    (path,) = write_subset(tmp_path / "dev-clean", ["GO"], 8_000)
    damage(path)
    with pytest.raises(DataError, match=says) as raised:
        prepare_subsets(tmp_path, ["dev-clean"], ["dev-clean"], 8_000, "get-it", "get-it")
    assert "\n" not in str(raised.value)


def test_subsets_that_are_missing_are_named(tmp_path: Path) -> None:
    """At full scale, the message says what to download; an empty subset is told from a missing one."""
    with pytest.raises(DataError, match=r"no folder train-clean-100; download .* from openslr\.org/12"):
        download.prepare_librispeech(tmp_path, 16_000)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no utterance of train; get-it"):
        prepare_subsets(tmp_path, ["empty"], ["empty"], 16_000, "get-it", "get-it")
    assert list(list_utterances(tmp_path, "get-it")) == []


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: path.unlink(), "is missing; get it with: get-it"),
        (
            lambda path: path.write_bytes(path.read_bytes()[:-50]),
            "is damaged: it has .* bytes, not .*; get it again",
        ),
        (lambda path: path.write_bytes(path.read_bytes()[:-50] + bytes(50)), r"cannot be read|is damaged"),
    ],
)
def test_audio_that_changed_since_is_refused(folder: Path, damage, says: str) -> None:
    """A file that is missing, truncated or overwritten after it was listed is reported in one sentence."""
    train, _, _ = read_utterances(folder, "get-it")
    damage(folder / train.paths[2])
    with pytest.raises(DataError, match=says):
        AudioReader(train, folder, "get-it")


def test_other_audio_of_the_same_length_is_refused(tmp_path: Path) -> None:
    """The checksum of the samples tells another recording, and their number a shorter one."""
    write_samples(tmp_path / "one.flac", np.zeros(1000, np.int16), 8_000)
    with pytest.raises(DataError, match="is damaged: its checksum differs; get it again with: get-it"):
        read_samples(tmp_path / "one.flac", 1000, bytes(range(16)), "get-it")
    with pytest.raises(DataError, match="has 1,000 samples, not 2,000"):
        read_samples(tmp_path / "one.flac", 2000, bytes(16), "get-it")


def test_data_of_another_task_is_refused(tmp_path: Path) -> None:
    """Prepared data of another task is told by what it lacks."""
    write_prepared(tmp_path, {"other": np.zeros(1)}, {})
    with pytest.raises(DataError, match=r"holds prepared data of another task \(there is no 'train_paths'\)"):
        read_utterances(tmp_path, "get-it")


def test_batches_are_padded_and_shared(folder: Path) -> None:
    """Batches hold all utterances, padded to a quarter of a second; two replicas get the halves of one batch."""
    train, _, sample_rate = read_utterances(folder, "get-it")
    reader = AudioReader(train, folder, "get-it")
    plan = plan_evaluation(train.samples, 4)
    assert plan.shape == (2, 4)
    assert sorted(plan.ravel()) == [-1, -1, -1, 0, 1, 2, 3, 4]
    assert (np.diff(train.samples[plan.ravel()[:5]]) >= 0).all()

    (whole, _), halves = (
        list(serve_batches(plan, share, reader, sample_rate).as_numpy_iterator())
        for share in (Share(), Share(0, 1, 2))
    )

    assert whole["audio"].shape[1] % 2000 == 0
    for number, row in enumerate(whole["rows"]):
        length = whole["samples"][number]
        assert length == train.samples[row]
        assert (whole["audio"][number, :length] == reader.read(np.array([row]))[0]).all()
        assert not whole["audio"][number, length:].any()
        labels = whole["labels"][number]
        assert (labels[labels >= 0] == train.find_labels(row)).all()
    assert len(halves) == 4
    assert (np.concatenate([half["rows"] for half in halves[:2]]) == whole["rows"]).all()


def test_audio_that_is_not_kept_is_read_from_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is too much audio to keep, the files are read when they are needed, with the same result."""
    train, _, _ = read_utterances(folder, "get-it")
    rows = np.array([3, -1, 0])
    kept = AudioReader(train, folder, "get-it").read(rows)
    monkeypatch.setattr("reference_impls.speech_recognition.reader._KEPT_SAMPLES", 0)
    reader = AudioReader(train, folder, "get-it")
    for one, other in zip(reader.read(rows), kept, strict=True):
        assert (one == other).all()
    (folder / train.paths[3]).unlink()
    with pytest.raises(DataError, match="cannot be read"):
        reader.check()


def test_no_voice_is_heard_in_both_parts() -> None:
    """The utterances to evaluate on are spoken by other voices than those to train on, as a checksum of names says."""
    held_out = {each for each in voices.VARIANTS if voices.is_held_out(each)}
    assert 0.15 < len(held_out) / len(voices.VARIANTS) < 0.35
    for wanted in (True, False):
        planned = plan_utterances(300, 1, held_out=wanted)
        assert planned == plan_utterances(300, 1, held_out=wanted)
        assert {each.spoken.variant in held_out for each in planned} == {wanted}
        assert len({word for each in planned for word in each.spoken.text.split()}) == 20


def test_resampling_keeps_what_the_lower_rate_can_hold() -> None:
    """A low tone stays as it is; a tone above half the lower rate vanishes."""
    times = np.arange(22_050) / 22_050

    def make(frequency: float) -> np.ndarray:
        return (10_000 * np.sin(2 * np.pi * frequency * times)).astype(np.int16)

    low, high = (resample(make(frequency), 22_050, 8_000) for frequency in (500, 5_000))

    assert len(low) == 8_000
    wanted = 10_000 * np.sin(2 * np.pi * 500 * np.arange(8_000) / 8_000)
    np.testing.assert_allclose(low[100:-100], wanted[100:-100], atol=60)
    assert np.abs(high[100:-100]).max() < 100


def test_noise_is_as_loud_as_planned() -> None:
    """The noise has the planned share of the speech's loudness, also before and after it."""
    speech = voices.Spoken("GO", "m1", "en", 175, 50)
    audio = np.tile(np.array([3200, -3200], np.int16), 4000)
    found = add_noise(audio, Planned(speech, 16, 500, 250), 8_000, np.random.default_rng(1))

    assert len(found) == 8_000 + 4_000 + 2_000
    for part in (found[:4_000], found[12_000:], found[4_000:12_000] - audio):
        assert np.sqrt(np.square(part.astype(float)).mean()) == pytest.approx(800, rel=0.05)


def test_synthetic_data_is_the_same_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The download writes LibriSpeech's layout; made twice, the data has one checksum."""
    pytest.importorskip(
        "espeakng_loader", reason="synthetic speech needs espeakng-loader (extra 'reference')"
    )
    facts = [download.prepare_synthetic(tmp_path / name, 12, 6, 8_000) for name in ("one", "other")]

    assert facts[0] == facts[1]
    assert (facts[0]["train_utterances"], facts[0]["test_utterances"]) == (12, 6)
    descriptions = [(tmp_path / name / "prepared.json").read_text() for name in ("one", "other")]
    assert descriptions[0] == descriptions[1]
    assert download.main(["--data", str(tmp_path / "one"), "--verify"]) == 2  # such as an older version made
    assert "holds 12 and 6 utterances where this version makes" in capsys.readouterr().err
    tiny = dataclasses.replace(download.MINI, train_samples=12, eval_samples=6)
    monkeypatch.setattr(download, "MINI", tiny)
    assert download.main(["--data", str(tmp_path / "one"), "--verify"]) == 0
    train, test, _ = read_utterances(tmp_path / "one", "get-it")
    loudest = [
        np.abs(each.astype(int)).max()
        for each in AudioReader(train, tmp_path / "one", "").read(np.arange(12))
    ]
    assert min(loudest) > 1_000
    assert {path.split("/")[1] for path in train.paths}.isdisjoint(path.split("/")[1] for path in test.paths)


def test_missing_espeak_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where espeakng-loader is not installed, the message says how to get it."""
    monkeypatch.setitem(__import__("sys").modules, "espeakng_loader", None)
    with pytest.raises(
        DataError, match=r"eSpeak NG is missing: .*\(pip install 'mlperf-log-toolkit\[reference\]'"
    ):
        voices._load_library()
