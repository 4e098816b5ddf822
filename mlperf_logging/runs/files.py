"""What counts as a log by its name, and the way through folders."""

# paths come out as they were given, which pathlib does not keep ("./a", "a//b")

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

POWER_FOLDER = "power"
"""Name of the folders that hold readings, not runs."""

LOG_SUFFIXES = (".txt", ".log", ".out")
COMPRESSION_SUFFIXES = (".gz", ".xz", ".zst")


def is_log_name(name: str) -> bool:
    """Tell whether a file of this name counts as a log when its folder is named."""
    return strip_compression(name).endswith(LOG_SUFFIXES)


def strip_compression(name: str) -> str:
    """A file's name without the suffix that says how it is compressed."""
    return next((name.removesuffix(suffix) for suffix in COMPRESSION_SUFFIXES if name.endswith(suffix)), name)


def name_run(path: str) -> str:
    """The name of a run: that of its log, without suffixes; a folder of this name holds its power readings."""
    return os.path.splitext(strip_compression(os.path.basename(path)))[0]


def walk_folders(
    top: str, refused: list[OSError], skips: Callable[[str], bool]
) -> Iterator[tuple[str, list[str]]]:
    """Each folder at and below one, joined below it, with the names of its files; `refused` takes what cannot be read."""
    for here, folders, names in os.walk(top, onerror=refused.append):
        folders[:] = [name for name in folders if not skips(name)]
        yield here, names
