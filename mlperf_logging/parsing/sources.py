"""Where log bytes come from: a path, standard input, bytes in memory, an open file; plain or compressed."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from stat import S_ISDIR, S_ISREG
from typing import IO, Any, NamedTuple, TypeAlias

from mlperf_logging.errors import UnreadableLogError

Source: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes]

BLOCK_BYTES = 1 << 18

_REUSED_BYTES = 1 << 22

_GZIP = b"\x1f\x8b"
_XZ = b"\xfd7zXZ\x00"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_BITE = 1 << 8
_ZSTD_SKIPPABLE = tuple(bytes((low,)) + b"\x2a\x4d\x18" for low in range(0x50, 0x60))


STANDARD_INPUT = "-"
"""What stands for standard input where a path is expected."""


class CutShort(NamedTuple):
    """Stands at the end of the blocks of a file that ends too early, compressed with "gzip", "xz" or "zstd"."""

    compression: str


def name_of(source: Source) -> str:
    """What a source is called in messages: its path, "-" for standard input, "<bytes>" for bytes."""
    if isinstance(source, bytes):
        return "<bytes>"
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    return str(getattr(source, "name", "<stream>"))


def read_blocks(source: Source) -> Iterator[bytes | CutShort]:
    """Read a source in blocks of at most `BLOCK_BYTES`, decompressed; a `CutShort` ends one that ends too early.

    Raises `UnreadableLogError` where it cannot be opened or read, or its compression is broken.
    """
    reuse_memory()
    name = name_of(source)
    if isinstance(source, bytes):
        yield from _read_stream(io.BytesIO(source), name)
    elif source == STANDARD_INPUT:
        yield from _read_stream(open_standard_input(), name)
    elif isinstance(source, (str, os.PathLike)):
        try:
            file = open(source, "rb", buffering=0)  # noqa: SIM115 - pathlib costs a cold start
        except (OSError, ValueError) as error:
            raise UnreadableLogError(name, f"{name}: cannot be opened: {_reason(error)}") from error
        with file:
            # A buffer of the file's own size costs far less than a large one that is mostly empty.
            yield from _read_stream(file, name, min(BLOCK_BYTES, os.fstat(file.fileno()).st_size + 1))
    else:
        yield from _read_stream(source, name)


@cache
def reuse_memory() -> None:
    """Have the memory of one log serve for the next.

    Where memory comes from glibc, what a log has taken goes back to the system with it, and to get it again costs a tenth
    of the time. That ends, up to twice this size, with the first object of this size that is freed.
    """
    bytes(_REUSED_BYTES)  # its memory is never touched


def open_standard_input() -> IO[bytes]:
    """Standard input as a binary file; `UnreadableLogError` where the process has none."""
    if sys.stdin is None:
        raise UnreadableLogError(
            STANDARD_INPUT, "standard input is closed; name a file, or give the log there"
        )
    return sys.stdin.buffer


def is_special(path: str) -> bool:
    """Whether a path leads to a pipe, a socket or a device, which may have no end and can be read only once."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):  # who opens it says what is wrong with it
        return False
    return not (S_ISREG(mode) or S_ISDIR(mode))


def is_compressed(head: bytes) -> bool:
    """Whether bytes begin as a gzip, xz or zstd file does."""
    return head.startswith((_GZIP, _XZ, _ZSTD, *_ZSTD_SKIPPABLE))


def _read_stream(
    file: IO[bytes] | io.FileIO, name: str, first_bytes: int = BLOCK_BYTES
) -> Iterator[bytes | CutShort]:
    try:
        head = _read_at_least(file, 6, first_bytes)
        if is_compressed(head):
            yield from _decompressed(head, file, name)
            return
        more = first_bytes
        while head:
            yield head
            # A short block is the last one as a rule; a few bytes are enough to be sure of it.
            more = BLOCK_BYTES if len(head) >= more else 1 << 12
            head = b""  # free before the next one is there: the same memory serves again
            head = file.read(more) or b""
    except OSError as error:
        raise UnreadableLogError(name, f"{name}: cannot be read: {_reason(error)}") from error


def _read_at_least(file: IO[bytes] | io.FileIO, count: int, first_bytes: int) -> bytes:
    """Read a first block that holds at least `count` bytes, unless the file is shorter."""
    head = file.read(first_bytes) or b""
    if not isinstance(head, bytes):
        raise TypeError("a log is read from a file opened in binary mode")
    while head and len(head) < count:
        more = file.read(BLOCK_BYTES)
        if not more:
            break
        head += more
    return head


def _decompressed(head: bytes, file: IO[bytes] | io.FileIO, name: str) -> Iterator[bytes | CutShort]:
    """Decompress frame after frame; whatever can be read is yielded before the end is judged."""
    if head.startswith(_GZIP):
        compression, broken, new_frame, feed = _open_gzip()
    elif head.startswith(_XZ):
        compression, broken, new_frame, feed = _open_xz()
    else:
        compression, broken, new_frame, feed = _open_zstd(name)
    frame = new_frame()
    rest, block, inside = head, b"", True
    while True:
        if not rest and len(block) < BLOCK_BYTES:  # a full block may have more behind it without new input
            rest = file.read(BLOCK_BYTES) or b""
            if not rest:
                break
        if not inside:
            block = b""
            rest = rest.lstrip(b"\x00")  # padding between and after frames is legal
            if not rest:
                continue
            frame, inside = new_frame(), True
        try:
            block, rest = feed(frame, rest)
        except broken as error:
            raise UnreadableLogError(
                name, f"{name}: its {compression} compression is broken: {error}"
            ) from error
        inside = not frame.eof
        if block:
            yield block
    if inside:
        yield CutShort(compression)


_Compression: TypeAlias = (
    "tuple[str, type[Exception], Callable[[], Any], Callable[[Any, bytes], tuple[bytes, bytes]]]"
)
"""A compression's name, its error, what begins a frame, and what feeds bytes to a frame.

Feeding gives a bounded block and the bytes that the frame did not take; ``eof`` says whether the frame has ended.
"""


def _open_gzip() -> _Compression:
    import zlib

    def feed(frame: Any, data: bytes) -> tuple[bytes, bytes]:
        block = frame.decompress(data, BLOCK_BYTES)
        return block, frame.unused_data or frame.unconsumed_tail

    return "gzip", zlib.error, lambda: zlib.decompressobj(wbits=31), feed


def _open_xz() -> _Compression:
    import lzma

    def feed(frame: Any, data: bytes) -> tuple[bytes, bytes]:
        return frame.decompress(data, BLOCK_BYTES), frame.unused_data

    return "xz", lzma.LZMAError, lzma.LZMADecompressor, feed


def _open_zstd(name: str) -> _Compression:
    try:
        import zstandard
    except ImportError as error:
        from mlperf_logging.installation import explain_missing

        message = explain_missing("reading a log compressed with zstd", ["zstandard"], "zstd")
        raise UnreadableLogError(name, f"{name}: {message}") from error

    def feed(frame: Any, data: bytes) -> tuple[bytes, bytes]:
        # zstd gives all output of what it is fed: small bites bound the memory that a few bytes can fill
        blocks, size, taken = [], 0, 0
        while taken < len(data) and size < BLOCK_BYTES and not frame.eof:
            blocks.append(frame.decompress(data[taken : taken + _ZSTD_BITE]))
            taken += _ZSTD_BITE
            size += len(blocks[-1])
        return b"".join(blocks), frame.unused_data + data[taken:]

    return "zstd", zstandard.ZstdError, lambda: zstandard.ZstdDecompressor().decompressobj(), feed


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
