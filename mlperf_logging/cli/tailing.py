"""A growing file as a stream of bytes that ends when its run has ended, or when the file starts over."""

from __future__ import annotations

import os
import time
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from mlperf_logging.errors import UnreadableLogError

_REMEMBERED_BYTES = 256
_LONGEST_LAST_LINE = 1 << 16


class Pace(NamedTuple):
    """The pause between looks for more, and the silence after a run's end that makes its log whole, in seconds."""

    look_every_s: float = 0.2
    grace_s: float = 1.0


class TailedFile:
    """The bytes of a file, those that are there and those that come; reading waits for more.

    Reading gives no bytes, as at a file's end, when the run has ended and nothing more came, or when
    the file was truncated or another took its name; `begin_again` then reads from the beginning.

    Attributes:
        name: the file as the user named it.
        has_ended: the last end was the run's, not that of a file that starts over.
        is_regular: it can be read again, unlike a pipe.
    """

    def __init__(self, path: str, last_key: bytes, pace: Pace) -> None:
        """Wait for nothing yet; `begin_again` opens the file."""
        self.name = path
        self.has_ended = False
        self._last_key = last_key
        self._pace = pace
        self._ends_soon = False
        self._handle = -1
        self.is_regular = True
        self._offset = 0
        self._tail = b""
        self._last_line = b""
        self._silent_since = 0.0

    def begin_again(self) -> bool:
        """Open the file, from its beginning.

        Returns:
            False when there is no such file yet.

        Raises:
            UnreadableLogError: there is one that cannot be opened.
        """
        self.close()
        try:
            self._handle = os.open(self.name, os.O_RDONLY)
        except FileNotFoundError:
            return False
        except OSError as error:
            message = f"{self.name}: cannot be opened: {error.strerror}"
            raise UnreadableLogError(self.name, message) from None
        self.is_regular = S_ISREG(os.fstat(self._handle).st_mode)
        self._offset, self._tail, self._last_line = 0, b"", b""
        self._silent_since = time.monotonic()
        return True

    def end_soon(self) -> None:
        """The run has ended: take the log as whole once it is silent for the pace's grace."""
        self._ends_soon = True

    def expect_more(self) -> None:
        """Another run has begun: wait for its end."""
        self._ends_soon = False

    def close(self) -> None:
        """Close the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def read(self, size: int = -1) -> bytes:
        """Bytes that were not read yet; waits until there are some."""
        wanted = size if size > 0 else _LONGEST_LAST_LINE
        while True:
            if self._was_rewritten():
                return b""
            data = os.read(self._handle, wanted)
            if data:
                self._remember(data)
                return data
            if not self.is_regular:  # a pipe: its writer is gone
                self.has_ended = True
                return b""
            if self._was_replaced():
                return b""
            if self._is_over():
                self.has_ended = True
                return b""
            time.sleep(self._pace.look_every_s)

    def _remember(self, data: bytes) -> None:
        self._offset += len(data)
        self._tail = (self._tail + data)[-_REMEMBERED_BYTES:]
        self._last_line = (self._last_line + data).rpartition(b"\n")[2][-_LONGEST_LAST_LINE:]
        self._silent_since = time.monotonic()

    def _was_rewritten(self) -> bool:
        """Whether what was read last is no longer where it was read."""
        if not self.is_regular or not self._tail:
            return False
        return os.pread(self._handle, len(self._tail), self._offset - len(self._tail)) != self._tail

    def _was_replaced(self) -> bool:
        """Whether another file has the name now."""
        try:
            named = Path(self.name).stat()
        except OSError:  # moved away, and nothing in its place yet
            return False
        return not os.path.samestat(named, os.fstat(self._handle))

    def _is_over(self) -> bool:
        silence_s = time.monotonic() - self._silent_since
        return (self._ends_soon or self._last_key in self._last_line) and silence_s >= self._pace.grace_s
