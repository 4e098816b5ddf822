"""Which files may be shown: those that a report names, if they really lie below the paths that it is about."""

from __future__ import annotations

import os
from collections.abc import Iterable
from io import FileIO
from stat import S_ISREG
from typing import IO

from mlperf_logging.errors import UnreadableLogError

_MAGIC = "*?["
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe that took the place of a log must not be waited for
)


def lies_within(path: str, names: Iterable[str]) -> bool:
    """Whether a path leads to a file at or below one of the names, wherever links along it point to.

    Args:
        path: of the file.
        names: files, folders, or patterns, which stand for the folder in which they begin. Where a name itself is
            a link, it stands for what it points to.
    """
    real = os.path.realpath(path)
    return any(_is_below(real, os.path.realpath(_find_root(name))) for name in names)


def open_within(path: str, names: Iterable[str]) -> IO[bytes]:
    """Open a file that lies at or below one of the names.

    Raises:
        UnreadableLogError: it does not, is no regular file, or cannot be opened.
    """
    if not lies_within(path, names):
        raise UnreadableLogError(path, f"{path}: is not below the paths that this report is about")
    try:
        descriptor = os.open(os.path.realpath(path), _FLAGS)
    except (OSError, ValueError) as error:
        raise UnreadableLogError(
            path, f"{path}: cannot be opened: {getattr(error, 'strerror', error)}"
        ) from None
    if not S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnreadableLogError(path, f"{path}: is not a regular file")
    return FileIO(descriptor, "rb")


def _is_below(real: str, root: str) -> bool:
    return real == root or real.startswith(os.path.join(root, ""))


def _find_root(name: str) -> str:
    """A path itself; of a pattern, the folder above its first part with a magic letter."""
    if os.path.lexists(name) or not any(letter in name for letter in _MAGIC):
        return name
    first = min(name.index(letter) for letter in _MAGIC if letter in name)
    return os.path.dirname(name[:first]) or os.curdir
