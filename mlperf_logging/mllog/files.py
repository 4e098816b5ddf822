"""The sink that appends to a file, and copes with full disks, moved files and lines that were cut."""

from __future__ import annotations

import errno
import logging
import os
import stat
import threading
import time

from mlperf_logging.mllog import termination
from mlperf_logging.mllog.notices import Diversion, print_notice
from mlperf_logging.mllog.streams import write_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

FILE_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT
BUFFERED_LINES = 512
"""A buffered file is written at the latest in the millisecond after this many events wait."""
SHORT_WRITES = 3
"""After so many writes that the system cut short, the rest goes to standard error."""
TORN_SECONDS = 0.02
"""A line that has had no end for so long is half of one: its writer is gone."""
LOOK_SECONDS = 1.0
"""How often a file sink looks whether its file was moved away."""


class FileSink(logging.FileHandler):
    """Appends events to a file, each with one system call, or collected for a while.

    Args:
        filename: the file; it is created, with its folder, where it does not exist.
        buffer_seconds: 0 writes every event before the call returns; more collects events for at most so
            many seconds, and writes on ``run_stop``, at the end of an interval, at exit and on SIGTERM.

    Attributes:
        baseFilename: absolute path of the file.
    """

    def __init__(self, filename: str | os.PathLike[str], *, buffer_seconds: float = 0.0) -> None:
        super().__init__(filename, encoding="utf-8", delay=True)
        self.setLevel(logging.INFO)
        self.look_seconds = LOOK_SECONDS
        self.buffer_seconds = buffer_seconds
        self._fd = -1
        self._retired_fd = -1
        self._look_at = 0.0
        self._is_regular = True
        self._is_torn = False
        self._diversion = Diversion(self.baseFilename)
        self._pending: list[str] = []
        self._writer: _Writer | None = None
        self.write_line: Callable[[str], None] = self._write_now
        if buffer_seconds > 0:
            self.write_line = self._start_collecting
            termination.watch_flush(self)
        with self.lock:  # type: ignore[union-attr]
            try:
                self._open_file()
            except OSError as error:
                self._diversion.take("", error)

    # -- writing

    def _write_now(self, line: str) -> None:
        """Write whole lines; the last ends with a line feed."""
        with self.lock:  # type: ignore[union-attr]
            data = line.encode("utf-8", "backslashreplace")
            try:
                if time.monotonic() >= self._look_at:
                    self._look_at_file()
                if self._is_torn:
                    data = b"\n" + data
                written = os.write(self._fd, data)
                if written != len(data):
                    self._finish_short_write(data, written)
            except _ShortWriteError as short:
                self._diversion.take(short.rest.decode("utf-8"), short.cause)
            except OSError as error:
                self._diversion.take(line, error)
            else:
                self._is_torn = False
                if self._diversion.active:
                    self._diversion.end()

    def _start_collecting(self, line: str) -> None:
        """Keep the first line, and from now on all, for a thread that writes them regularly.

        What keeps them is the list's own method: a function around it would make an event dearer by 3 %. The
        list does not bound itself, so whoever calls `write_line` calls `tend` at least once a millisecond.
        """
        self._pending.append(line)
        with self.lock:  # type: ignore[union-attr]
            if self._writer is None:
                self._writer = _Writer(self, self.buffer_seconds)
                try:
                    self._writer.start()
                except RuntimeError:  # the interpreter is shutting down
                    self._write_from_now_on()
                    return
            self.write_line = self._pending.append

    def tend(self) -> None:
        """Write what was collected if it has become much."""
        if len(self._pending) >= BUFFERED_LINES:
            self.flush()

    def _write_from_now_on(self) -> None:
        """Collect no longer."""
        self._writer = None
        self.write_line = self._write_now
        self.flush()

    def flush(self) -> None:
        """Write what was collected."""
        with termination.held_back(), self.lock:  # type: ignore[union-attr]
            count = len(self._pending)
            if count:
                lines = "".join(self._pending[:count])
                del self._pending[:count]
                self._write_now(lines)

    def forget_pending(self) -> None:
        """Drop what was collected: in a forked child it is the parent's to write."""
        self._pending.clear()
        if self._writer is not None:  # threads stay in the parent
            self._writer = None
            self.write_line = self._start_collecting

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record that came through `logging`."""
        try:
            line = self.format(record) + self.terminator
        except Exception:  # noqa: BLE001 - logging's own contract for handlers
            self.handleError(record)
        else:
            self.write_line(line)
            self.tend()

    def close(self) -> None:
        """Write what was collected and close the file; a later event opens it again."""
        with self.lock:  # type: ignore[union-attr]
            if self._writer is not None:
                self._writer.stop()
            self._write_from_now_on()
            for fd in (self._fd, self._retired_fd):
                if fd >= 0:
                    os.close(fd)
            self._fd = self._retired_fd = -1
            self._look_at = 0.0
        logging.Handler.close(self)

    # -- the file and its troubles

    def _look_at_file(self) -> None:
        """Open the file where it is not open, or where another file, or none, now has its name."""
        self._look_at = time.monotonic() + self.look_seconds
        if self._fd < 0:
            self._open_file()
            return
        if not self._is_regular:
            return
        ours = os.fstat(self._fd)
        try:
            theirs = os.stat(self.baseFilename)
            if (ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino):
                return
        except FileNotFoundError:
            pass
        # The number of the old file stays reserved until a new file takes it over.
        self._retired_fd, self._fd = self._fd, -1
        self._open_file()
        print_notice(f"mllog: {self.baseFilename} was moved or removed; events go to a new file of that name")

    def _open_file(self) -> None:
        try:
            fd = os.open(self.baseFilename, FILE_FLAGS, 0o666)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self.baseFilename), exist_ok=True)
            fd = os.open(self.baseFilename, FILE_FLAGS, 0o666)
        status = os.fstat(fd)
        self._is_regular = stat.S_ISREG(status.st_mode)
        self._is_torn = self._is_regular and status.st_size > 0 and self._ends_in_half_a_line()
        if self._retired_fd >= 0:
            os.dup2(fd, self._retired_fd, inheritable=False)
            os.close(fd)
            fd, self._retired_fd = self._retired_fd, -1
        self._fd = fd
        self._look_at = time.monotonic() + self.look_seconds

    def _ends_in_half_a_line(self) -> bool:
        """Whether a killed writer left half a line: one that another process is just writing soon has its end.

        A file system shows a write that crosses a page before it is complete, so one look is not enough.
        """
        size, since = -1, 0.0
        try:
            with open(self.baseFilename, "rb") as file:
                while True:
                    end = file.seek(0, os.SEEK_END)
                    file.seek(end - 1)
                    if file.read(1) == b"\n":
                        return False
                    if end != size:
                        size, since = end, time.monotonic()
                    elif time.monotonic() - since >= TORN_SECONDS:
                        return True
                    time.sleep(TORN_SECONDS / 10)
        except OSError:  # not readable, or just emptied: take it as whole
            return False

    def _finish_short_write(self, data: bytes, written: int) -> None:
        """Go on after the system took only part of the data.

        Raises:
            _ShortWriteError: some lines could not be written.
        """
        if not self._is_regular:
            write_stream(self._fd, data[written:])
            return
        error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        attempts = SHORT_WRITES
        while True:
            whole = data.rfind(b"\n", 0, written) + 1
            self._is_torn = whole < written and not self._blank_tail(data[whole:written])
            data = data[whole:]
            if not data:
                return
            if not attempts:
                raise _ShortWriteError(data, error)
            attempts -= 1
            mend = b"\n" if self._is_torn else b""
            try:
                written = max(os.write(self._fd, mend + data) - len(mend), 0)
            except OSError as refusal:
                raise _ShortWriteError(data, refusal) from refusal
            if written == len(data):
                return

    def _blank_tail(self, torn: bytes) -> bool:
        """Overwrite the half of a line that was just appended with blanks and a line feed.

        The bytes are ours and have their place on the disk: this works on a full disk and harms nobody.

        Returns:
            Whether it could be done.
        """
        end = os.lseek(self._fd, 0, os.SEEK_CUR)
        try:
            fd = os.open(self.baseFilename, os.O_RDWR)
        except OSError:
            return False
        try:
            if os.pread(fd, len(torn), end - len(torn)) != torn:
                return False  # another file, or a forked process wrote meanwhile
            blank = b" " * (len(torn) - 1) + b"\n"
            return os.pwrite(fd, blank, end - len(torn)) == len(blank)
        except OSError:
            return False
        finally:
            os.close(fd)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.baseFilename}>"


class _Writer(threading.Thread):
    """Flushes a sink at regular intervals until the sink is closed."""

    def __init__(self, sink: FileSink, seconds: float) -> None:
        super().__init__(name="mllog writer", daemon=True)
        self._sink = sink
        self._seconds = seconds
        self._stopped = threading.Event()

    def run(self) -> None:
        """Flush until told to stop."""
        while not self._stopped.wait(self._seconds):
            self._sink.flush()

    def stop(self) -> None:
        """Let the thread end soon."""
        self._stopped.set()


class _ShortWriteError(Exception):
    """Carries the lines that could not be written, and why."""

    def __init__(self, rest: bytes, cause: OSError) -> None:
        super().__init__()
        self.rest = rest
        self.cause = cause
