"""Where logs come from: files and folders, as they are on disk, and the name of each place in the store."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from mlperf_logging.errors import UsageError
from mlperf_logging.runs.folders import ResultFolder, find_result_folders
from mlperf_logging.runs.paths import find_logs


class Group(NamedTuple):
    """Logs that are read together.

    Attributes:
        logs: the files.
        folder: the result folder that they are all runs of; None for a single log that is in none.
    """

    logs: tuple[str, ...]
    folder: ResultFolder | None = None


class FoundSource(NamedTuple):
    """What a source holds.

    Attributes:
        groups: all of its logs.
        complaints: one sentence for each part that could not be read.
        name_place: gives the name of the place of a file or folder, by its path on disk.
    """

    groups: list[Group]
    complaints: list[str]
    name_place: Callable[[str], str]


@contextmanager
def opened_source(name: str) -> Iterator[FoundSource]:
    """What a file, a folder or a pattern holds."""
    yield _find_groups(name, os.path.abspath)


def _find_groups(name: str, name_place: Callable[[str], str]) -> FoundSource:
    found = find_logs([name])
    folders = _find_folders(name) if os.path.isdir(name) else []
    in_folders = {log for folder in folders for log in folder.logs}
    groups = [Group(folder.logs, folder) for folder in folders]
    groups += [Group((path,)) for path in found.paths if path not in in_folders]
    return FoundSource(groups, found.complaints, name_place)


def _find_folders(name: str) -> list[ResultFolder]:
    try:
        return find_result_folders(name)
    except UsageError:  # what the folder lacks, the search for logs has said
        return []
