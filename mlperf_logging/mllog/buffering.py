"""The sink that collects events for a file.

Only one thread writes what was collected, and it is never the main thread. Python runs signal handlers in the
main thread alone, so none of them can cut a write in two, see it half done, or end it by an exception: an
event that was taken into the list is in the file, once. What a process has collected goes with it only where
it leaves without Python's own exit: SIGKILL, `os._exit`, `os.exec`. Forked processes and the children of
`multiprocessing` leave like that all the time, so they write at once, as `FileSink` does.
"""

from __future__ import annotations

import os
import threading
from queue import Empty, SimpleQueue

from mlperf_logging.mllog import termination
from mlperf_logging.mllog.files import FileSink
from mlperf_logging.mllog.notices import print_notice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType

LINES_AT_ONCE = 1024
"""When so many lines wait, the writer is woken."""
MAX_LINES = 64 * LINES_AT_ONCE
"""When so many lines wait, logging waits for the writer."""
FLUSH_SECONDS = 60.0
"""Waiting for the writer ends after so long: a disk that hangs must not hang the training forever."""
MAX_SECONDS = 86_400.0


class BufferedFileSink(FileSink):
    """Collects events for a while; writes at ``run_stop``, at regular intervals, at exit and on SIGTERM.

    Args:
        filename: the file; it is created, with its folder, where it does not exist.
        buffer_seconds: how long an event waits at most.
    """

    def __init__(self, filename: str | os.PathLike[str], buffer_seconds: float) -> None:
        super().__init__(filename)
        self.buffer_seconds = buffer_seconds
        self._pending: list[str] = []
        self._requests: SimpleQueue[LockType | None] = SimpleQueue()
        self._write_lock = threading.RLock()
        self._writer = threading.Thread(target=self._write_regularly, name="mllog writer", daemon=True)
        self._writes_at_once = termination.skips_exit_hooks()
        if not self._writes_at_once:
            try:
                self._writer.start()
            except RuntimeError:  # the interpreter is shutting down
                self._writes_at_once = True
            else:
                self._end_watch = termination.EndWatch(self._stop_collecting)
                termination.call_in_children(self._begin_child)

    def write_line(self, line: str) -> None:
        """Take a line that lacks its line feed."""
        if self._writes_at_once:
            super().write_line(line)
            return
        pending = self._pending
        pending.append(line)
        if self._writes_at_once:  # only just: nobody else may look at the list again
            self._write_pending()
        elif not len(pending) % LINES_AT_ONCE:
            self.flush(waits=len(pending) >= MAX_LINES)

    def flush(self, *, waits: bool = True) -> None:
        """Have everything written that was collected; ``waits``: return only when it is done."""
        if self._writes_at_once:
            self._write_pending()
        elif not waits:
            self._requests.put(None)
        elif threading.current_thread() is not self._writer:
            done = threading.Lock()
            done.acquire()
            self._requests.put(done)
            done.acquire(timeout=FLUSH_SECONDS)

    def close(self) -> None:
        """Write what was collected and close the file; later events are written at once."""
        self._stop_collecting()
        super().close()

    def _stop_collecting(self) -> None:
        if not self._writes_at_once:
            self.flush()
            self._writes_at_once = True
            self._end_watch.cancel()
            self._requests.put(None)
            if threading.current_thread() is not self._writer:
                self._writer.join(FLUSH_SECONDS)  # a thread that the interpreter's end stops keeps its locks
        self._write_pending()

    def _begin_child(self) -> None:
        """Write at once after a fork; what waits is the parent's to write."""
        self._pending.clear()
        self._write_lock = threading.RLock()
        self._writes_at_once = True

    def _write_regularly(self) -> None:
        while not self._writes_at_once:
            try:
                done = self._requests.get(timeout=min(self.buffer_seconds, MAX_SECONDS))
            except Empty:
                done = None
            try:
                self._write_pending()
            except Exception as error:  # noqa: BLE001 - the lines wait for the next time
                print_notice(f"mllog: {self.baseFilename}: {error!r}")
            if done is not None:
                done.release()

    def _write_pending(self) -> None:
        with self._write_lock:
            while count := len(self._pending):
                super().write_line("\n".join(self._pending[:count]))
                del self._pending[:count]
