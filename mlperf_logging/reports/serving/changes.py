"""When the files that a report is made of have changed, found by looking at them again and again."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from glob import glob
from typing import NamedTuple

from mlperf_logging.runs.folders import POWER_FOLDER, is_log_name, walk_folders

_SIDE_FILE_SUFFIX = ".json"
_SHARE_OF_LOOKING = 10
"""A look may take a tenth of the time: a folder that takes long to look through is looked through less often."""


class Pace(NamedTuple):
    """How often files are looked at, and how long a file that changes without end is waited for, in seconds."""

    look_every_s: float = 1.0
    longest_wait_s: float = 10.0


class FileState(NamedTuple):
    """What tells that a file is no longer the same: its size, its time of change and its number."""

    size_bytes: int
    changed_ns: int
    inode: int


def look_at_files(names: Iterable[str]) -> dict[str, FileState]:
    """The state of every file that a report on the names could use: logs, power readings, descriptions.

    Args:
        names: logs, folders and patterns, as in `find_logs`. Those that lead to nothing have no state, nor has what
            cannot be looked at.
    """
    states = {}
    for path in _list_files(names):
        try:
            found = os.stat(path)
        except (OSError, ValueError):
            continue
        states[path] = FileState(found.st_size, found.st_mtime_ns, found.st_ino)
    return states


def is_side_file(path: str) -> bool:
    """Whether a file is none of the logs but one that says more on them: a description, a power reading."""
    return path.endswith(_SIDE_FILE_SUFFIX) or POWER_FOLDER in path.split(os.sep)


class ChangeWatch:
    """Remembers of what state of the files a report was made, and finds when another one is due.

    A file that has just changed is likely to change again in a moment. So a report is due when two looks in a row
    see the same, or when something has changed for the longest wait.

    Attributes:
        seen: the state of the files when they were last looked at.
    """

    def __init__(self, names: Iterable[str], pace: Pace | None = None) -> None:
        """Look at the files as they are now."""
        self._names = tuple(names)
        self._pace = pace or Pace()
        self.seen = look_at_files(self._names)
        self._reported = self.seen
        self._changing_since_s: float | None = None
        self._pause_s = self._pace.look_every_s

    def add(self, names: Iterable[str]) -> dict[str, FileState]:
        """Watch more files from now on; returns their state, which counts as reported."""
        more = tuple([name for name in names if name not in self._names])
        states = look_at_files(more)
        self._names += more
        self.seen = self.seen | states
        self._reported = self._reported | states
        return states

    def wait(self, busy_s: float = 0.0) -> None:
        """Wait until a new report is due.

        Args:
            busy_s: how long the last report took. The next one waits as long, so that half of the time is free.
        """
        time.sleep(max(busy_s, self._pause_s))
        while not self.is_due(time.monotonic()):
            time.sleep(self._pause_s)

    def is_due(self, now_s: float) -> bool:
        """Look once more; a report that is due counts as made of what is seen now.

        Args:
            now_s: the time of a clock that only goes forward.
        """
        began_s = time.monotonic()
        seen = look_at_files(self._names)
        self._pause_s = max(self._pace.look_every_s, _SHARE_OF_LOOKING * (time.monotonic() - began_s))
        if seen == self._reported:
            self._changing_since_s = None
        elif self._changing_since_s is None:
            self._changing_since_s = now_s
        is_still = seen == self.seen
        self.seen = seen
        if self._changing_since_s is None:
            return False
        if is_still or now_s - self._changing_since_s >= self._pace.longest_wait_s:
            self._reported, self._changing_since_s = seen, None
            return True
        return False


def _list_files(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if os.path.isdir(name):
            yield from _list_below(name)
        elif os.path.lexists(name):
            yield name
        else:
            for match in glob(name, recursive=True):
                yield from _list_below(match) if os.path.isdir(match) else (match,)


def _list_below(folder: str) -> Iterator[str]:
    for here, names in walk_folders(folder, [], lambda name: name.startswith(".")):
        for name in names:
            if is_log_name(name) or name.endswith(_SIDE_FILE_SUFFIX):
                yield os.path.join(here, name)
