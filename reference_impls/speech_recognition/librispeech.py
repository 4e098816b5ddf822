"""Trees in LibriSpeech's layout: ``SUBSET/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NUMBER.flac``.

Each chapter's folder has the transcripts of its utterances in ``SPEAKER-CHAPTER.trans.txt``: a line each, which begins with the
name of the utterance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reference_impls.harness import DataError
from reference_impls.harness.data.prepared import read_prepared, write_prepared
from reference_impls.speech_recognition.alphabet import encode_text
from reference_impls.speech_recognition.flac import read_header

TRAINING_SUBSETS = ("train-clean-100", "train-clean-360", "train-other-500")
EVALUATION_SUBSETS = ("dev-clean", "dev-other")
INSTRUCTIONS = (
    "download train-clean-100, train-clean-360, train-other-500, dev-clean and dev-other (.tar.gz) from openslr.org/12, "
    "unpack them below that folder, and run this again"
)
_BITS = 16


class Utterance(NamedTuple):
    """An utterance of a tree.

    Attributes:
        path: of its audio.
        transcript: what is said, in capital letters.
    """

    path: Path
    transcript: str


class Utterances(NamedTuple):
    """Utterances whose audio stays in its files.

    Attributes:
        paths: of the FLAC files, below the data folder.
        samples: int64 [utterances]: number of samples of each.
        sizes: int64 [utterances]: size of each file, in bytes.
        md5: uint8 [utterances, 16]: checksums of the samples.
        labels: uint8: the characters of all transcripts, concatenated.
        label_ends: int64 [utterances]: where each transcript ends.
    """

    paths: Sequence[str]
    samples: np.ndarray
    sizes: np.ndarray
    md5: np.ndarray
    labels: np.ndarray
    label_ends: np.ndarray

    @property
    def label_lengths(self) -> np.ndarray:
        """Number of characters of each transcript."""
        return np.diff(self.label_ends, prepend=0)

    def find_labels(self, row: int) -> np.ndarray:
        """The characters of one transcript."""
        end = int(self.label_ends[row])
        return self.labels[end - int(self.label_lengths[row]) : end]


def list_utterances(folder: Path, command: str) -> Iterator[Utterance]:
    """The utterances of all chapters below a folder, by name.

    Args:
        folder: of a subset.
        command: the command that prepares the data; messages name it.

    Raises:
        DataError: a transcript is damaged, or there is a transcript without audio or audio without a transcript.
    """
    for list_path in sorted(folder.rglob("*.trans.txt")):
        chapter = list_path.parent
        try:
            lines = list_path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{list_path} is damaged ({error}); get it again, then: {command}") from None
        audio = {path.stem for path in chapter.glob("*.flac")}
        for number, line in enumerate(lines, 1):
            name, _, text = line.strip().partition(" ")
            if not text:
                raise DataError(
                    f"{list_path}:{number}: a name and a transcript are wanted, not {line[:40]!r}; get it again, "
                    f"then: {command}"
                )
            if name not in audio:
                raise DataError(
                    f"{chapter / name}.flac is missing, whose transcript is in {list_path.name}; get it again, then: {command}"
                )
            audio.remove(name)
            yield Utterance(chapter / f"{name}.flac", text)
        if audio:
            raise DataError(
                f"{chapter / min(audio)}.flac has no transcript in {list_path.name}; get it again, then: {command}"
            )


def find_subset(folder: Path, subset: str, advice: str) -> Path:
    """The folder of a subset, anywhere below a folder.

    Raises:
        DataError: there is none.
    """
    found = sorted(path for path in folder.rglob(subset) if path.is_dir())
    if not found:
        raise DataError(f"{folder} holds no folder {subset}; {advice}")
    return found[0]


def prepare_subsets(
    folder: Path,
    training: Iterable[str],
    evaluation: Iterable[str],
    sample_rate: int,
    command: str,
    advice: str,
) -> dict[str, int]:
    """Note down all utterances below a folder; their audio stays where it is.

    Args:
        folder: the data folder; the result is written into it.
        training: names of the subsets to train on.
        evaluation: names of the subsets to evaluate on.
        sample_rate: that all audio must have.
        command: the command that prepares the data; messages name it.
        advice: what to do when a subset is missing.

    Returns:
        Facts: numbers of utterances and of seconds.

    Raises:
        DataError: something is missing or damaged.
    """
    arrays: dict[str, np.ndarray] = {}
    facts = {}
    for part, subsets in (("train", training), ("test", evaluation)):
        found = [
            each
            for subset in subsets
            for each in list_utterances(find_subset(folder, subset, advice), command)
        ]
        if not found:
            raise DataError(f"{folder} holds no utterance of {part}; {advice}")
        headers, labels = [], []
        for path, transcript in found:
            header = read_header(path, command)
            if header[:3] != (sample_rate, 1, _BITS) or not header.samples:
                raise DataError(
                    f"{path} has {header.channels} channels of {header.bits} bits at {header.sample_rate} Hz, not one of "
                    f"{_BITS} bits at {sample_rate} Hz; get it again, then: {command}"
                )
            headers.append(header)
            try:
                labels.append(encode_text(transcript))
            except ValueError as error:
                raise DataError(
                    f"the transcript of {path} has an {error}; get it again, then: {command}"
                ) from None
        names = "\n".join(each.path.relative_to(folder).as_posix() for each in found)
        arrays |= {
            f"{part}_paths": np.frombuffer(names.encode(), np.uint8),
            f"{part}_samples": np.array([header.samples for header in headers], np.int64),
            f"{part}_sizes": np.array([each.path.stat().st_size for each in found], np.int64),
            f"{part}_md5": np.frombuffer(b"".join(header.md5 for header in headers), np.uint8).reshape(
                -1, 16
            ),
            f"{part}_labels": np.concatenate(labels),
            f"{part}_label_ends": np.cumsum([len(each) for each in labels], dtype=np.int64),
        }
        facts[f"{part}_utterances"] = len(found)
        facts[f"{part}_seconds"] = sum(header.samples for header in headers) // sample_rate
    write_prepared(folder, arrays, {**facts, "sample_rate": sample_rate})
    return facts


def read_utterances(folder: Path, command: str) -> tuple[Utterances, Utterances, int]:
    """Read what `prepare_subsets` wrote.

    Args:
        folder: where it is.
        command: the command that prepares it; messages name it.

    Returns:
        Utterances to train on, utterances to evaluate on, and the sample rate.

    Raises:
        DataError: something is missing or damaged, or is the data of another task.
    """
    arrays, facts = read_prepared(folder, command)
    try:
        parts = [
            Utterances(
                arrays[f"{part}_paths"].tobytes().decode().split("\n"),
                *(arrays[f"{part}_{name}"] for name in ("samples", "sizes", "md5", "labels", "label_ends")),
            )
            for part in ("train", "test")
        ]
        return parts[0], parts[1], int(facts["sample_rate"])
    except KeyError as missing:
        raise DataError(
            f"{folder} holds prepared data of another task (there is no {missing}); get this one's with: {command}"
        ) from None
