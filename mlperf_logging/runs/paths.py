"""From names to the logs that they mean: files, folders, patterns, standard input."""

# paths come out as they were given, which pathlib does not keep ("./a", "a//b")

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from mlperf_logging.errors import UsageError
from mlperf_logging.parsing.sources import STANDARD_INPUT, is_special
from mlperf_logging.runs.folders import POWER_FOLDER, find_result_folders, is_log_name, walk_folders

ListFolder = Callable[[str, list[str]], list[str]]
"""The logs of a folder; takes sentences on what gave none."""

_PATTERN_LETTERS = "*?["


class FoundLogs(NamedTuple):
    """The logs, in the order named, folders sorted, each once, and one sentence for each path that gave nothing."""

    paths: list[str]
    complaints: list[str]


def find_logs(names: Iterable[str], *, results: bool = False) -> FoundLogs:
    """Find the logs that the names mean.

    A folder means every log below it, except below a ``power`` folder; a pattern that the shell did not
    expand for what it matches; ``-`` for standard input; anything else for itself. With `results`, a folder means
    its result logs only, see `find_result_folders`.
    """
    paths: dict[str, str] = {}
    complaints: list[str] = []
    for name in names:
        for path in _expand(name, _list_results if results else _list_logs, complaints):
            same = path if path == STANDARD_INPUT else os.path.normpath(path)
            paths.setdefault(same, path)
    return FoundLogs(list(paths.values()), complaints)


def is_pattern(name: str) -> bool:
    """Return whether a name that no file has is a pattern."""
    return any(letter in name for letter in _PATTERN_LETTERS)


def _expand(name: str, list_folder: ListFolder, complaints: list[str]) -> Iterator[str]:
    if name == STANDARD_INPUT:
        yield name
    elif os.path.isdir(name):
        yield from list_folder(name, complaints)
    elif os.path.lexists(name):
        yield name
    elif is_pattern(name):
        yield from _match(name, complaints)
    elif not name:
        complaints.append("a path is empty; name a log, a folder, a pattern, or - for standard input")
    else:
        complaints.append(f"there is no file or folder called {name!r}")


def _match(pattern: str, complaints: list[str]) -> Iterator[str]:
    from glob import glob

    matches = sorted(path for path in glob(pattern, recursive=True) if not is_special(path))
    if not matches:
        complaints.append(f"nothing matches the pattern {pattern!r}")
    for match in matches:
        if os.path.isdir(match):
            yield from _list_logs(match, complaints, may_be_empty=True)
        else:
            yield match


def _list_results(folder: str, complaints: list[str]) -> list[str]:
    try:
        return [log for found in find_result_folders(folder) for log in found.logs]
    except UsageError as error:
        complaints.append(str(error))
        return []


def _list_logs(folder: str, complaints: list[str], *, may_be_empty: bool = False) -> list[str]:
    refused: list[OSError] = []
    walked = walk_folders(folder, refused, POWER_FOLDER.__eq__)
    found = sorted(os.path.join(here, name) for here, names in walked for name in names if is_log_name(name))
    complaints += [f"cannot look into the folder {error.filename!r}: {error.strerror}" for error in refused]
    if not found and not refused and not may_be_empty:
        complaints.append(
            f"there is no log below the folder {folder!r} (*.txt, *.log, *.out, also .gz, .xz, .zst); "
            "name a log itself to judge it whatever its name"
        )
    return found
