"""Archives that must be refused, made here: each a name, a suffix and a function that writes it."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

BAD_NAMES = {
    "absolute": "/tmp/evil.txt",  # noqa: S108 - it must not be written
    "above": "../evil.txt",
    "above-inside": "Lab/../../evil.txt",
    "above-at-end": "Lab/..",
    "above-in-the-middle": "Lab/../evil.txt",
    "dots-and-slashes": ".//..//evil.txt",
    "backslashes": "..\\evil.txt",
    "backslash-inside": "Lab\\evil.txt",
    "drive": "C:evil.txt",
    "drive-and-slash": "C:/evil.txt",
    "network-share": "\\\\host\\share\\evil.txt",
    "newline": "Lab/evil\n.txt",
    "escape": "Lab/\x1b[31mevil.txt",
    "delete": "Lab/evil\x7f.txt",
    "tab": "Lab/e\tvil.txt",
    "bell": "Lab/evil\x07.txt",
    "carriage-return": "Lab/evil\r.txt",
    "only-a-dot": ".",
    "too-long": "Lab/" + "x" * 300,
    "too-long-in-bytes": "Lab/" + "ü" * 200,
    "path-too-long": "/".join(["Lab", *["x" * 200] * 6]),
    "too-deep": "/".join(["d"] * 40),
}
KINDS = {
    "link-inside": (tarfile.SYMTYPE, "other.txt"),
    "link-above": (tarfile.SYMTYPE, "../../etc/passwd"),
    "link-absolute": (tarfile.SYMTYPE, "/etc/passwd"),
    "link-to-folder": (tarfile.SYMTYPE, ".."),
    "hard-link": (tarfile.LNKTYPE, "Lab/other.txt"),
    "hard-link-outside": (tarfile.LNKTYPE, "/etc/passwd"),
    "character-device": (tarfile.CHRTYPE, ""),
    "block-device": (tarfile.BLKTYPE, ""),
    "pipe": (tarfile.FIFOTYPE, ""),
    "sparse": (tarfile.GNUTYPE_SPARSE, ""),
}
ZIP_MODES = {
    "link": stat.S_IFLNK,
    "character-device": stat.S_IFCHR,
    "block-device": stat.S_IFBLK,
    "pipe": stat.S_IFIFO,
    "socket": stat.S_IFSOCK,
}


class HostileArchive(NamedTuple):
    """An archive: what is wrong with it, the end of its name, and what writes it."""

    name: str
    suffix: str
    write: Callable[[Path], None]


def list_hostile_archives() -> list[HostileArchive]:
    """All of them."""
    return [*_list_tars(), *_list_zips(), *_list_broken()]


def _tar(*members: tuple[tarfile.TarInfo, bytes], packed: bool) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for header, content in members:
            archive.addfile(header, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), 1) if packed else raw.getvalue()


def _file(name: str, content: bytes = b"x") -> tuple[tarfile.TarInfo, bytes]:
    header = tarfile.TarInfo(name)
    header.size = len(content)
    return header, content


def _special(kind: bytes, target: str) -> tuple[tarfile.TarInfo, bytes]:
    header = tarfile.TarInfo("Lab/special")
    header.type, header.linkname = kind, target
    return header, b""


def _writes(make: Callable[[], bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(make())

    return write


def _list_tars() -> Iterator[HostileArchive]:
    good = _file("Lab/other.txt")
    for suffix, packed in ((".tar.gz", True), (".tar", False)):
        for title, name in BAD_NAMES.items():
            yield HostileArchive(
                title, suffix, _writes(lambda n=name, p=packed: _tar(good, _file(n), packed=p))
            )
        for title, (kind, target) in KINDS.items():
            member = _special(kind, target)
            yield HostileArchive(title, suffix, _writes(lambda m=member, p=packed: _tar(good, m, packed=p)))
        pairs = {
            "twice": (good, good),
            "twice-by-dots": (good, _file("./Lab//other.txt")),
            "file-then-folder": (_file("Lab"), _file("Lab/other.txt")),
            "folder-then-file": (good, _file("Lab")),
            "link-then-through-it": (_special(tarfile.SYMTYPE, ".."), _file("Lab/special/evil.txt")),
        }
        for title, members in pairs.items():
            yield HostileArchive(title, suffix, _writes(lambda m=members, p=packed: _tar(*m, packed=p)))
    yield HostileArchive("bomb", ".tar.gz", _write_bomb)
    yield HostileArchive("long-header", ".tar.gz", _write_long_header)
    yield HostileArchive(
        "header-of-gigabytes", ".tar.gz", _writes(lambda: gzip.compress(_forge(1 << 40, b"x")))
    )
    yield HostileArchive("file-of-terabytes", ".tar", _writes(lambda: _forge(1 << 40, tarfile.REGTYPE)))
    yield HostileArchive("negative-size", ".tar", _writes(lambda: _forge(-512, tarfile.REGTYPE)))
    yield HostileArchive(
        "unknown-kind", ".tar", _writes(lambda: _forge(0, b"Z", name="Lab/special")[:512] + bytes(1024))
    )
    yield HostileArchive("too-many", ".tar.gz", _write_many)


def _write_bomb(path: Path) -> None:
    """A hundred megabytes of nothing, in a hundred kilobytes."""
    header = tarfile.TarInfo("Lab/zeros")
    header.size = 100 << 20
    with gzip.open(path, "wb", 1) as file:
        file.write(header.tobuf())
        for _ in range(100):
            file.write(bytes(1 << 20))
        file.write(bytes(1024))


def _write_long_header(path: Path) -> None:
    """A name of three megabytes, in a header of its own."""
    header = tarfile.TarInfo("Lab/x")
    header.pax_headers = {"path": "Lab/" + "x" * (3 << 20)}
    path.write_bytes(gzip.compress(header.tobuf(tarfile.PAX_FORMAT) + bytes(1024), 1))


def _write_many(path: Path) -> None:
    """More members than are taken."""
    with gzip.open(path, "wb", 1) as file:
        block = b"".join(tarfile.TarInfo(f"Lab/{number}").tobuf() for number in range(1000))
        for _ in range(51):
            file.write(block.replace(b"Lab/", b"Lab/"))
        file.write(bytes(1024))


def _forge(size: int, kind: bytes, name: str = "Lab/forged") -> bytes:
    """A header that declares any size."""
    header = tarfile.TarInfo(name)
    header.type, header.size = kind, 0
    raw = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    raw[124:136] = (size % (1 << 95)).to_bytes(12, "big")
    raw[124] = 0xFF if size < 0 else 0x80
    if size < 0:
        raw[124:136] = (size + (1 << 96)).to_bytes(12, "big")
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw[:512])
    return bytes(raw) + bytes(1024)


def _zip(path: Path, *members: tuple[zipfile.ZipInfo | str, bytes], method: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        for member, content in members:
            archive.writestr(member, content)


def _list_zips() -> Iterator[HostileArchive]:
    for title, name in BAD_NAMES.items():
        yield HostileArchive(title, ".zip", lambda path, n=name: _zip(path, ("Lab/a", b"x"), (_raw(n), b"x")))
    for title, mode in ZIP_MODES.items():
        yield HostileArchive(
            title, ".zip", lambda path, m=mode: _zip(path, (_special_zip(m), b"/etc/passwd"))
        )
    yield HostileArchive("nul", ".zip", lambda path: _patch(path, "Lab/evilXtxt", b"evilXtxt", b"evil\0txt"))
    yield HostileArchive("twice", ".zip", lambda path: _patch(path, "Lab/b", b"Lab/b", b"Lab/a"))
    yield HostileArchive("file-then-folder", ".zip", lambda path: _zip(path, ("Lab", b"x"), ("Lab/a", b"x")))
    yield HostileArchive(
        "bomb", ".zip", lambda path: _zip(path, ("Lab/zeros", bytes(100 << 20)), method=zipfile.ZIP_DEFLATED)
    )
    for method, title in ((zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "lzma")):
        yield HostileArchive(title, ".zip", lambda path, m=method: _zip(path, ("Lab/a", b"x"), method=m))
    yield HostileArchive("encrypted", ".zip", lambda path: _patch_bytes(path, 8, 6, b"\x01\x00"))
    yield HostileArchive("wrong-checksum", ".zip", lambda path: _patch_bytes(path, 16, 14, b"\0\0\0\0"))
    yield HostileArchive(
        "declares-more", ".zip", lambda path: _patch_bytes(path, 24, 22, struct.pack("<L", 99))
    )
    yield HostileArchive(
        "declares-terabytes", ".zip", lambda path: _patch_bytes(path, 24, 22, b"\xfe\xff\xff\xff")
    )
    yield HostileArchive("overlap", ".zip", _write_overlap)
    yield HostileArchive(
        "directory-of-gigabytes", ".zip", lambda path: _patch_end(path, 12, b"\xfe\xff\xff\xff")
    )
    yield HostileArchive("members-beyond-count", ".zip", lambda path: _patch_end(path, 10, b"\xff\xff"))


def _raw(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo("x")
    member.filename = name
    return member


def _special_zip(mode: int) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo("Lab/special")
    member.create_system, member.external_attr = 3, (mode | 0o644) << 16
    return member


def _patch(path: Path, name: str, before: bytes, after: bytes) -> None:
    _zip(path, ("Lab/a", b"x"), (name, b"x"))
    path.write_bytes(path.read_bytes().replace(before, after))


def _patch_bytes(path: Path, in_directory: int, in_header: int, value: bytes) -> None:
    """Change a field of the only member, in the directory and in the member's own header."""
    _zip(path, ("Lab/a", b"content"))
    content = bytearray(path.read_bytes())
    for place in (content.rindex(b"PK\x01\x02") + in_directory, content.index(b"PK\x03\x04") + in_header):
        content[place : place + len(value)] = value
    path.write_bytes(content)


