"""The file sink: whole lines, whatever happens to the disk, the file or the process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlperf_logging.mllog import buffering, files
from mlperf_logging.mllog.buffering import BufferedFileSink
from mlperf_logging.mllog.files import FileSink
from tests.logs import read_records

LIMITED_DISK = """
import resource, sys
from mlperf_logging import mllog
mllog.config(filename="log.txt", stdout=False, buffer_seconds=float(sys.argv[1]))
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
for number in range(20):
    mllog.event("full", number)
mllog.get_mllogger().logger.handlers[0].flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
for number in range(20, 23):
    mllog.event("again", number)
"""


def parse(text: str) -> list[int]:
    """The numbers that whole event lines of `text` carry."""
    return [record["value"] for record in read_records(text)]


def test_events_are_in_the_file_before_the_call_returns(tmp_path: Path, open_file_logger: Any) -> None:
    """Without buffering nothing is kept back."""
    log = open_file_logger(tmp_path / "log.txt")
    for number in range(3):
        log.logger.event("key", number)
        assert [record["value"] for record in log.read()] == list(range(number + 1))


def test_an_existing_file_is_continued(tmp_path: Path, open_file_logger: Any) -> None:
    """Opening a log again adds to it."""
    open_file_logger(tmp_path / "log.txt").logger.event("key", 1)
    log = open_file_logger(tmp_path / "log.txt")
    log.logger.event("key", 2)
    assert [record["value"] for record in log.read()] == [1, 2]


def test_a_torn_last_line_is_not_continued(tmp_path: Path, open_file_logger: Any) -> None:
    """After a line that a killed process left half written, the next event begins a line of its own."""
    path = tmp_path / "log.txt"
    path.write_text(':::MLLOG {"namespace": "", "tim')
    log = open_file_logger(path)
    log.logger.event("key", 1)
    torn, rest = path.read_text().split("\n", 1)
    assert (torn, parse(rest)) == (':::MLLOG {"namespace": "", "tim', [1])


def test_a_line_that_another_writer_is_completing_is_not_torn(
    tmp_path: Path, open_file_logger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file opened in the middle of another process's write gets no empty line between its line and ours."""
    monkeypatch.setattr(files, "TORN_SECONDS", 2.0)  # a busy machine may hold the other writer up
    path = tmp_path / "log.txt"
    path.write_bytes(b"x" * 4096)

    def complete() -> None:
        for part in (b"x" * 4096, b"x\n"):
            time.sleep(0.005)
            with path.open("ab") as file:
                file.write(part)

    other = threading.Thread(target=complete)
    other.start()
    open_file_logger(path).logger.event("key", 1)
    other.join()
    first, *rest = path.read_text().split("\n")
    assert (first, parse(rest[0])) == ("x" * 8193, [1])


def test_missing_folders_are_made(tmp_path: Path, open_file_logger: Any) -> None:
    """A log file in a folder that is not there yet gets its folder."""
    log = open_file_logger(tmp_path / "a" / "b" / "log.txt")
    log.logger.event("key", 1)
    assert len(log.read()) == 1


