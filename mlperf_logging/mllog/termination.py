"""The end of a process: what must still be logged when it exits or is told to stop.

Signal handlers and exit hooks belong to the process, so this module keeps the one piece of state that they
need. SIGTERM (schedulers send it before a time limit) and SIGHUP are watched only from the moment on that
something depends on them, and the handlers that were there before are called afterwards.

Only the main thread may install signal handlers. A run that begins in another thread asks it to by a signal
that does nothing by default, SIGURG, for which there is a handler from the beginning.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found] # signal itself makes enums, which take most of a millisecond
import atexit
import os
import sys
import threading
import time
import weakref

from mlperf_logging.mllog.notices import print_notice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

WATCHED_SIGNALS = ("SIGTERM", "SIGHUP")
WAKING_SIGNAL: int | None = getattr(_signal, "SIGURG", None)
INSTALL_SECONDS = 1.0
"""A thread waits at most so long until the main thread watches the signals."""
PROCESS_MODULES = ("multiprocessing.process", "multiprocess.process")


class EndWatch:
    """Calls back when this process exits or is told to stop, perhaps for both, and never in its forked children."""

    def __init__(self, callback: Callable[[], object]) -> None:
        self._callback = callback
        self._owner = os.getpid()
        atexit.register(self.call)
        _signals.watches.append(self)
        _signals.watch()

    @property
    def is_own(self) -> bool:
        """Whether this is the process that made the watch."""
        return os.getpid() == self._owner

    def call(self) -> None:
        """Call back, in the process that made the watch."""
        if self.is_own:
            self._callback()

    def cancel(self) -> None:
        """Do not call any more."""
        atexit.unregister(self.call)
        _signals.watches = [watch for watch in _signals.watches if watch is not self]


class SignalWatch:
    """Has the end watches called, newest first, before the process dies of a signal as it would have anyway."""

    def __init__(self) -> None:
        self.watches: list[EndWatch] = []
        self.is_forked = False  # by a process that had loaded this module
        self._previous: dict[int, Any] = {}
        self._is_installed = False
        self._holds: list[None] = []
        self._waiting: int | None = None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_again)

    def listen(self) -> None:
        """Let other threads have the signals watched, by the waking signal, if nobody else uses it."""
        is_free = WAKING_SIGNAL is not None and _signal.getsignal(WAKING_SIGNAL) == _signal.SIG_DFL
        if is_free and _is_main_thread():
            _signal.signal(WAKING_SIGNAL, self._install)

    def watch(self) -> None:
        """Watch the signals from now on."""
        if self._is_installed:
            return
        if _is_main_thread():
            self._install()
        elif WAKING_SIGNAL is not None and _signal.getsignal(WAKING_SIGNAL) == self._install:
            _signal.pthread_kill(threading.main_thread().ident, WAKING_SIGNAL)
            deadline = time.monotonic() + INSTALL_SECONDS
            while not self._is_installed and time.monotonic() < deadline:
                time.sleep(0.001)

    def __enter__(self) -> None:
        """Let watched signals wait until the context ends: what is begun is not left half done."""
        self._holds.append(None)

    def __exit__(self, *_: object) -> None:
        """End the waiting; a signal that came meanwhile takes effect now."""
        del self._holds[-1:]
        if self._waiting is not None and not self._holds:
            signum, self._waiting = self._waiting, None
            os.kill(os.getpid(), signum)

    def _install(self, *_: object) -> None:
        for name in WATCHED_SIGNALS if self.watches else ():
            number = getattr(_signal, name, None)
            if number is None or number in self._previous:
                continue
            previous = _signal.getsignal(number)
            # None: a handler that only C code knows and that could not be called afterwards.
            if previous not in (None, _signal.SIG_IGN):
                self._previous[number] = previous
                _signal.signal(number, self._receive)
            self._is_installed = True

    def _receive(self, signum: int, frame: FrameType | None) -> None:
        if self._holds:
            self._waiting = signum
            return
        for watch in reversed(self.watches):
            try:
                watch.call()
            except Exception as error:  # noqa: BLE001 - the signal must still take effect
                print_notice(f"mllog: at the end of the process: {error}")
        previous = self._previous.get(signum)
        if callable(previous):
            previous(signum, frame)
        else:
            _signal.signal(signum, _signal.SIG_DFL)
            os.kill(os.getpid(), signum)

    def _begin_again(self) -> None:
        """Give the signals back in a forked process, which has nothing to end until a run begins in it.

        A handler in Python would be no harm but for one moment: a signal that comes just before the process waits for a
        lock is not handled until the wait ends, so that a pool's worker might survive ``terminate``.
        """
        self.watches = []
        self.is_forked = True
        self._holds, self._waiting = [], None
        for number, previous in list(self._previous.items()):
            if _signal.getsignal(number) == self._receive:  # else another handler may still call ours
                _signal.signal(number, previous)
                del self._previous[number]
        self._is_installed = False


def _is_main_thread() -> bool:
    return threading.get_ident() == threading.main_thread().ident


_signals = held_back = SignalWatch()
listen = _signals.listen


def skips_exit_hooks() -> bool:
    """Whether this process is likely to leave by `os._exit`, as forked processes and workers do."""
    if _signals.is_forked:
        return True
    modules = [module for name in PROCESS_MODULES if (module := sys.modules.get(name)) is not None]
    # A spawned process that still imports the script has no parent process yet; multiprocessing marks it so.
    return any(
        module.parent_process() is not None or getattr(module.current_process(), "_inheriting", False)
        for module in modules
    )


def call_in_children(method: Callable[[], object]) -> None:
    """Call a method in every process that is forked from this one, as long as its object lives."""
    weak = weakref.WeakMethod(method)

    def call() -> None:
        alive = weak()
        if alive is not None:
            alive()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=call)
