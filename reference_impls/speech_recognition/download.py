"""Get and prepare the utterances: ``mlperf train data speech_recognition --scale mini --data DIR``.

mini: digits and commands, spoken by eSpeak NG with noise (synthetic), written in LibriSpeech's layout.
full: LibriSpeech, which must have been downloaded and unpacked below the folder.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from reference_impls.harness.data.downloads import run_script
from reference_impls.harness.data.prepared import read_prepared
from reference_impls.harness.errors import DataError
from reference_impls.speech_recognition import TASK
from reference_impls.speech_recognition.config import FULL, MINI
from reference_impls.speech_recognition.librispeech import (
    EVALUATION_SUBSETS,
    INSTRUCTIONS,
    TRAINING_SUBSETS,
    prepare_subsets,
    read_utterances,
)
from reference_impls.speech_recognition.reader import AudioReader
from reference_impls.speech_recognition.synthetic import EVALUATION_SUBSET, TRAINING_SUBSET, write_utterances


def prepare_synthetic(folder: Path, train: int, test: int, sample_rate: int) -> dict[str, int]:
    """Make the synthetic utterances of the mini scale and list them.

    Args:
        folder: where to.
        train: number of utterances to train on.
        test: number of utterances to evaluate on.
        sample_rate: of the audio.

    Returns:
        Facts: numbers of utterances and of seconds.

    Raises:
        DataError: eSpeak NG is missing, or cannot do it.
    """
    for subset in (TRAINING_SUBSET, EVALUATION_SUBSET):
        shutil.rmtree(folder / subset, ignore_errors=True)
    write_utterances(folder, train, test, sample_rate)
    command = TASK.data_command("mini", folder)
    return prepare_subsets(folder, [TRAINING_SUBSET], [EVALUATION_SUBSET], sample_rate, command, command)


def prepare_librispeech(folder: Path, sample_rate: int) -> dict[str, int]:
    """List the utterances of LibriSpeech from below a folder.

    Args:
        folder: where they are; the list is written into the same folder.
        sample_rate: of the audio.

    Returns:
        Facts: numbers of utterances and of seconds.

    Raises:
        DataError: something is missing or damaged.
    """
    command = TASK.data_command("full", folder)
    return prepare_subsets(folder, TRAINING_SUBSETS, EVALUATION_SUBSETS, sample_rate, command, INSTRUCTIONS)


def _get(options: argparse.Namespace, folder: Path) -> str:
    command = TASK.data_command(options.scale, folder)
    if options.verify:
        _, facts = read_prepared(folder, command)
        for utterances in read_utterances(folder, command)[:2]:
            AudioReader(utterances, folder, command).check()
        counts = facts["train_utterances"], facts["test_utterances"]
        if options.scale == "mini" and counts != (MINI.train_samples, MINI.eval_samples):
            raise DataError(
                f"{folder} holds {counts[0]:,} and {counts[1]:,} utterances where this version makes "
                f"{MINI.train_samples:,} and {MINI.eval_samples:,}; get them with: {command}"
            )
    elif options.scale == "mini":
        facts = prepare_synthetic(folder, MINI.train_samples, MINI.eval_samples, MINI.sample_rate)
    else:
        facts = prepare_librispeech(folder, FULL.sample_rate)
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in facts.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from a command line; return the exit code."""
    return run_script(TASK, "Get and prepare the utterances.", _get, arguments)


if __name__ == "__main__":
    sys.exit(main())
