"""Archives of submissions, read as from a stranger: a bounded extraction that writes nothing outside its own folder.

Only regular files and folders are taken out, under names that stay below the folder; what an archive declares is checked
before, and what really comes out while it is written.
"""

from __future__ import annotations

import os
import re
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from os import PathLike, fspath
from pathlib import Path
from typing import IO, Any, NamedTuple

from mlperf_logging.errors import ArchiveError

SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")
"""What the names of archives end in."""

MAX_BYTES = 4 << 30
MAX_MEMBERS = 50_000
MAX_RATIO = 200
"""So many times as long as the archive may be what comes out of it; text of logs comes to a tenth of that."""
MAX_DEPTH, MAX_NAME_BYTES, MAX_PATH_BYTES = 32, 255, 1_024

_FREE_BYTES = 16 << 20
"""What may come out of any archive, however short it is."""
_MAX_HEADER = 1 << 20
_BLOCK = 1 << 18
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:")
_ZIP_END, _ZIP_END_BYTES, _ZIP_COMMENT = b"PK\x05\x06", 22, 1 << 16
_ZIP_HEADER_BYTES = 30
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
_GZIP, _AGE, _OPENSSL = b"\x1f\x8b", b"age-encryption.org/", b"Salted__"
_DAMAGE = (OSError, EOFError, ValueError, LookupError, struct.error, zlib.error)
_DAMAGE_OF_FORM = (tarfile.TarError, zipfile.BadZipFile, NotImplementedError, RuntimeError, OverflowError)


class Limits(NamedTuple):
    """How much may come out of an archive: bytes, members, and bytes for each byte of the archive."""

    total_bytes: int = MAX_BYTES
    members: int = MAX_MEMBERS
    ratio: int = MAX_RATIO


DEFAULT_LIMITS = Limits()


def is_archive(path: str | PathLike[str]) -> bool:
    """Whether a path is a file with the name of an archive."""
    return fspath(path).lower().endswith(SUFFIXES) and os.path.isfile(path)


@contextmanager
def opened_archive(path: str | PathLike[str], limits: Limits = DEFAULT_LIMITS) -> Iterator[Path]:
    """The content of an archive in a folder of its own, which is deleted at the end.

    Args:
        path: a .tar, .tar.gz, .tgz or .zip file.
        limits: how much may come out.

    Yields:
        The folder; nothing else is written.

    Raises:
        ArchiveError: the archive cannot be read, or is not safe; nothing of it is left behind.
    """
    with tempfile.TemporaryDirectory(prefix="mlperf-archive-") as folder:
        extract_archive(path, folder, limits)
        yield Path(folder)


def extract_archive(path: str | PathLike[str], folder: str, limits: Limits = DEFAULT_LIMITS) -> None:
    """Take an archive out into an empty folder.

    Raises:
        ArchiveError: the archive cannot be read, or is not safe; the folder may hold a part of it.
    """
    name = fspath(path)
    try:
        if not stat.S_ISREG(os.stat(name).st_mode):
            raise ArchiveError(f"{name} is not a regular file")
        with open(name, "rb") as file:
            extraction = _Extraction(name, folder, os.fstat(file.fileno()).st_size, limits)
            take_out = _take_out_zip if name.lower().endswith(".zip") else _take_out_tar
            take_out(file, extraction)
    except (*_DAMAGE, *_DAMAGE_OF_FORM) as error:
        raise ArchiveError(f"{name} cannot be read: {_explain(error)}") from None
    except (RecursionError, MemoryError):
        raise ArchiveError(f"{name} cannot be read: its headers are too large") from None


def _explain(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, EOFError):
        return "it ends too early"
    text = " ".join(str(error).split())
    return f"it is damaged ({text[:120]})" if text else "it is damaged"


