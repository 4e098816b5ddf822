"""Packing a submission: one archive that is the same bytes for the same files, with a manifest of checksums.

The archive holds ``MANIFEST.sha256``, which ``sha256sum --check`` reads, and the submission's folder.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path
from typing import IO, Any, NamedTuple

from mlperf_logging.errors import ArchiveError
from mlperf_logging.submission.archives import MAX_MEMBERS, extract_archive, is_archive, opened_archive

MANIFEST = "MANIFEST.sha256"
PACKED_SUFFIX = ".tar.gz"

_TIME_S = 315_532_800
"""Of every file: 1980-01-01, the earliest that all formats of archives hold."""
_PLAIN, _EXECUTABLE = 0o644, 0o755
_BLOCK = 1 << 18
_LEVEL = 6


class PackedFile(NamedTuple):
    """A file of an archive.

    Attributes:
        name: below the archive's top, with the submitter's folder.
        size: in bytes.
        sha256: checksum of its bytes, in hexadecimal digits.
    """

    name: str
    size: int
    sha256: str


class _FoundFile(NamedTuple):
    name: str
    path: str
    mode: int


def pack_submission(folder: str | PathLike[str], target: IO[bytes]) -> list[PackedFile]:
    """Write a submission's archive; the folder is only read.

    Links to files within the folder go in as the files they lead to.

    Args:
        folder: the submitter's folder.
        target: takes the bytes.

    Returns:
        What went in, by name.

    Raises:
        ArchiveError: the folder holds what no archive should, or changes meanwhile.
    """
    found = _find_files(fspath(folder))
    if not found:
        raise ArchiveError(f"there is no file below {fspath(folder)!r} to pack")
    packed = [_summarize(each) for each in found]
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=target, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        manifest = write_manifest(packed)
        archive.addfile(_describe(MANIFEST, len(manifest), _PLAIN), io.BytesIO(manifest))
        for each, summary in zip(found, packed, strict=True):
            _add_file(archive, each, summary)
    return packed


def unpack_submission(path: str | PathLike[str], folder: str | PathLike[str]) -> tuple[str, list[PackedFile]]:
    """Take a submission out of its archive, after each file was compared with the manifest.

    Args:
        path: the archive, as `pack_submission` wrote it.
        folder: where the submitter's folder is to be.

    Returns:
        The submitter's folder, and its files.

    Raises:
        ArchiveError: the archive is unsafe, damaged, or differs from its manifest, or the folder is there already;
            nothing is left behind then.
    """
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpack-", dir=folder) as draft:
        extract_archive(path, draft)
        packed = verify_manifest(fspath(path), draft)
        names = sorted(name for name in os.listdir(draft) if name != MANIFEST)
        if len(names) != 1:
            raise ArchiveError(f"{fspath(path)} holds {len(names)} folders, not that of one submitter")
        target = os.path.join(folder, names[0])
        if os.path.lexists(target):
            raise ArchiveError(f"{target} already exists; move it, or name another folder")
        shutil.move(os.path.join(draft, names[0]), target)
    return target, packed


@contextmanager
def opened_submission(path: str | PathLike[str]) -> Iterator[tuple[str, str]]:
    """A submission to be read: a folder as it is, or the content of an archive, which is deleted at the end.

    Where an archive holds one folder, it is that one. A manifest in it must be right.

    Yields:
        The folder, and how to show it: as it was given, or below the archive's path.

    Raises:
        ArchiveError: the archive is unsafe or damaged, or differs from its manifest.
    """
    if not is_archive(path):
        yield fspath(path), fspath(path)
        return
    with opened_archive(path) as top:
        if (top / MANIFEST).exists():
            verify_manifest(fspath(path), str(top))
            (top / MANIFEST).unlink()
        inside = list(top.iterdir())
        if len(inside) == 1 and inside[0].is_dir():
            yield str(inside[0]), os.path.join(path, inside[0].name)
        else:
            yield str(top), fspath(path)


def verify_manifest(name: str, folder: str) -> list[PackedFile]:
    """The files of an archive that was taken out, each compared with the manifest.

    Raises:
        ArchiveError: there is no manifest, it is not one, or a file differs from it; `name` is that of the archive.
    """
    path = os.path.join(folder, MANIFEST)
    if not os.path.isfile(path):
        raise ArchiveError(
            f"{name} has no {MANIFEST}; mlperf package pack writes archives that can be verified"
        )
    wanted = read_manifest(name, Path(path).read_bytes())
    there = {each.name: each for each in map(_summarize, _find_files(folder, "")) if each.name != MANIFEST}
    for each in dict.fromkeys([*wanted, *there]):
        if each not in there:
            raise ArchiveError(f"{name} lacks {each!r}, which its manifest lists")
        if each not in wanted:
            raise ArchiveError(f"{name} holds {each!r}, which its manifest does not list")
        if there[each].sha256 != wanted[each]:
            raise ArchiveError(f"{name}: {each!r} is not what the manifest says; its checksum differs")
    return [there[each] for each in sorted(there)]


def write_manifest(files: list[PackedFile]) -> bytes:
    """The manifest of files: a line for each, as ``sha256sum`` writes it."""
    return "".join(f"{each.sha256}  {each.name}\n" for each in files).encode()


def read_manifest(name: str, content: bytes) -> dict[str, str]:
    """Checksums by name of file; `ArchiveError` where it is no manifest."""
    found = {}
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        checksum, gap, file = line.partition("  ")
        if not gap or not file or len(checksum) != 64 or file in found:
            raise ArchiveError(f"{name}: line {number} of its manifest is not a checksum and a file name")
        found[file] = checksum.lower()
    return found


def _find_files(folder: str, top: str | None = None) -> list[_FoundFile]:
    """The files below a folder, by name as the archive has it; that begins with the folder's own, or with `top`."""
    whole = os.path.realpath(folder)
    top = os.path.basename(whole) if top is None else top
    found = []
    for here, folders, names in os.walk(whole):
        links = [name for name in folders if os.path.islink(os.path.join(here, name))]
        if links:
            path = os.path.join(here, links[0])
            raise ArchiveError(f"{path!r} is a link to a folder; put the folder in its place")
        found += [_find_file(os.path.join(here, name), whole, top) for name in names]
        if len(found) > MAX_MEMBERS:
            raise ArchiveError(f"{folder!r} holds more than {MAX_MEMBERS:,} files, too many to pack")
    return sorted(found)


