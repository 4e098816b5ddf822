"""Where log bytes come from."""

from __future__ import annotations

import gzip
import io
import lzma
import sys
from pathlib import Path

import pytest

from mlperf_logging.errors import UnreadableLogError
from mlperf_logging.parsing import read_batches, read_log
from mlperf_logging.parsing.sources import BLOCK_BYTES, CutShort, name_of, read_blocks

zstandard = pytest.importorskip("zstandard")

RECORD = (
    b':::MLLOG {"namespace": "", "time_ms": %d, "key": "seed", "value": %d, "metadata": {"file": "a.py"}}\n'
)
LOG = b"".join(RECORD % (number, number * 7919) for number in range(3000))
COMPRESS = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
}


def read_whole(source: object) -> bytes:
    """All bytes of a source that is not cut short."""
    return b"".join(block for block in read_blocks(source) if isinstance(block, bytes))


def test_path_str_bytes_and_file_give_the_same_bytes(tmp_path: Path) -> None:
    """A path, its text, the bytes themselves and an open file are all read alike."""
    path = tmp_path / "log.txt"
    path.write_bytes(LOG)
    with path.open("rb") as file:
        sources = [path, str(path), LOG, file]
        assert [read_whole(source) == LOG for source in sources] == [True] * 4


def test_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """The path "-" means standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LOG)))
    log = read_log("-")
    assert (log.path, len(log.events)) == ("-", 3000)


def test_empty_source_has_nothing(tmp_path: Path) -> None:
    """An empty file is a log without events, dialect and problems."""
    path = tmp_path / "empty.txt"
    path.touch()
    assert read_log(path) == (str(path), None, [], [])


@pytest.mark.parametrize("name", ["gzip", "xz", "zstd"])
def test_compression_is_recognized_by_the_bytes(name: str, tmp_path: Path) -> None:
    """A compressed file is decompressed whatever its name, and given in blocks of bounded size."""
    path = tmp_path / "log.txt"
    path.write_bytes(COMPRESS[name](LOG))
    blocks = list(read_blocks(path))
    assert b"".join(blocks) == LOG
    assert max(map(len, blocks)) <= 2 * BLOCK_BYTES


@pytest.mark.parametrize("name", ["gzip", "xz", "zstd"])
def test_frames_and_padding_follow_each_other(name: str) -> None:
    """Several compressed frames, with zeros between and behind them, are one file."""
    frame = COMPRESS[name](LOG)
    assert read_whole(frame + bytes(8) + frame + bytes(4)) == LOG + LOG


@pytest.mark.parametrize("name", ["gzip", "xz", "zstd"])
def test_small_input_cannot_fill_memory(name: str) -> None:
    """A few compressed bytes that stand for many come out in blocks of bounded size."""
    sizes = [len(block) for block in read_blocks(COMPRESS[name](bytes(200_000_000)))]
    assert sum(sizes) == 200_000_000
    assert max(sizes) <= 16 << 20


@pytest.mark.parametrize("name", ["gzip", "xz", "zstd"])
def test_data_cut_short_is_read_as_far_as_it_goes(name: str) -> None:
    """Of a compressed file that ends too early the readable part is read, and then an error is reported."""
    packed = COMPRESS[name](LOG)
    packed = packed[: len(packed) * 2 // 3]
    assert isinstance(list(read_blocks(packed))[-1], CutShort)
    log = read_log(packed)
    assert 0 < len(log.events) < 3000
    assert [event.value for event in log.events] == [number * 7919 for number in range(len(log.events))]
    assert (log.problems[-1].label, log.problems[-1].severity) == ("file-cut-short", "error")
    assert name in log.problems[-1].message


@pytest.mark.parametrize("name", ["gzip", "xz", "zstd"])
def test_broken_compression_is_unreadable(name: str) -> None:
    """A file whose compressed bytes are damaged cannot be read, in one sentence that names the file."""
    packed = bytearray(COMPRESS[name](LOG))
    middle = len(packed) // 2
    packed[middle : middle + 8] = b"\xff" * 8
    with pytest.raises(UnreadableLogError, match=rf"^<bytes>: its {name} compression is broken") as caught:
        list(read_blocks(bytes(packed)))
    assert caught.value.path == "<bytes>"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["gzip", "xz", "zstd"])
def test_text_after_compressed_data_is_broken_compression(name: str) -> None:
    """Bytes behind the compressed data that are no such data are damage."""
    with pytest.raises(UnreadableLogError):
        list(read_blocks(COMPRESS[name](LOG) + b"more text than a header has"))


def test_missing_zstd_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the optional library a zstd file is unreadable, and the message says how to change that."""
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(UnreadableLogError, match=r"needs zstandard, .* install .*\[zstd\]"):
        list(read_blocks(COMPRESS["zstd"](LOG)))


@pytest.mark.parametrize("name", ["no such file", "a\0b", ""])
def test_file_that_cannot_be_opened_is_unreadable(name: str, tmp_path: Path) -> None:
    """A missing file, or a name that cannot be one, raises one clear error."""
    path = f"{tmp_path}/{name}"
    with pytest.raises(UnreadableLogError, match="cannot be opened") as caught:
        list(read_batches(path))
    assert caught.value.path == path


def test_file_that_cannot_be_read_is_unreadable() -> None:
    """An error while reading is reported as such."""

    class Failing(io.RawIOBase):
        name = "disk.txt"

        def read(self, size: int = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(UnreadableLogError, match=r"^disk.txt: cannot be read: Input/output error"):
        list(read_batches(Failing()))


def test_slow_source_is_read_to_its_end() -> None:
    """A source that gives a byte at a time, as a pipe may, is read like any other, compressed or not."""

    class Dripping(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self._data = io.BytesIO(data)

        def read(self, size: int = -1) -> bytes:
            return self._data.read(1)

    short = LOG[:2000]
    assert read_whole(Dripping(short)) == short
    assert read_whole(Dripping(gzip.compress(short))) == short


def test_text_file_is_refused() -> None:
    """A file opened in text mode is a mistake of the caller."""
    with pytest.raises(TypeError, match="binary mode"):
        list(read_blocks(io.StringIO("text")))  # type: ignore[arg-type]


def test_names_of_sources(tmp_path: Path) -> None:
    """Messages call a source by its path, or by what it is."""
    assert name_of(tmp_path) == str(tmp_path)
    assert [name_of(b""), name_of("-"), name_of(io.BytesIO())] == ["<bytes>", "-", "<stream>"]
