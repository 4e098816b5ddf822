"""A growing file as a stream of bytes that ends when its run has ended, or when the file starts over."""

from __future__ import annotations

import os
import time
from enum import Enum
from pathlib import Path
from select import select
from stat import S_ISREG
from typing import NamedTuple

from mlperf_logging.errors import UnreadableLogError
from mlperf_logging.events import Event

_REMEMBERED_BYTES = 256
_LONGEST_LAST_LINE = 1 << 16


class Pace(NamedTuple):
    """The pause between looks for more, and the silence after a run's end that makes its log whole, in seconds."""

    look_every_s: float = 0.2
    grace_s: float = 1.0


class Beginning(Enum):
    """What a file that starts over holds, by its first event."""

    CONTINUED = "the run goes on in it"
    SAME = "the same run is written once more"
    ANOTHER = "another run"


def compare_beginnings(former: Event | None, first: Event) -> Beginning:
    """What a file that starts over holds, by its first event and that of the file before.

    A log that begins with the key that it began with before is another run, or, where the record is the same, the
    same run written once more.
    """
    if former is None or first.key != former.key:
        return Beginning.CONTINUED
    return Beginning.SAME if first.raw == former.raw else Beginning.ANOTHER


class TailedFile:
    """The bytes of a file, those that are there and those that come; reading waits for more.

    Reading gives no bytes, as at a file's end, when the run has ended and nothing more came, or when
    the file was truncated or another took its name; `begin_again` then reads from the beginning.

    Attributes:
        name: the file as the user named it.
        has_ended: the last end was the run's, not that of a file that starts over.
        is_regular: it can be read again, unlike a pipe.
        is_gone: its name was gone when it was last looked at; what the name stood for is still read.
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
        self.is_gone = False
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
        self._rested = os.fstat(self._handle)
        self.is_regular = S_ISREG(self._rested.st_mode)
        self._offset, self._tail, self._last_line, self.is_gone = 0, b"", b"", False
        self._silent_since = time.monotonic()
        return True

    def end_soon(self) -> None:
        """The run has ended: take the log as whole once it is silent for the pace's grace."""
        self._ends_soon = True

    def expect_more(self) -> None:
        """Another run has begun: wait for its end."""
        self._ends_soon = False

    @property
    def is_over(self) -> bool:
        """Whether the run has ended and the file has been silent since then for the pace's grace."""
        silence_s = time.monotonic() - self._silent_since
        return (self._ends_soon or self._last_key in self._last_line) and silence_s >= self._pace.grace_s

    def close(self) -> None:
        """Close the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def read(self, size: int = -1) -> bytes:
        """Bytes that were not read yet; waits until there are some."""
        wanted = size if size > 0 else _LONGEST_LAST_LINE
        while True:
            data = self.look(wanted, waits=True)
            if data is None:
                return b""
            if data:
                return data
            if self.is_over:
                self.has_ended = True
                return b""
            time.sleep(self._pace.look_every_s)

    def rest(self) -> None:
        """Close the file until it has changed: a process may not have very many open."""
        if self._handle >= 0 and self.is_regular:
            self._rested = os.fstat(self._handle)
            os.close(self._handle)
            self._handle = -1

    def look(self, size: int, *, waits: bool = False) -> bytes | None:
        """Bytes that were not read yet; none where there are no more at the moment.

        Args:
            size: at most so many.
            waits: a pipe may be waited for.

        Returns:
            The bytes, or None at the end of the file: a pipe's writer is gone, or it was truncated or replaced.
        """
        if self._handle < 0:  # it rests
            named = self._find_named()
            if named is None or _is_same(named, self._rested):
                return b""
            if not os.path.samestat(named, self._rested):
                return None
            self._handle = os.open(self.name, os.O_RDONLY)
            os.lseek(self._handle, self._offset, os.SEEK_SET)
        if self._was_rewritten():
            return None
        if not self.is_regular and not waits and not select((self._handle,), (), (), 0)[0]:
            return b""
        data = os.read(self._handle, size)
        if data:
            self._remember(data)
        elif not self.is_regular:  # a pipe: its writer is gone
            self.has_ended = True
            return None
        elif self._was_replaced():
            return None
        return data

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
        named = self._find_named()
        return named is not None and not os.path.samestat(named, os.fstat(self._handle))

    def _find_named(self) -> os.stat_result | None:
        """What has the name now; None where it was moved away, and nothing is in its place yet."""
        try:
            named = Path(self.name).stat()
        except OSError:
            self.is_gone = True
            return None
        self.is_gone = False
        return named


def _is_same(one: os.stat_result, other: os.stat_result) -> bool:
    """Whether a file is the same, and unchanged."""
    same_times = one.st_mtime_ns == other.st_mtime_ns and one.st_size == other.st_size
    return same_times and os.path.samestat(one, other)