class _Extraction:
    """Writes members below a folder and keeps count of what has come out."""

    def __init__(self, name: str, folder: str, archive_bytes: int, limits: Limits) -> None:
        self.name = name
        self.most_bytes = min(limits.total_bytes, max(_FREE_BYTES, archive_bytes * limits.ratio))
        self._folder = folder
        self._limits = limits
        self._bytes = 0
        self._members = 0
        self._is_folder: dict[str, bool] = {}

    def refuse(self, why: str) -> ArchiveError:
        """The error that says why the archive is not taken."""
        return ArchiveError(f"{self.name} is refused: {why}")

    def count_members(self, more: int = 1) -> None:
        """Note members, which must not be too many."""
        self._members += more
        if self._members > self._limits.members:
            raise self.refuse(f"it holds more than {self._limits.members:,} files and folders")

    def expect(self, size: int) -> None:
        """Note bytes that are declared to come, which must not be too many."""
        if size < 0:
            raise self.refuse("it declares a file of a negative size")
        self._bytes += size
        if self._bytes > self.most_bytes:
            raise self.refuse(
                f"it would come to more than {self.most_bytes:,} bytes, out of proportion to its own size"
            )

    def place(self, name: str, *, is_folder: bool) -> str | None:
        """The path of a member below the folder, None for the folder itself; notes it and the folders above it."""
        parts = self._split(name)
        if not parts:
            if is_folder:
                return None
            raise self.refuse("it holds a file without a name")
        path = "/".join(parts)
        if not is_folder and self._is_folder.get(path) is False:
            raise self.refuse(f"it holds {_show(path)} twice")
        for depth in range(1, len(parts) + 1):
            above = "/".join(parts[:depth])
            wanted = is_folder or depth < len(parts)
            if self._is_folder.setdefault(above, wanted) != wanted:
                raise self.refuse(f"{_show(above)} is both a file and a folder in it")
        return os.path.join(self._folder, *parts)

    def _split(self, name: str) -> list[str]:
        shown = _show(name)
        if _CONTROL.search(name):
            raise self.refuse(f"the name {shown} holds a control character")
        if name.startswith("/") or "\\" in name or _DRIVE.match(name):
            raise self.refuse(f"the name {shown} leads out of its folder")
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise self.refuse(f"the name {shown} leads out of its folder")
        longest = max([len(os.fsencode(part)) for part in parts], default=0)
        if len(parts) > MAX_DEPTH or longest > MAX_NAME_BYTES or len(os.fsencode(name)) > MAX_PATH_BYTES:
            raise self.refuse(f"the name {shown} is too long or too deep")
        return parts

    def make_folder(self, name: str) -> None:
        """Make the folder of a member."""
        path = self.place(name, is_folder=True)
        if path is not None:
            os.makedirs(path, exist_ok=True)

    def write_file(self, name: str, source: IO[bytes], size: int) -> None:
        """Write the file of a member, which has the size that was declared."""
        path = self.place(name, is_folder=False)
        assert path is not None  # noqa: S101 - a file has a name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        left = size
        with open(path, "xb") as file:
            while block := source.read(min(_BLOCK, left + 1)):
                left -= len(block)
                if left < 0:
                    raise self.refuse(f"{_show(name)} is longer than declared")
                file.write(block)
        if left:
            raise self.refuse(f"{_show(name)} is shorter than declared")


def _show(name: str) -> str:
    shown = name if len(name) <= 60 else f"{name[:40]}…{name[-16:]}"
    return repr(shown)


