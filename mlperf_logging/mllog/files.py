"""The sink that appends to a file, and copes with full disks, moved files and lines that were cut."""

from __future__ import annotations

import errno
import logging
import os
import stat
import time
from os import write
from time import monotonic

from mlperf_logging.mllog.notices import Diversion, print_notice
from mlperf_logging.mllog.sinks import LineSink, write_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FILE_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT
SHORT_WRITES = 3
"""After so many writes that the system cut short, the rest goes to standard error."""
TORN_SECONDS = 0.02
"""A line that has had no end for so long is half of one: its writer is gone."""
LOOK_SECONDS = 1.0
"""How often a file sink looks whether its file was moved away."""


class FileSink(LineSink, logging.FileHandler):
    """Appends events to a file, each with one system call.

    It uses no name that the interpreter takes away before it ends (``open`` is one): events of destructors
    and of generators that are closed last are written too.

    Args:
        filename: the file; it is created, with its folder, where it does not exist.

    Attributes:
        baseFilename: absolute path of the file.
        buffer_seconds: how long events may wait; 0: they are written before the call returns.
    """

    buffer_seconds = 0.0

    def __init__(self, filename: str | os.PathLike[str]) -> None:
        logging.FileHandler.__init__(self, filename, encoding="utf-8", delay=True)
        self.setLevel(logging.INFO)
        self.look_seconds = LOOK_SECONDS
        self._fd = -1
        self._look_at = 0.0
        self._is_regular = True
        self._is_torn = False
        self._diversion = Diversion(self.baseFilename)
        self._write_lock: Any = self.lock
        try:
            self._open_file()
        except OSError as error:
            self._diversion.take("", error)

    def write_line(self, line: str) -> None:
        """Write a line, or several, that lacks its line feed."""
        with self._write_lock:
            lines = data = f"{line}\n".encode("utf-8", "backslashreplace")
            try:
                if monotonic() < self._look_at:  # looked at lately, and without a fault since
                    written = write(self._fd, data)
                else:
                    self._look_at_file()
                    data = b"\n" + lines if self._is_torn else lines
                    written = write(self._fd, data)
                    if self._diversion.active:
                        self._diversion.end()
                if written != len(data):
                    self._finish_short_write(data, written)
                self._is_torn = False
            except _ShortWriteError as short:
                self._divert(short.rest, short.cause)
            except OSError as error:
                self._divert(lines, error)

    def flush(self) -> None:
        """Do nothing: every line is written already."""

    def close(self) -> None:
        """Close the file; a later event opens it again."""
        with self._write_lock:
            self._close_file()
        logging.Handler.close(self)

    def _divert(self, lines: bytes, error: OSError) -> None:
        self._look_at = 0.0
        self._diversion.take(lines.decode("utf-8"), error)

    def _look_at_file(self) -> None:
        """Open the file where it is not open, or where another file, or none, now has its name."""
        self._look_at = monotonic() + self.look_seconds
        if self._fd >= 0 and self._is_regular:
            ours = os.fstat(self._fd)
            try:
                theirs = os.stat(self.baseFilename)
                if (ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino):
                    return
            except FileNotFoundError:
                pass
            self._close_file()
            self._open_file()
            print_notice(
                f"mllog: {self.baseFilename} was moved or removed; events go to a new file of that name"
            )
        elif self._fd < 0:
            self._open_file()

    def _open_file(self) -> None:
        self._look_at = 0.0  # until it is open, every event tries again
        try:
            fd = os.open(self.baseFilename, FILE_FLAGS, 0o666)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self.baseFilename), exist_ok=True)
            fd = os.open(self.baseFilename, FILE_FLAGS, 0o666)
        status = os.fstat(fd)
        self._is_regular = stat.S_ISREG(status.st_mode)
        self._is_torn = self._is_regular and status.st_size > 0 and _ends_in_half_a_line(self.baseFilename)
        self._fd = fd
        if not self._is_torn:
            self._look_at = monotonic() + self.look_seconds

    def _close_file(self) -> None:
        fd, self._fd, self._look_at = self._fd, -1, 0.0
        if fd >= 0:
            os.close(fd)

    def _finish_short_write(self, data: bytes, written: int) -> None:
        """Continue after the system took only part of the data; `_ShortWriteError` carries what it refuses."""
        if not self._is_regular:
            write_stream(self._fd, data[written:])
            return
        error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        for attempts_left in reversed(range(SHORT_WRITES + 1)):
            whole = data.rfind(b"\n", 0, written) + 1
            self._is_torn = whole < written and not self._blank_tail(data[whole:written])
            data = data[whole:]
            if not data:
                return
            if not attempts_left:
                raise _ShortWriteError(data, error)
            line_end = b"\n" if self._is_torn else b""
            try:
                written = max(write(self._fd, line_end + data) - len(line_end), 0)
            except OSError as refusal:
                raise _ShortWriteError(data, refusal) from refusal
            if written == len(data):
                return

    def _blank_tail(self, torn: bytes) -> bool:
        """Overwrite the half of a line that was just appended with blanks and a line feed, if possible.

        The bytes are ours and have their place on the disk: this works on a full disk and harms nobody.
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


def _ends_in_half_a_line(path: str) -> bool:
    """Whether a killed writer left half a line: one that another process is just writing soon has its end.

    A file system shows a write that crosses a page before it is complete, so one look is not enough.
    """
    size, since = -1, 0.0
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:  # not readable: take it as whole
        return False
    try:
        while True:
            end = os.lseek(fd, 0, os.SEEK_END)
            if not end or os.pread(fd, 1, end - 1) == b"\n":
                return False
            if end != size:
                size, since = end, monotonic()
            elif monotonic() - since >= TORN_SECONDS:
                return True
            time.sleep(TORN_SECONDS / 10)
    finally:
        os.close(fd)


class _ShortWriteError(Exception):
    """Carries the lines that could not be written, and why."""

    def __init__(self, rest: bytes, cause: OSError) -> None:
        super().__init__()
        self.rest, self.cause = rest, cause
