"""What fetches logs that are not on disk: which files are wanted, and where they are put."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from mlperf_logging.compliance.clues import PARAMETERS_FILE
from mlperf_logging.runs.folders import ENTRY_FILE, POWER_FOLDER, SCALING_FILE, SYSTEMS, is_log_name

MAX_BYTES = 16 << 30
"""So many bytes are fetched from a source at a time."""


class Fetched(NamedTuple):
    """A source that is not on disk.

    Attributes:
        own_name: its name, without what leads to it.
        place: what the names of its places begin with.
        fetch: puts its files into an empty folder, and gives the path below it whose logs are wanted.
    """

    own_name: str
    place: str
    fetch: Callable[[str], str]


def is_wanted(path: str) -> bool:
    """Whether a file of a source is a log, or is read beside logs; by its path, with slashes."""
    *folders, name = path.split("/")
    return is_side_file(path) or is_log_name(name) or POWER_FOLDER in folders


def is_side_file(path: str) -> bool:
    """Whether a file says something of logs in other folders, such as a system description."""
    *folders, name = path.split("/")
    is_description = bool(folders) and folders[-1] == SYSTEMS and name.endswith(".json")
    return is_description or name in (SCALING_FILE, ENTRY_FILE, PARAMETERS_FILE)


def make_path(root: str, name: str) -> str | None:
    """Where a file of a repository or an address is put below a folder; None for a name that would lead elsewhere."""
    parts = name.split("/")
    if not name or "\0" in name or any(part in ("", ".", "..") or "\\" in part for part in parts):
        return None
    path = os.path.join(root, *parts)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path
