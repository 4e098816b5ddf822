"""Where log lines go: handlers of `logging` that take whole lines.

A sink is a `logging.Handler`, so scripts may find it in ``logger.handlers``, remove it, give it a level, a
formatter or filters. As long as nobody does, the logger skips `logging.LogRecord` and hands whole lines to
`write_line`. `StdoutSink` is here, the sinks for files are in `files` and `buffering`.

What every sink promises:

* a line is written whole, with one system call, so that lines of many threads and processes never mix;
* when writing fails (disk full, closed pipe, missing rights) the training continues: the event goes to standard
  error, one warning says so, and one more when writing works again;
* a line that the system wrote only in part is ended, so that no later line is glued to half of another.
"""

from __future__ import annotations

import logging
import os
import sys

from mlperf_logging.mllog import constants
from mlperf_logging.mllog.notices import Diversion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    StreamHandler = logging.StreamHandler[TextIO]
else:
    StreamHandler = logging.StreamHandler

PRINTS = "mllog_prints"
"""Attribute under which a logger remembers whether it is to print to standard output."""


class LineSink(logging.Handler):
    """A handler that takes whole lines."""

    def write_line(self, line: str) -> None:
        """Write a line that lacks its line feed."""
        raise NotImplementedError

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record that came through `logging`."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - logging's own contract for handlers
            self.handleError(record)
        else:
            self.write_line(line)


class StdoutSink(LineSink, StreamHandler):
    """Writes events to standard output: to whatever ``sys.stdout`` is at that moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self, logging.INFO)
        self._own_stream: TextIO | None = None
        self._known: TextIO | None = None
        self._fd = -1
        self._is_torn = False
        self._diversion = Diversion("standard output")

    @property
    def stream(self) -> TextIO:
        """The stream set with ``setStream``, else ``sys.stdout``."""
        return self._own_stream or sys.stdout

    @stream.setter
    def stream(self, stream: TextIO) -> None:
        self._own_stream = stream

    def write_line(self, line: str) -> None:
        """Write a line that lacks its line feed."""
        with self.lock:  # type: ignore[union-attr]
            stream = self._own_stream or sys.stdout
            text = f"\n{line}\n" if self._is_torn else f"{line}\n"
            try:
                if stream is not self._known:
                    self._learn_stream(stream)
                if self._fd >= 0:
                    stream.flush()  # what the script printed before comes first
                    write_stream(self._fd, text.encode("utf-8", "backslashreplace"))
                else:
                    stream.write(text)
                    if hasattr(stream, "flush"):
                        stream.flush()
            except (OSError, ValueError, AttributeError) as error:
                self._is_torn = True  # perhaps; nothing must be glued to the half of a line
                self._diversion.take(line, error)
            else:
                self._is_torn = False
                if self._diversion.active:
                    self._diversion.end()

    def flush(self) -> None:
        """Flush the stream; a stream that cannot be flushed is none of the training's business."""
        try:
            with self.lock:  # type: ignore[union-attr]
                self.stream.flush()
        except (OSError, ValueError, AttributeError):
            pass

    def _learn_stream(self, stream: TextIO) -> None:
        """Find out whether the stream is a plain file object, to be written with one system call per line."""
        import io

        self._known = stream
        self._fd = -1
        if os.name == "posix" and type(stream) is io.TextIOWrapper:
            raw = getattr(stream.buffer, "raw", stream.buffer)  # python -u has no buffer in between
            self._fd = raw.fileno() if type(raw) is io.FileIO else -1


def write_stream(fd: int, data: bytes) -> None:
    """Write all of the data to a pipe, terminal or the like, waiting where it does not block by itself."""
    while data:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:
            import select

            select.select([], [fd], [], 1.0)


def get_default_logger() -> logging.Logger:
    """The logger that prints to standard output: once, and not where that was switched off."""
    logger = logging.getLogger(constants.DEFAULT_LOGGER_NAME)
    logger.propagate = False
    logger.setLevel(logging.INFO)
    if getattr(logger, PRINTS, True):
        set_stdout(logger, True)
    return logger


def set_stdout(logger: logging.Logger, wanted: bool) -> None:
    """Let a logger print to standard output, once, or not at all."""
    printing = [handler for handler in logger.handlers if isinstance(handler, StdoutSink)]
    if wanted and not printing:
        logger.addHandler(StdoutSink())
    for handler in () if wanted else printing:
        logger.removeHandler(handler)
    setattr(logger, PRINTS, wanted)
