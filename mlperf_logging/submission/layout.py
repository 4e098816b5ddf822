"""What is in a submission's folders: read once, and found there as submissions and results.

``SUBMITTER/{systems/SYSTEM.json, results/SYSTEM/[strong|weak/]BENCHMARK/result_N.txt}``. A path may be a whole round,
several submitters, one of them, or a part of one. The oldest round has ``ROUND/SUBMITTER/ENTRY/results``, and
``entry.json`` beside the benchmarks.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
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

_NO_RESULTS = (CODE, SYSTEMS, POWER_FOLDER, PRUNED)

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

    def list_folders(self, folder: str) -> list[tuple[str, str]]:
        """Name and path of the folders in a folder, without those that links lead out to."""
        paths = [(name, os.path.join(folder, name)) for name in self.list_names(folder, FOLDER)]
        return [(name, path) for name, path in paths if path in self.contents]


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
    found = [
        _make_submission(
            os.path.dirname(folder) if folder != tree.top else _lift(folder, 1), benchmarks, tree
        )
        for folder, benchmarks in _find_results(tree, [tree.top])
    ] or _find_around(tree)
    if not found:
        raise UsageError(
            f"there is no submission at or below {tree.top!r}: looked for SUBMITTER/{RESULTS}/SYSTEM/BENCHMARK/"
        )
    return sorted(found, key=lambda each: sort_key(each.path))


def _make_submission(path: str, benchmarks: Iterable[str], tree: Tree) -> Submission:
    folders = []
    for benchmark in benchmarks:
        names = [name for name in tree.list_names(benchmark) if is_result_name(name)]
        folders.append(_describe(benchmark, names, path))
    folders.sort(key=lambda folder: sort_key(folder.path))
    submitter = name_submitter(os.path.abspath(path))
    return Submission(path, submitter, tuple(folders), path in tree.contents)


def _find_results(tree: Tree, folders: Iterable[str]) -> list[tuple[str, list[str]]]:
    """The folders of results at and below others, each with its benchmarks' folders.

    Of one in another, the outer counts where its benchmarks hold logs: folders of any name may lie below those. Else
    it is not a submission's, but one that somebody keeps submissions in.
    """
    found = []
    for folder in folders:
        below = [path for name, path in tree.list_folders(folder) if name not in _NO_RESULTS]
        if os.path.basename(os.path.abspath(folder)) != RESULTS:
            found += _find_results(tree, below)
            continue
        benchmarks = [each for system in below for each in _list_benchmarks(system, tree)]
        holds_logs = any(is_result_name(name) for each in benchmarks for name in tree.list_names(each))
        inner = [] if holds_logs else _find_results(tree, below)
        found += inner or [(folder, benchmarks)]
    return found


def _find_around(tree: Tree) -> list[Submission]:
    """The submission that a folder is a part of: that of a system, of one scaling of it, or of a benchmark."""
    parts = os.path.abspath(tree.top).split(os.sep)
    if parts[-2:-1] == [RESULTS]:
        return [_make_submission(_lift(tree.top, 2), _list_benchmarks(tree.top, tree), tree)]
    if parts[-3:-2] == [RESULTS]:
        is_scaling = parts[-1] in SCALINGS
        benchmarks = [path for _, path in tree.list_folders(tree.top)] if is_scaling else [tree.top]
        return [_make_submission(_lift(tree.top, 3), benchmarks, tree)]
    if parts[-4:-3] == [RESULTS] and parts[-2] in SCALINGS:
        return [_make_submission(_lift(tree.top, 4), [tree.top], tree)]
    return []


def _list_benchmarks(system: str, tree: Tree) -> list[str]:
    """The benchmarks' folders of a system."""
    found = []
    for name, path in tree.list_folders(system):
        if name in SCALINGS:
            found += [inner for _, inner in tree.list_folders(path)]
        elif name not in _NO_RESULTS:
            found.append(path)
    return found


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


def _lift(path: str, levels: int) -> str:
    """The folder so many levels above one that the caller named."""
    path = os.path.abspath(path)
    for _ in range(levels):
        path = os.path.dirname(path)
    return path