def test_a_file_that_cannot_be_opened_is_reported_once(
    tmp_path: Path, open_file_logger: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there is no way to write, events go to standard error after one warning, and training continues."""
    (tmp_path / "file").write_text("")
    log = open_file_logger(tmp_path / "file" / "log.txt")
    for number in range(3):
        log.logger.event("key", number)
    err = capsys.readouterr().err
    assert parse(err) == [0, 1, 2]
    assert err.count("mllog: cannot write to") == 1
    assert "Not a directory" in err


def test_a_folder_without_write_permission(tmp_path: Path, run_script: Callable[..., Any]) -> None:
    """A read-only folder costs the file, not the events, and not the run."""
    folder = tmp_path / "read-only"
    folder.mkdir(0o555)
    done = run_script(
        "import os\nfrom mlperf_logging import mllog\n"
        "if os.geteuid() == 0: os.seteuid(65534)\n"
        "mllog.config(filename='read-only/log.txt', stdout=False)\n"
        "mllog.event('key', 1); mllog.event('key', 2)\n"
    )
    assert done.returncode == 0
    assert parse(done.stderr) == [1, 2]
    assert done.stderr.count("Permission denied") == 1


def test_full_device(open_file_logger: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A device that takes nothing gives the system's reason in the one warning."""
    log = open_file_logger(Path("/dev/full"))
    log.logger.event("key", 1)
    log.logger.event("key", 2)
    err = capsys.readouterr().err
    assert parse(err) == [1, 2]
    assert err.count("No space left on device") == 1


@pytest.mark.parametrize("buffer_seconds", ["0", "100"])
def test_a_disk_that_fills_up_and_is_freed(
    tmp_path: Path, run_script: Callable[..., Any], buffer_seconds: str
) -> None:
    """Each event is in the file or on standard error, whole, once; a cut line is blanked, not glued to."""
    done = run_script(LIMITED_DISK, buffer_seconds)
    text = (tmp_path / "log.txt").read_text()
    assert done.returncode == 0, done.stderr
    in_file, on_stderr = parse(text), parse(done.stderr)
    assert sorted(in_file + on_stderr) == list(range(23))
    assert in_file[-3:] == [20, 21, 22]
    assert on_stderr == list(range(len(in_file) - 3, 20))
    assert all(line.startswith(":::MLLOG") or not line.strip() for line in text.splitlines())
    assert done.stderr.count("cannot write to") == 1
    assert f"can be written again; {len(on_stderr)} events were written only to standard error" in done.stderr


def test_a_real_full_disk(tmp_path: Path) -> None:
    """On a small file system that runs full, whole lines stay whole and the rest goes to standard error."""
    disk = tmp_path / "disk"
    disk.mkdir()
    inside = [
        f"mount -t tmpfs -o size=16k none {disk} && cd {disk} && "
        f"{sys.executable} -c 'from mlperf_logging import mllog; "
        f'mllog.config(filename="log.txt", stdout=False); [mllog.event("key", n) for n in range(400)]\''
        f" && cp log.txt {tmp_path}/copy.txt"
    ]
    unshare = shutil.which("unshare")
    if (
        unshare is None
        or subprocess.run([unshare, "-rm", "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no file system can be mounted here")
    done = subprocess.run([unshare, "-rm", "sh", "-c", *inside], capture_output=True, text=True, check=False)
    if "mount" in done.stderr and "permission" in done.stderr.lower():
        pytest.skip("no file system can be mounted here")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "copy.txt").read_text()
    assert 0 < len(parse(text)) < 400
    assert parse(text) + parse(done.stderr) == list(range(400))
    assert all(line.startswith(":::MLLOG") or not line.strip() for line in text.splitlines())
    assert done.stderr.count("No space left on device") == 1


def test_the_half_of_a_line_is_blanked_even_when_another_process_continues(tmp_path: Path) -> None:
    """When another writer appends after our half line, its line stays whole and stands alone."""
    sink = FileSink(tmp_path / "log.txt")
    os.write(sink._fd, b"whole\nhalf of a li")
    with (tmp_path / "log.txt").open("ab") as other:
        other.write(b"theirs\n")
    assert sink._blank_tail(b"half of a li")
    sink.close()
    assert (tmp_path / "log.txt").read_bytes() == b"whole\n" + b" " * 11 + b"\ntheirs\n"


def test_foreign_bytes_are_never_blanked(tmp_path: Path) -> None:
    """Where the end of the file does not hold what was written, nothing is touched."""
    sink = FileSink(tmp_path / "log.txt")
    os.write(sink._fd, b"whole\nsomething else")
    assert not sink._blank_tail(b"half of a li")
    sink.close()
    assert (tmp_path / "log.txt").read_bytes() == b"whole\nsomething else"


@pytest.mark.parametrize("change", ["rename", "remove"])
def test_a_moved_file_is_started_again(
    tmp_path: Path, open_file_logger: Any, capsys: pytest.CaptureFixture[str], change: str
) -> None:
    """After a rotation or removal events go to a new file of the old name; the old one stays as it was."""
    log = open_file_logger(tmp_path / "log.txt")
    log.sink.look_seconds = 0.0
    log.logger.event("key", 1)
    log.sink._look_at = 0.0
    if change == "rename":
        log.path.rename(tmp_path / "log.txt.1")
    else:
        log.path.unlink()
    log.logger.event("key", 2)
    log.logger.event("key", 3)
    assert [record["value"] for record in log.read()] == [2, 3]
    if change == "rename":
        assert parse((tmp_path / "log.txt.1").read_text()) == [1]
    assert capsys.readouterr().err.count("was moved or removed") == 1


def test_a_file_truncated_in_place_is_continued(tmp_path: Path, open_file_logger: Any) -> None:
    """Rotation by copying and truncating leaves no hole of zero bytes."""
    log = open_file_logger(tmp_path / "log.txt")
    log.logger.event("key", 1)
    os.truncate(log.path, 0)
    log.logger.event("key", 2)
    assert parse(log.path.read_bytes().decode()) == [2]
    assert b"\0" not in log.path.read_bytes()


def test_a_moved_file_whose_folder_is_gone(
    tmp_path: Path, open_file_logger: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """When not even a new file can be made, events go to standard error, and to the file once it can."""
    folder = tmp_path / "folder"
    log = open_file_logger(folder / "log.txt")
    log.sink.look_seconds = 0.0
    log.sink._look_at = 0.0
    shutil.rmtree(folder)
    folder.write_text("a file in the way")
    log.logger.event("key", 1)
    folder.unlink()
    log.logger.event("key", 2)
    assert parse(capsys.readouterr().err) == [1]
    assert parse(log.path.read_text()) == [2]


def test_events_after_close_open_the_file_again(tmp_path: Path, open_file_logger: Any) -> None:
    """An event logged after the handlers were closed, as at exit, is still written."""
    for buffer_seconds in (0.0, 100.0):
        log = open_file_logger(tmp_path / f"{buffer_seconds}.txt", buffer_seconds)
        log.logger.event("key", 1)
        log.sink.close()
        log.logger.event("key", 2)
        assert [record["value"] for record in log.read()] == [1, 2]


def test_a_sink_is_an_ordinary_file_handler(tmp_path: Path, open_file_logger: Any) -> None:
    """Level, formatter and filters of the handler work, and plain records go to the file too."""
    import logging

    log = open_file_logger(tmp_path / "log.txt")
    assert isinstance(log.sink, logging.FileHandler)
    assert log.sink.baseFilename == str(tmp_path / "log.txt")
    log.target.warning("plain text of the script: é")
    log.sink.setFormatter(logging.Formatter("0: %(message)s"))
    log.logger.event("key", 1)
    log.sink.setFormatter(None)
    log.sink.addFilter(lambda record: "secret" not in record.getMessage())
    log.logger.event("secret")
    log.sink.setLevel(logging.ERROR)
    log.logger.event("key", 2)
    first, second = log.path.read_text().splitlines()
    assert first == "plain text of the script: é"
    assert second.startswith('0: :::MLLOG {"namespace"')


def test_threads_do_not_mix_lines(tmp_path: Path, open_file_logger: Any) -> None:
    """Many threads on one sink: every line whole and once, buffered or not."""
    for buffer_seconds in (0.0, 0.001):
        log = open_file_logger(tmp_path / f"{buffer_seconds}.txt", buffer_seconds)

        def work(first: int, logger: Any = log.logger) -> None:
            for number in range(first, first + 200):
                logger.event("key", number, metadata={"text": "x" * (number % 97)})

        threads = [threading.Thread(target=work, args=(first,)) for first in range(0, 1600, 200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log.sink.flush()
        assert sorted(record["value"] for record in log.read()) == list(range(1600))


def test_buffered_events_wait_and_keep_their_order(tmp_path: Path, open_file_logger: Any) -> None:
    """Events stay in memory until a flush, and are written in the order logged."""
    log = open_file_logger(tmp_path / "log.txt", 100.0)
    for number in range(5):
        log.logger.event("key", number)
    assert log.read() == []
    log.sink.flush()
    assert [record["value"] for record in log.read()] == list(range(5))


def test_run_stop_flushes(tmp_path: Path, open_file_logger: Any) -> None:
    """The end of a run is in the file at once, with all before it."""
    log = open_file_logger(tmp_path / "log.txt", 100.0)
    log.logger.event("key")
    log.logger.end("run_stop")
    assert [record["key"] for record in log.read()] == ["key", "run_stop"]


def test_a_large_buffer_flushes_by_itself(tmp_path: Path, open_file_logger: Any) -> None:
    """Memory in use is bounded: without any other reason to, what waits is written when it is much."""
    log = open_file_logger(tmp_path / "log.txt", 100.0)
    for number in range(buffering.LINES_AT_ONCE):
        log.logger.event("key", number)
    deadline = time.monotonic() + 60
    while log.path.read_text().count("\n") < buffering.LINES_AT_ONCE and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [record["value"] for record in log.read()] == list(range(buffering.LINES_AT_ONCE))


def test_logging_waits_for_a_writer_that_does_not_keep_up(
    tmp_path: Path, open_file_logger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where more waits than is allowed, the call returns when it is written."""
    monkeypatch.setattr(buffering, "MAX_LINES", 1)
    monkeypatch.setattr(buffering, "LINES_AT_ONCE", 10)
    log = open_file_logger(tmp_path / "log.txt", 100.0)
    for number in range(10):
        log.target.warning("text %d", number)
    assert log.path.read_text().count("text") == 10


def test_the_interval_flushes(tmp_path: Path, open_file_logger: Any) -> None:
    """Events reach the file after the given time without any further event."""
    log = open_file_logger(tmp_path / "log.txt", 0.01)
    log.logger.event("key")
    deadline = time.monotonic() + 60
    while not log.read() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(log.read()) == 1


def test_a_closed_buffered_sink_ends_its_thread(tmp_path: Path) -> None:
    """The thread that writes regularly lives no longer than it is needed."""
    sink = BufferedFileSink(tmp_path / "log.txt", 100.0)
    sink.write_line("line")
    sink.close()
    sink._writer.join(60)
    assert not sink._writer.is_alive()
    assert (tmp_path / "log.txt").read_text() == "line\n"
