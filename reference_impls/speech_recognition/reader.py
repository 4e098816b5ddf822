"""The audio of utterances, read from its files or kept in memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from reference_impls.harness import DataFile, check_files
from reference_impls.speech_recognition.flac import read_samples
from reference_impls.speech_recognition.librispeech import Utterances

_READERS = 4
_KEPT_SAMPLES = 100_000_000


class AudioReader:
    """Reads the audio of utterances, after all files have been found; keeps all of it if there is little.

    Args:
        utterances: which.
        folder: the data folder.
        command: the command that gets the data; messages name it.

    Raises:
        DataError: a file is missing, or has another size, or what is kept is damaged.
    """

    def __init__(self, utterances: Utterances, folder: Path, command: str) -> None:
        self.utterances, self.folder, self.command = utterances, folder, command
        self._pool = ThreadPoolExecutor(_READERS)
        self._kept: list[np.ndarray] = []
        files = [
            DataFile(path, size=int(size))
            for path, size in zip(utterances.paths, utterances.sizes, strict=True)
        ]
        check_files(folder, files, command, checksums=False)
        if int(utterances.samples.sum()) <= _KEPT_SAMPLES:
            self._kept = list(self._pool.map(self._read_file, range(len(utterances.paths))))

    def read(self, rows: np.ndarray) -> list[np.ndarray]:
        """The samples of some utterances, int16; none for a row of -1.

        Raises:
            DataError: a file is missing or damaged.
        """
        if self._kept:
            return [self._kept[row] if row >= 0 else np.zeros(0, np.int16) for row in rows]
        return list(self._pool.map(self._read_file, rows.tolist()))

    def check(self) -> None:
        """Read all audio once.

        Raises:
            DataError: a file is missing or damaged.
        """
        for _ in self._pool.map(self._read_file, range(len(self.utterances.paths))):
            pass

    def _read_file(self, row: int) -> np.ndarray:
        if row < 0:
            return np.zeros(0, np.int16)
        known = self.utterances
        path = self.folder / known.paths[row]
        return read_samples(path, int(known.samples[row]), known.md5[row].tobytes(), self.command)
