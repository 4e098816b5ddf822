"""The sink that writes to standard output."""

from __future__ import annotations

import logging
import os
import sys

from mlperf_logging.mllog.notices import Diversion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    StreamHandler = logging.StreamHandler[TextIO]
else:
    StreamHandler = logging.StreamHandler


def write_stream(fd: int, data: bytes) -> None:
    """Write all of the data to a pipe, terminal or the like, waiting where it does not block by itself."""
    while data:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:
            import select

            select.select([], [fd], [], 1.0)


class StdoutSink(StreamHandler):
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
        """Write a line that ends with a line feed."""
        with self.lock:  # type: ignore[union-attr]
            stream = self._own_stream or sys.stdout
            try:
                if stream is not self._known:
                    self._learn_stream(stream)
                text = "\n" + line if self._is_torn else line
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

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record that came through `logging`."""
        try:
            line = self.format(record) + self.terminator
        except Exception:  # noqa: BLE001 - logging's own contract for handlers
            self.handleError(record)
        else:
            self.write_line(line)

    def flush(self) -> None:
        """Flush the stream; a stream that cannot be flushed is none of the training's business."""
        try:
            with self.lock:  # type: ignore[union-attr]
                self.stream.flush()
        except (OSError, ValueError, AttributeError):
            pass

    def _learn_stream(self, stream: TextIO) -> None:
        """Find out whether the stream is a plain file object, to be written with one system call a line."""
        import io

        self._known = stream
        self._fd = -1
        if os.name == "posix" and type(stream) is io.TextIOWrapper:
            raw = getattr(stream.buffer, "raw", stream.buffer)  # python -u has no buffer in between
            self._fd = raw.fileno() if type(raw) is io.FileIO else -1
