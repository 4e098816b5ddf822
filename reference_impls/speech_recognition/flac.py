"""FLAC files: what their header says, and their samples, checked by the checksum in the header."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from reference_impls.harness import DataError

_HEADER_BYTES = 42
_NO_CHECKSUM = bytes(16)


class FlacHeader(NamedTuple):
    """What the first 42 bytes of a FLAC file say (RFC 9639, section 8.2).

    Attributes:
        sample_rate: samples per second.
        channels: number of channels.
        bits: bits per sample.
        samples: number of samples; 0 if the encoder did not know it.
        md5: checksum of the samples; 16 zero bytes if the encoder did not compute it.
    """

    sample_rate: int
    channels: int
    bits: int
    samples: int
    md5: bytes


def read_header(path: Path, command: str) -> FlacHeader:
    """The header of a FLAC file.

    Args:
        path: the file.
        command: the command that gets the data; messages name it.

    Raises:
        DataError: the file cannot be read or is not FLAC.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); get it again with: {command}") from None
    if len(head) < _HEADER_BYTES or head[:4] != b"fLaC" or head[4] & 0x7F:
        raise DataError(f"{path} is damaged: it is not a FLAC file; get it again with: {command}")
    numbers = int.from_bytes(head[18:26], "big")
    return FlacHeader(
        sample_rate=numbers >> 44,
        channels=(numbers >> 41 & 7) + 1,
        bits=(numbers >> 36 & 31) + 1,
        samples=numbers & (1 << 36) - 1,
        md5=head[26:42],
    )


def read_samples(path: Path, samples: int, md5: bytes, command: str) -> np.ndarray:
    """The samples of a FLAC file with one channel of 16 bits: int16 [samples].

    Args:
        path: the file.
        samples: how many it must have.
        md5: the checksum that they must have; 16 zero bytes: it is not known.
        command: the command that gets the data; messages name it.

    Raises:
        DataError: the file is missing or damaged, or is not the one that was prepared.
    """
    try:
        audio, _ = soundfile.read(path, dtype="int16")
    except (RuntimeError, OSError) as error:
        raise DataError(f"{path} cannot be read ({error}); get it again with: {command}") from None
    found = np.ascontiguousarray(audio, "<i2")
    if found.shape != (samples,):
        raise DataError(
            f"{path} is damaged: it has {len(found):,} samples, not {samples:,}; get it again with: {command}"
        )
    if md5 != _NO_CHECKSUM and hashlib.md5(found.tobytes(), usedforsecurity=False).digest() != md5:
        raise DataError(f"{path} is damaged: its checksum differs; get it again with: {command}")
    return found


def write_samples(path: Path, audio: np.ndarray, sample_rate: int) -> None:
    """Write int16 samples of one channel as FLAC."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, sample_rate, format="FLAC", subtype="PCM_16")