class _BoundedStream:
    """A stream that a tar file is read from: no more than so many bytes of it, and no header of more than a few."""

    def __init__(self, stream: Any, extraction: _Extraction) -> None:
        self._stream = stream
        self._extraction = extraction
        # every member may have headers of its own, and is padded
        self._most = extraction.most_bytes + (_MAX_HEADER << 6)

    def read(self, size: int) -> bytes:
        """The next bytes."""
        if not 0 <= size <= _MAX_HEADER:
            raise self._extraction.refuse("it holds a header that is too long")
        self._bound(self._stream.tell() + size)
        return bytes(self._stream.read(size))

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, counted from the beginning."""
        self._bound(offset)
        return int(self._stream.seek(offset, whence))

    def tell(self) -> int:
        """The place."""
        return int(self._stream.tell())

    def _bound(self, place: int) -> None:
        if not 0 <= place <= self._most:
            raise self._extraction.refuse(
                f"it would come to more than {self._extraction.most_bytes:,} bytes, out of proportion to its own size"
            )


def _take_out_tar(file: IO[bytes], extraction: _Extraction) -> None:
    import gzip

    head = file.read(len(_AGE))
    file.seek(0)
    if head.startswith((_AGE, _OPENSSL)):
        raise extraction.refuse("it is encrypted; unpack it first")
    with gzip.open(file) if head.startswith(_GZIP) else nullcontext(file) as stream:
        bounded: Any = _BoundedStream(stream, extraction)
        with tarfile.open(fileobj=bounded, mode="r:", errors="surrogateescape") as archive:
            _take_members(archive, extraction)
            while bounded.read(_BLOCK):  # to the end, where the checksum of what was compressed is
                pass


def _take_members(archive: tarfile.TarFile, extraction: _Extraction) -> None:
    for member in archive:
        extraction.count_members()
        _refuse_special(member, extraction)
        if member.isdir():
            extraction.make_folder(member.name)
            continue
        extraction.expect(member.size)
        source = archive.extractfile(member)
        if source is None:
            raise extraction.refuse(f"{_show(member.name)} is not a regular file")
        extraction.write_file(member.name, source, member.size)


def _refuse_special(member: tarfile.TarInfo, extraction: _Extraction) -> None:
    what = ""
    if member.issym() or member.islnk():
        what = "a link"
    elif member.isdev():
        what = "a device or a pipe"
    elif member.issparse() or not (member.isreg() or member.isdir()):
        what = "not a plain file"
    if what:
        raise extraction.refuse(f"{_show(member.name)} is {what}")


def _take_out_zip(file: IO[bytes], extraction: _Extraction) -> None:
    _bound_directory(file, extraction)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        extraction.count_members(len(members))
        for member in members:
            _refuse_special_in_zip(member, extraction)
        _refuse_overlaps(members, extraction)
        for member in members:
            if member.is_dir():
                extraction.make_folder(member.orig_filename)
                continue
            with archive.open(member) as source:
                extraction.write_file(member.orig_filename, source, member.file_size)


def _bound_directory(file: IO[bytes], extraction: _Extraction) -> None:
    """Refuse a directory of too many members before it is read into memory."""
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - _ZIP_COMMENT - _ZIP_END_BYTES))
    tail = file.read()
    at = tail.rfind(_ZIP_END)
    if at >= 0 and len(tail) - at >= _ZIP_END_BYTES:
        count, size = struct.unpack_from("<HL", tail, at + 10)
        extraction.count_members(count)
        extraction.count_members(-count)
        if size > (MAX_PATH_BYTES + 128) * MAX_MEMBERS:
            raise extraction.refuse("its directory is too long")


def _refuse_special_in_zip(member: zipfile.ZipInfo, extraction: _Extraction) -> None:
    mode = member.external_attr >> 16
    kind = stat.S_IFMT(mode) if member.create_system == 3 else 0
    shown = _show(member.filename)
    if kind == stat.S_IFLNK:
        raise extraction.refuse(f"{shown} is a link")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise extraction.refuse(f"{shown} is a device or a pipe")
    if member.flag_bits & _ENCRYPTED:
        raise extraction.refuse(f"{shown} is encrypted; unpack it first")
    if member.compress_type not in _ZIP_METHODS:
        raise extraction.refuse(f"{shown} is compressed in an unusual way")
    extraction.expect(member.file_size)


def _refuse_overlaps(members: list[zipfile.ZipInfo], extraction: _Extraction) -> None:
    """Refuse members that share bytes, as those of an archive that is small and unpacks without end."""
    end = 0
    for member in sorted(members, key=lambda each: each.header_offset):
        if member.header_offset < end:
            raise extraction.refuse(f"{_show(member.filename)} shares bytes with another file in it")
        end = member.header_offset + _ZIP_HEADER_BYTES + len(member.filename) + member.compress_size
