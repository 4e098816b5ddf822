"""Where logs come from: files and folders, archives, git repositories at a revision, addresses.

Whatever it is, its logs and the files beside them end up on disk, where they are read as any others. What is not on disk
already is put into a temporary folder under the names that it has, so that the folders above a log tell what they tell
elsewhere; the name of its place in the store is that of where it came from.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from mlperf_logging.errors import MLPerfLoggingError, UsageError
from mlperf_logging.parsing.sources import STANDARD_INPUT
from mlperf_logging.runs.folders import ResultFolder, find_result_folders
from mlperf_logging.runs.paths import find_logs
from mlperf_logging.store.addresses import choose_address
from mlperf_logging.store.fetching import Fetched
from mlperf_logging.store.repositories import find_repository
from mlperf_logging.submission.archives import SUFFIXES, extract_archive, is_archive

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(::|://)")


class Group(NamedTuple):
    """Logs that are scored together.

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
        root: the folder on disk that stands for `name`; empty where files are read where they are.
        name: what places in the source begin with.
    """

    groups: list[Group]
    complaints: list[str]
    root: str = ""
    name: str = ""

    def name_place(self, path: str) -> str:
        """The name of the place of a file or folder, by its absolute path on disk."""
        if not self.root:
            return path
        below = os.path.relpath(path, self.root)
        return f"{self.name}{'' if below == os.curdir else below.replace(os.sep, '/')}"

    def name_places(self, text: str) -> str:
        """A text for people with the names of places for the paths on disk."""
        return (
            text.replace(f"{self.root}{os.sep}", self.name).replace(self.root, self.name)
            if self.root
            else text
        )


@contextmanager
def opened_source(name: str) -> Iterator[FoundSource]:
    """What a source holds, on disk until the end: a file, folder, pattern, archive, ``REPOSITORY@REVISION:PATH`` or URL.

    A source that cannot be read holds nothing, and one sentence says why.

    Raises:
        UsageError: what the source needs is not installed, or it is standard input.
    """
    if name == STANDARD_INPUT:
        raise UsageError("a store knows the places of its logs, and standard input is none; name a file")
    with tempfile.TemporaryDirectory(prefix="mlperf-store-") as folder:
        yield _find(name, folder)


def _find(name: str, folder: str) -> FoundSource:
    """What a source holds; what is not on disk is put into an empty folder."""
    root, place = folder, ""
    try:
        fetched = _choose(name)
        if fetched is None:
            return _find_groups(os.path.abspath(name))
        place = fetched.place
        root = os.path.join(folder, fetched.own_name or "source")  # it may tell the round or the submitter
        os.mkdir(root)
        top = os.path.join(root, fetched.fetch(root))
    except UsageError:
        raise
    except (MLPerfLoggingError, OSError) as error:
        return FoundSource([], [str(error).replace(f"{root}{os.sep}", place)])
    found = _find_groups(os.path.normpath(top))
    named = found._replace(root=root, name=place)
    return named._replace(complaints=[named.name_places(sentence) for sentence in found.complaints])


def _choose(name: str) -> Fetched | None:
    """What fetches a source; None for what is on disk."""
    if is_archive(name):
        own_name = os.path.basename(name)
        suffix = next(each for each in SUFFIXES if own_name.lower().endswith(each))
        fetch = partial(_extract, name)
        return Fetched(own_name[: -len(suffix)], f"{os.path.abspath(name)}!", fetch)
    if os.path.lexists(name):
        return None
    if _ADDRESS.match(name):
        return choose_address(name)
    repository = find_repository(name)
    if repository is None:
        return None
    return Fetched(repository.own_name, f"{repository.path}@{repository.revision}:", repository.fetch)


def _extract(name: str, root: str) -> str:
    extract_archive(name, root)
    return ""


def _find_groups(path: str) -> FoundSource:
    """The logs at an absolute path, which may be a pattern, in their folders."""
    found = find_logs([path])
    folders = _find_folders(path) if os.path.isdir(path) else []
    in_folders = {log for folder in folders for log in folder.logs}
    groups = [Group(folder.logs, folder) for folder in folders]
    groups += [Group((log,)) for log in found.paths if log not in in_folders]
    return FoundSource(groups, found.complaints)


def _find_folders(path: str) -> list[ResultFolder]:
    try:
        return find_result_folders(path)
    except UsageError:  # what the folder lacks, the search for logs has said
        return []