def _find_file(path: str, whole: str, top: str) -> _FoundFile:
    real = os.path.realpath(path)
    if not os.path.isfile(real) or not real.startswith(whole + os.sep):
        raise ArchiveError(f"{path!r} is not a file of the submission; mlperf package says why")
    name = os.path.join(top, os.path.relpath(path, whole)).replace(os.sep, "/")
    if not name.isprintable():
        raise ArchiveError(f"{path!r} has a name that not all systems allow; rename it")
    mode = _EXECUTABLE if os.stat(real).st_mode & stat.S_IXUSR else _PLAIN
    return _FoundFile(name, real, mode)


def _summarize(found: _FoundFile) -> PackedFile:
    with open(found.path, "rb") as file:
        hashing = _HashingFile(file)
        while hashing.read(_BLOCK):
            pass
    return PackedFile(found.name, hashing.count, hashing.digest.hexdigest())


class _HashingFile:
    """Computes the checksum of what is read from a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.count = 0

    def read(self, size: int) -> bytes:
        """The next bytes."""
        block = self._file.read(size)
        self.digest.update(block)
        self.count += len(block)
        return block


def _add_file(archive: tarfile.TarFile, found: _FoundFile, packed: PackedFile) -> None:
    """Add a file that is still what the manifest says."""
    with open(found.path, "rb") as file:
        hashing: Any = _HashingFile(file)
        try:
            archive.addfile(_describe(found.name, packed.size, found.mode), hashing)
        except OSError as error:  # it has become shorter
            raise ArchiveError(f"{found.path!r} cannot be packed: {error}") from None
    if hashing.digest.hexdigest() != packed.sha256:
        raise ArchiveError(
            f"{found.path!r} changed while it was packed; pack again when nothing writes to it"
        )


def _describe(name: str, size: int, mode: int) -> tarfile.TarInfo:
    """The header of a file: only what its bytes and its name say."""
    header = tarfile.TarInfo(name)
    header.size, header.mode, header.mtime = size, mode, _TIME_S
    return header
