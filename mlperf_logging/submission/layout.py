"""What is in a submission's folders: read once, and found there as submissions and results.

``SUBMITTER/{systems/SYSTEM.json, results/SYSTEM/[strong|weak/]BENCHMARK/result_N.txt}``. A path may be a whole round,
several submitters, one of them, or a part of one. The oldest round has ``ROUND/SUBMITTER/ENTRY/results``, and
``entry.json`` beside the benchmarks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from os import PathLike, fspath
from typing import NamedTuple

from mlperf_logging.errors import UsageError
from mlperf_logging.runs.folders import (
    POWER_FOLDER,
    PRUNED,
    RESULTS,
    SCALINGS,
    SYSTEMS,
    ResultFolder,
    describe_folder,
    is_result_name,
    name_submitter,
    sort_key,
)

CODE = "benchmarks"
"""Name of a submission's folder of code, which may hold folders of any name."""

_CLONE = ".git"
"""What a clone of a repository keeps for itself, and is no part of what was submitted."""

_DEEPEST = 64


class Entry(NamedTuple):
    """A file, folder or link.

    Attributes:
        path: where it is, joined below the path that the caller gave.
        name: its own name.
        kind: "file", "folder", or "other" for pipes, devices and links to nothing.
        size: bytes of a file that is not a link.
        target: where a link leads, with all links on the way resolved; None for what is no link.
    """

    path: str
    name: str
    kind: str
    size: int = 0
    target: str | None = None


FILE, FOLDER, OTHER = "file", "folder", "other"


class Tree:
    """Everything below a folder, read once.

    Attributes:
        top: the folder, as the caller gave it.
        contents: each folder at and below it to what it holds, by name, numbers in the order of their value.
    """

    def __init__(self, top: str | PathLike[str]) -> None:
        """Read the folders; `UsageError` where there is none, or one cannot be read."""
        self.top = fspath(top).rstrip(os.sep) or os.sep
        if not os.path.isdir(self.top):
            what = "is a file" if os.path.exists(self.top) else "does not exist"
            raise UsageError(f"{self.top!r} {what}; name the folder of a submission")
        self._root = os.path.realpath(self.top)
        self.contents: dict[str, list[Entry]] = {}
        followed: set[str] = set()
        waiting = [(self.top, 0)]
        while waiting:
            folder, depth = waiting.pop()
            entries = self.contents[folder] = _list_entries(folder)
            for entry in entries:
                if entry.kind != FOLDER or depth == _DEEPEST:
                    continue
                # a linked folder is entered once, so that links in a circle end
                if entry.target is None or (self.holds(entry.target) and entry.target not in followed):
                    followed.add(entry.target or "")
                    waiting.append((entry.path, depth + 1))

    def holds(self, target: str) -> bool:
        """Whether the end of a link is at or below the folder."""
        return target == self._root or target.startswith(f"{self._root.rstrip(os.sep)}{os.sep}")

    @cached_property
    def entries(self) -> list[Entry]:
        """Everything, folder by folder."""
        return [entry for entries in self.contents.values() for entry in entries]

    def list_names(self, folder: str, kind: str = FILE) -> list[str]:
        """The names of a folder's files, or of its folders; none where it does not exist or is not below the tree's."""
        return [entry.name for entry in self.contents.get(folder, ()) if entry.kind == kind]


class Submission(NamedTuple):
    """What one submitter submits; in the oldest round, one entry.

    Attributes:
        path: the folder that holds ``results``.
        submitter: name of the submitter, or None.
        folders: the benchmarks' folders, by path, numbers in the order of their value; some may hold no log.
        is_whole: whether all of the submission is below the path that the caller gave.
    """

    path: str
    submitter: str | None
    folders: tuple[ResultFolder, ...]
    is_whole: bool

    @property
    def systems_folder(self) -> str:
        """The folder of its system descriptions, which need not exist."""
        return os.path.join(self.path, SYSTEMS)


def find_submissions(tree: Tree) -> list[Submission]:
    """The submissions at, below and around a folder, by path; `UsageError` where there is none."""
    above = os.path.abspath(tree.top)
    folders: dict[str, list[ResultFolder]] = {}
    for folder in _list_submission_folders(tree):
        depth = _count_levels(folder, tree.top, above)
        if depth is None:
            continue
        here = folder
        for _ in range(depth):
            here = os.path.dirname(here) if here.startswith(tree.top) and here != tree.top else _lift(here)
        found = folders.setdefault(here, [])
        if depth > 1:
            names = [name for name in tree.list_names(folder) if is_result_name(name)]
            found.append(_describe(folder, names, here))
    if not folders:
        raise UsageError(
            f"there is no submission at or below {tree.top!r}: looked for SUBMITTER/{RESULTS}/SYSTEM/BENCHMARK/"
        )
    return [
        Submission(
            path,
            name_submitter(os.path.abspath(path)),
            tuple(sorted(each, key=lambda folder: sort_key(folder.path))),
            path in tree.contents,
        )
        for path, each in sorted(folders.items(), key=lambda pair: sort_key(pair[0]))
    ]


def _describe(folder: str, names: list[str], submission: str) -> ResultFolder:
    """A benchmark's folder, with the path of its description joined as all others are."""
    found = describe_folder(folder, names)
    whole = os.path.abspath(submission)
    if found.description is None or not found.description.startswith(f"{whole}{os.sep}"):
        return found
    return found._replace(description=f"{submission}{found.description[len(whole) :]}")


def _list_entries(folder: str) -> list[Entry]:
    try:
        with os.scandir(folder) as found:
            entries = [_describe_entry(each) for each in found if each.name != _CLONE]
    except OSError as error:
        raise UsageError(f"cannot look into the folder {folder!r}: {error.strerror}") from None
    return sorted(entries, key=lambda entry: sort_key(entry.name))


def _describe_entry(found: os.DirEntry[str]) -> Entry:
    is_link = found.is_symlink()
    target = os.path.realpath(found.path) if is_link else None
    try:
        if found.is_dir():
            return Entry(found.path, found.name, FOLDER, 0, target)
        if found.is_file():
            size = 0 if is_link else found.stat(follow_symlinks=False).st_size
            return Entry(found.path, found.name, FILE, size, target)
    except OSError:  # a link in a circle
        pass
    return Entry(found.path, found.name, OTHER, 0, target)


def _list_submission_folders(tree: Tree) -> Iterator[str]:
    """The folders of a tree without those of code, of power readings and of pruned results."""
    waiting = [tree.top]
    while waiting:
        folder = waiting.pop()
        yield folder
        waiting += [
            os.path.join(folder, name)
            for name in tree.list_names(folder, FOLDER)
            if name not in (CODE, SYSTEMS, POWER_FOLDER, PRUNED)
            and os.path.join(folder, name) in tree.contents
        ]


def _count_levels(folder: str, top: str, above: str) -> int | None:
    """How many levels a folder of results (1) or of a benchmark (3 or 4) is below its submission's; None for others."""
    below = os.path.relpath(folder, top) if folder != top else ""
    parts = os.path.normpath(os.path.join(above, below)).split(os.sep)
    if parts[-1] == RESULTS:
        return 1
    if parts[-3:-2] == [RESULTS] and parts[-1] not in SCALINGS:
        return 3
    return 4 if parts[-4:-3] == [RESULTS] and parts[-2] in SCALINGS else None


def _lift(path: str) -> str:
    """The folder that holds a folder, for one that the caller named."""
    return os.path.dirname(os.path.abspath(path))