def _patch_end(path: Path, at: int, value: bytes) -> None:
    _zip(path, ("Lab/a", b"content"))
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\x05\x06") + at
    content[place : place + len(value)] = value
    path.write_bytes(content)


def _write_overlap(path: Path) -> None:
    """Two members of the directory that are one in the file."""
    _zip(path, ("Lab/a", b"x" * 1000), ("Lab/b", b"x" * 1000))
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\x01\x02") + 42
    content[place : place + 4] = struct.pack("<L", 0)
    path.write_bytes(content)


def _list_broken() -> Iterator[HostileArchive]:
    good = _tar(_file("Lab/a", hashlib.shake_128(b"Lab").digest(5000)), packed=True)
    for part in (0, 1, 5, 20, 100, 2500, len(good) - 20):
        yield HostileArchive(f"cut-to-{part}", ".tar.gz", _writes(lambda p=part: good[:p]))
    for place in (30, 700, len(good) - 6):
        flipped = bytes([*good[:place], good[place] ^ 0xFF, *good[place + 1 :]])
        yield HostileArchive(f"flipped-at-{place}", ".tar.gz", _writes(lambda f=flipped: f))
    for suffix in (".tar.gz", ".tgz", ".tar", ".zip"):
        yield HostileArchive("text", suffix, _writes(lambda: b":::MLLOG {}\n" * 200))
        yield HostileArchive("empty", suffix, _writes(lambda: b""))
    yield HostileArchive("age", ".tar.gz", _writes(lambda: b"age-encryption.org/v1\n-> scrypt"))
    yield HostileArchive("openssl", ".tar.gz", _writes(lambda: b"Salted__" + bytes(100)))
    yield HostileArchive("folder", ".tar.gz", lambda path: path.mkdir())
    yield HostileArchive("pipe-as-archive", ".tar.gz", os.mkfifo)
    yield HostileArchive("missing", ".zip", lambda path: None)
    yield HostileArchive(
        "zip-cut", ".zip", lambda path: (_zip(path, ("Lab/a", b"x")), os.truncate(path, 30))[0]
    )
