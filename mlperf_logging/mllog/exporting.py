"""The sink that exports events to TensorBoard, MLflow or W&B while the training goes on.

A call that logs only puts its line aside. A thread reads the lines twice a second, so that neither a slow disk nor a
server that is gone holds up the training; when anything fails, one notice says so and the export ends. The libraries are
loaded by the call that configures the export: forking a process amid an import would leave the child with half of a
module. As in `buffering`, nothing that a signal handler may interrupt holds a lock.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from queue import Empty, SimpleQueue

from mlperf_logging.errors import MLPerfLoggingError, describe_reason
from mlperf_logging.mllog import termination
from mlperf_logging.mllog.formatter import MARKER
from mlperf_logging.mllog.live import read_event
from mlperf_logging.mllog.notices import print_notice
from mlperf_logging.mllog.ranks import find_rank
from mlperf_logging.mllog.sinks import LineSink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType

    from mlperf_logging.exports.live import LiveExport

LOOK_SECONDS = 0.5
"""How often the thread looks for events."""
MAX_LINES = 100_000
"""When so many lines wait, the export has fallen behind for good and ends."""
EXIT_SECONDS = 10.0
"""The end of the process, or of a run in a process that skips its exit, waits for the export at most so long."""


class ExportSink(LineSink):
    """Exports the runs that a process logs, if it is the one of rank 0.

    Args:
        tool: name of the tool, see `mlperf_logging.exports.writers`.
        place: the folder, or the address of a server, that the runs go to.

    Attributes:
        tool: as given.
        place: as given.
    """

    def __init__(self, tool: str, place: str) -> None:
        super().__init__(logging.INFO)
        self.tool, self.place = tool, place
        self._lines: deque[str] = deque()
        self._requests: SimpleQueue[LockType | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"mllog {tool}", daemon=True)
        self._is_off = not _is_first()
        if self._is_off:
            return
        try:
            from mlperf_logging.exports.live import LiveExport
            from mlperf_logging.exports.writers import load_writer

            self._export: LiveExport = LiveExport(load_writer(tool)(place), _is_first)
            self._end_watch = termination.EndWatch(self._stop)
            termination.call_in_children(self._begin_child)
            self._thread.start()
        except Exception as error:  # noqa: BLE001 - a missing library, a folder that cannot be made: none stops a training
            self._give_up(error)

    def write_line(self, line: str) -> None:
        """Take a line that lacks its line feed."""
        if not self._is_off:
            self._lines.append(line)
            if len(self._lines) > MAX_LINES:
                self._give_up(TimeoutError(f"{MAX_LINES:,} events wait"))

    def flush(self) -> None:
        """Wait for the export where the process may end without Python's exit; elsewhere the thread needs no help."""
        if not self._is_off and termination.skips_exit_hooks():
            done = threading.Lock()
            done.acquire()
            self._requests.put(done)
            done.acquire(timeout=EXIT_SECONDS)

    def close(self) -> None:
        """Export what was taken and end."""
        self._stop()
        super().close()

    def _stop(self) -> None:
        if not self._is_off:
            self._is_off = True
            self._end_watch.cancel()
            self._requests.put(None)
            if threading.current_thread() is not self._thread:
                self._thread.join(EXIT_SECONDS)

    def _begin_child(self) -> None:
        """A forked process exports nothing: the thread and the run are its parent's."""
        self._is_off = True

    def _work(self) -> None:
        done, is_last = None, False
        try:
            while not is_last:
                try:
                    done = self._requests.get(timeout=LOOK_SECONDS)
                except Empty:
                    done = None
                is_last = self._is_off
                self._take_lines()
                self._export.flush()
                if done is not None:
                    done.release()
            self._export.close()
        except Exception as error:  # noqa: BLE001 - the tools raise whatever they like
            self._give_up(error)
            if done is not None:
                done.release()

    def _take_lines(self) -> None:
        while self._lines:
            for text in self._lines.popleft().splitlines():
                if text.startswith(MARKER):
                    self._export.take(read_event(text, 1))

    def _give_up(self, error: Exception) -> None:
        self._is_off = True
        is_ours = isinstance(error, MLPerfLoggingError)
        reason = str(error) if is_ours else f"the export to {self.tool} ends: {describe_reason(error)}"
        print_notice(f"mllog: {reason}; the training and its log continue")
        self._lines.clear()


def _is_first() -> bool:
    """Whether this is the process of rank 0; one whose rank is not known (yet) counts as such."""
    return not find_rank()


def set_export(logger: logging.Logger, tool: str, place: str | os.PathLike[str]) -> None:
    """Let a logger export to a place, in place of where it has exported to with this tool; an empty place ends that."""
    name = os.fspath(place)
    if name and "://" not in name:
        name = os.path.abspath(os.path.expanduser(name))
    for sink in [each for each in logger.handlers if isinstance(each, ExportSink) and each.tool == tool]:
        if sink.place == name:
            return
        logger.removeHandler(sink)
        sink.close()
    if name:
        logger.addHandler(ExportSink(tool, name))
