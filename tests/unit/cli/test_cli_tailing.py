"""Reading a file that grows, is truncated, or is replaced."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from mlperf_logging.cli.tailing import Pace, TailedFile
from mlperf_logging.errors import UnreadableLogError

PACE = Pace(look_every_s=0.005, grace_s=0.05)


@pytest.fixture
def tail(folder: Path):
    """A watched file called log, whose run ends with the word END."""
    file = TailedFile("log", b"END", PACE)
    yield file
    file.close()


def drain(file: TailedFile, on_data: Callable[[bytes], None] = lambda _: None) -> bytes:
    """Read to the next end; `on_data` is called with all that was read so far after each piece."""
    parts: list[bytes] = []
    while data := file.read(1 << 20):
        parts.append(data)
        on_data(b"".join(parts))
    return b"".join(parts)


def test_file_that_is_not_there(tail):
    """A file that is not there yet cannot be begun, and no error says so."""
    assert not tail.begin_again()
    Path("log").write_text("now")
    assert tail.begin_again()


def test_folder_cannot_be_followed(folder):
    """What cannot be opened for another reason is an error."""
    Path("secret").touch()
    loop = Path("loop")
    loop.symlink_to("loop")
    with pytest.raises(UnreadableLogError, match="loop: cannot be opened"):
        TailedFile("loop", b"END", PACE).begin_again()


def test_growing_file_is_read_to_its_end(tail):
    """What is appended while reading is read; after the run's end and a silence the file ends."""
    log = Path("log")
    log.write_bytes(b"one\n")

    def append(read: bytes) -> None:
        if read == b"one\n":
            with log.open("ab") as file:
                file.write(b"two\n")
        elif read.endswith(b"two\n"):
            with log.open("ab") as file:
                file.write(b"END\n")
        elif read.endswith(b"END\n"):
            tail.end_soon()

    assert tail.begin_again()
    assert drain(tail, append) == b"one\ntwo\nEND\n"
    assert tail.has_ended


def test_lines_after_the_end_still_count(tail):
    """What is written right after the run's last event belongs to the log."""
    log = Path("log")
    log.write_bytes(b"END\n")

    def append(read: bytes) -> None:
        tail.end_soon()
        if read == b"END\n":
            with log.open("ab") as file:
                file.write(b"sum\n")

    tail.begin_again()
    assert drain(tail, append) == b"END\nsum\n"


def test_last_line_without_its_line_feed(tail):
    """A log whose last line is the run's end and lacks a line feed ends too."""
    Path("log").write_bytes(b"one\nEND")
    tail.begin_again()
    assert drain(tail) == b"one\nEND"
    assert tail.has_ended


@pytest.mark.parametrize("content", [b"", b"x\n", b"another beginning, longer than the former\n"])
def test_truncated_file_begins_again(tail, content):
    """A file that is emptied, and perhaps written anew beyond its old length, is read from its beginning."""
    log = Path("log")
    former = b"one\ntwo\n"
    log.write_bytes(former)
    tail.begin_again()
    assert drain(tail, lambda read: log.write_bytes(content) if read == former else None) == former
    assert not tail.has_ended
    log.write_bytes(content + b"END")
    assert tail.begin_again()
    assert drain(tail) == content + b"END"


def test_replaced_file_begins_again(tail):
    """When another file takes the name, the old one is read to its end, then the new one."""
    log = Path("log")
    log.write_bytes(b"one\n")
    tail.begin_again()

    def rotate(read: bytes) -> None:
        if read == b"one\n":
            log.rename("log.1")
            with Path("log.1").open("ab") as file:
                file.write(b"late\n")
        elif read == b"one\nlate\n":
            log.write_bytes(b"END\n")

    assert drain(tail, rotate) == b"one\nlate\n"
    assert not tail.has_ended
    tail.begin_again()
    tail.end_soon()
    assert drain(tail) == b"END\n"
    assert tail.has_ended


def test_pipe_ends_with_its_writer(folder):
    """A pipe has ended when its writer is gone, whatever was written."""
    os.mkfifo("log")
    writer = Thread(target=Path("log").write_bytes, args=(b"one\n",))
    writer.start()
    file = TailedFile("log", b"END", PACE)
    file.begin_again()
    assert drain(file) == b"one\n"
    assert file.has_ended
    file.close()
    writer.join()


def test_small_reads_give_the_same_bytes(tail):
    """However little is asked for at a time, the bytes are those of the file."""
    content = bytes(range(256)) * 8 + b"END"
    Path("log").write_bytes(content)
    tail.begin_again()
    parts = []
    while data := tail.read(7):
        parts.append(data)
    assert b"".join(parts) == content


def test_resting_file_is_closed_until_it_changes(tail):
    """A file that rests costs no handle; what is appended to it is read as before."""
    log = Path("log")
    log.write_bytes(b"one\n")
    tail.begin_again()
    assert tail.look(100) == b"one\n"
    before = len(list(Path("/dev/fd").iterdir()))
    tail.rest()
    assert len(list(Path("/dev/fd").iterdir())) == before - 1
    assert tail.look(100) == b""
    with log.open("ab") as file:
        file.write(b"two\n")

    assert tail.look(100) == b"two\n"
    assert tail.look(100) == b""


def test_resting_file_that_is_replaced_or_gone(tail):
    """Another file in the place of a resting one is noticed, and so is that it is gone."""
    log = Path("log")
    log.write_bytes(b"one\n")
    tail.begin_again()
    tail.look(100)
    tail.rest()
    log.rename("log.1")
    assert (tail.look(100), tail.is_gone) == (b"", True)
    log.write_bytes(b"other\n")

    assert tail.look(100) is None
    assert not tail.has_ended
    assert tail.begin_again()
    assert tail.look(100) == b"other\n"


def test_looking_does_not_wait_for_a_pipe(folder):
    """A pipe that gives nothing yet is not waited for; its end is noticed."""
    reading, writing = os.pipe()
    file = TailedFile(f"/dev/fd/{reading}", b"END", PACE)
    assert file.begin_again()
    assert file.look(100) == b""
    os.write(writing, b"one\n")
    assert file.look(100) == b"one\n"
    os.close(writing)

    assert file.look(100) is None
    assert file.has_ended
    file.close()
    os.close(reading)
