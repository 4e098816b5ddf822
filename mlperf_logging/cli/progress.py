"""A progress bar on the error stream, for when nothing has happened on the terminal for a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, TextIO, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress
    from typing_extensions import Self

PATIENCE_S = 1.0
_LOOK_EVERY_S = 0.2

Result = TypeVar("Result")


def show_progress(
    results: Iterable[Result], total: int, what: str, *, quiet: bool = False
) -> Iterator[Result]:
    """Pass results on, with a progress bar on the error stream if that is a terminal."""
    if quiet or total < 2 or sys.stderr is None or not sys.stderr.isatty():
        yield from results
        return
    with ProgressBar(total, what, sys.stderr) as bar:
        for result in results:
            yield result
            bar.advance()


class ProgressBar:
    """Appears after a second of silence, disappears before anything else is written."""

    def __init__(self, total: int, what: str, stream: TextIO) -> None:
        """Prepare a bar; nothing is shown yet."""
        self._total = total
        self._what = what
        self._stream = stream
        self._done = 0
        self._bar: Progress | None = None
        self._quiet_since = time.monotonic()
        self._lock = Lock()
        self._stop = Event()
        self._watcher = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._watcher.join()
        self.hide()

    def advance(self) -> None:
        """Count one step as done."""
        with self._lock:
            self._done += 1
            if self._bar is not None:
                self._bar.update(self._bar.task_ids[0], completed=self._done)

    def hide(self) -> None:
        """Take the bar off the terminal; it comes back after another second of silence."""
        with self._lock:
            self._quiet_since = time.monotonic()
            if self._bar is not None:
                self._bar.stop()
                self._bar = None

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK_EVERY_S):
            with self._lock:
                if self._bar is None and time.monotonic() - self._quiet_since > PATIENCE_S:
                    self._bar = self._show()

    def _show(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        bar = Progress(*columns, console=Console(file=self._stream), transient=True, refresh_per_second=5)
        bar.add_task(self._what, total=self._total, completed=self._done)
        bar.start()
        return bar
