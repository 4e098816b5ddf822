"""The end of a process: what must still be written when it exits, is told to stop, or was forked.

Signal handlers, exit hooks and fork hooks belong to the process, so this module keeps the one piece of state
that they need. SIGTERM (schedulers send it before a time limit) and SIGHUP are watched only from the moment
on that something depends on them, and the handlers that stood there before are called afterwards.
"""

from __future__ import annotations

import os
import sys
import threading

from mlperf_logging.mllog.notices import print_notice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from mlperf_logging.mllog.files import FileSink

WATCHED_SIGNALS = ("SIGTERM", "SIGHUP")


class TerminationWatch:
    """Runs callbacks before the process dies of a watched signal, then what would have happened anyway."""

    def __init__(self) -> None:
        self._callbacks: list[tuple[int, Callable[[], object]]] = []
        self._previous: dict[int, Any] = {}
        self._holds = 0
        self._waiting: int | None = None
        self._main_thread = threading.main_thread().ident

    def add(self, callback: Callable[[], object]) -> None:
        """Call this before the process that added it ends by a signal; the newest is called first."""
        self._callbacks.append((os.getpid(), callback))
        if not self._previous and threading.get_ident() == self._main_thread:
            self._install()

    def remove(self, callback: Callable[[], object]) -> None:
        """Forget a callback."""
        self._callbacks = [entry for entry in self._callbacks if entry[1] != callback]

    def hold(self) -> None:
        """Put signals off until `release`, in the main thread (only there do they interrupt Python code)."""
        if threading.get_ident() == self._main_thread:
            self._holds += 1

    def release(self) -> None:
        """End a `hold`; a signal that came meanwhile takes effect now."""
        if threading.get_ident() == self._main_thread:
            self._holds -= 1
            if self._waiting is not None and not self._holds:
                signum, self._waiting = self._waiting, None
                self._terminate(signum, None)

    def _install(self) -> None:
        import signal

        for name in WATCHED_SIGNALS:
            number = getattr(signal, name, None)
            # None: a handler that only C code knows and that could not be called afterwards.
            if number is not None and signal.getsignal(number) not in (None, signal.SIG_IGN):
                self._previous[number] = signal.signal(number, self._receive)

    def _receive(self, signum: int, frame: FrameType | None) -> None:
        if self._holds:
            self._waiting = signum
        else:
            self._terminate(signum, frame)

    def _terminate(self, signum: int, frame: FrameType | None) -> None:
        pid = os.getpid()
        for owner, callback in reversed(self._callbacks):
            if owner == pid:  # a forked worker that is told to stop must not speak for its parent
                try:
                    callback()
                except Exception as error:  # noqa: BLE001 - the signal must still take effect
                    print_notice(f"mllog: at the end of the process: {error}")
        previous = self._previous.get(signum)
        if callable(previous):
            previous(signum, frame)
        else:
            import signal

            signal.signal(signum, signal.SIG_DFL)
            os.kill(pid, signum)


_watch = TerminationWatch()


class held_back:  # noqa: N801 - read as a phrase: with held_back(): …
    """Context in which watched signals wait: a flush that has begun is not cut in two."""

    def __enter__(self) -> None:
        _watch.hold()

    def __exit__(self, *_: object) -> None:
        _watch.release()


def watch_end(callback: Callable[[], object]) -> Callable[[], None]:
    """Call something when this process exits or is told to stop; not in its forked children.

    Args:
        callback: called without arguments, at most once for each reason.

    Returns:
        A function that calls the watch off.
    """
    import atexit

    owner = os.getpid()

    def call_at_exit() -> None:
        if os.getpid() == owner:
            callback()

    def call_off() -> None:
        atexit.unregister(call_at_exit)
        _watch.remove(callback)

    atexit.register(call_at_exit)
    _watch.add(callback)
    return call_off


def watch_flush(sink: FileSink) -> None:
    """See to it that a buffered sink is flushed at the end, and that forked children repeat no event.

    The exit itself is `logging.shutdown`'s, which closes every handler.
    """
    import weakref

    weak = weakref.ref(sink)

    def flush() -> None:
        alive = weak()
        if alive is not None:
            alive.flush()

    def forget() -> None:
        alive = weak()
        if alive is None:
            return
        alive.forget_pending()
        _watch.add(flush)  # the child's own buffered events
        util = sys.modules.get("multiprocessing.util")
        if util is not None:  # such children leave without running exit hooks, but run these
            util.register_after_fork(
                alive, lambda child_sink: util.Finalize(child_sink, flush, exitpriority=0)
            )

    _watch.add(flush)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=forget)
