"""The files of a data set: whether they are there and undamaged."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from reference_impls.harness.errors import DataError

_PIECE_BYTES = 1 << 20


class DataFile(NamedTuple):
    """One file of a data set.

    Attributes:
        name: path below the data folder.
        sha256: checksum in hexadecimal; empty if none is published (then only presence is checked).
        size: bytes; 0 if not known.
        md5: checksum, if only this one is published.
    """

    name: str
    sha256: str = ""
    size: int = 0
    md5: str = ""


def check_files(
    folder: Path, files: Iterable[DataFile], command: str, *, checksums: bool = True
) -> list[Path]:
    """Check that the files are there and undamaged.

    Args:
        folder: the data folder.
        files: which files.
        command: the command that gets them; error messages name it.
        checksums: whether to compare checksums; otherwise only presence and size.

    Returns:
        The files' paths.

    Raises:
        DataError: a file is missing or damaged.
    """
    paths = []
    for file in files:
        path = folder / file.name
        if not path.is_file():
            raise DataError(f"{path} is missing; get it with: {command}")
        size = path.stat().st_size
        if file.size and size != file.size:
            raise DataError(
                f"{path} is damaged: it has {size:,} bytes, not {file.size:,}; get it again with: {command}"
            )
        for name, wanted in (("sha256", file.sha256), ("md5", file.md5)):
            if checksums and wanted and hash_file(path, name) != wanted:
                raise DataError(f"{path} is damaged: its {name} differs; get it again with: {command}")
        paths.append(path)
    return paths


def hash_file(path: Path, algorithm: str = "sha256") -> str:
    """Checksum of a file's contents, in hexadecimal."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def drop_from_cache(folder: Path) -> bool:
    """Drop a folder's files from the page cache.

    Returns:
        Whether that was possible. It needs no more than permission to read the files.
    """
    if not hasattr(os, "posix_fadvise"):
        return False
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return True
