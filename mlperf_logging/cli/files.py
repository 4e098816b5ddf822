"""From what the user named to the logs to be judged: files, folders, patterns, standard input."""

# paths come out as they were given, which pathlib does not keep ("./a", "a//b")

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

STANDARD_INPUT = "-"
POWER_FOLDER = "power"
LOG_SUFFIXES = (".txt", ".log", ".out")
COMPRESSION_SUFFIXES = (".gz", ".xz", ".zst")
_PATTERN_LETTERS = "*?["


class FoundLogs(NamedTuple):
    """What stands behind the paths of a command line.

    Attributes:
        paths: the logs, in the order named, folders sorted, each once.
        complaints: one sentence for each path that gave nothing.
    """

    paths: list[str]
    complaints: list[str]


def find_logs(names: Iterable[str]) -> FoundLogs:
    """Find the logs that the names stand for.

    A folder stands for every log below it, except below a ``power`` folder; a pattern that the shell did not
    expand for what it matches; ``-`` for standard input; anything else for itself.

    Args:
        names: paths as the user gave them.
    """
    paths: dict[str, str] = {}
    complaints: list[str] = []
    for name in names:
        for path in _expand(name, complaints):
            same = path if path == STANDARD_INPUT else os.path.normpath(path)
            paths.setdefault(same, path)
    return FoundLogs(list(paths.values()), complaints)


def is_log_name(name: str) -> bool:
    """Tell whether a file of this name counts as a log when its folder is named.

    Args:
        name: name of a file.
    """
    for suffix in COMPRESSION_SUFFIXES:
        if name.endswith(suffix):
            name = name[: -len(suffix)]
            break
    return name.endswith(LOG_SUFFIXES)


def _expand(name: str, complaints: list[str]) -> Iterator[str]:
    if name == STANDARD_INPUT:
        yield name
    elif os.path.isdir(name):
        yield from _walk(name, complaints)
    elif os.path.lexists(name):
        yield name
    elif any(letter in name for letter in _PATTERN_LETTERS):
        yield from _match(name, complaints)
    elif not name:
        complaints.append("a path is empty; name a log, a folder, a pattern, or - for standard input")
    else:
        complaints.append(f"there is no file or folder called {name!r}")


def _match(pattern: str, complaints: list[str]) -> Iterator[str]:
    from glob import glob

    matches = sorted(glob(pattern, recursive=True))
    if not matches:
        complaints.append(f"nothing matches the pattern {pattern!r}")
    for match in matches:
        if os.path.isdir(match):
            yield from _walk(match, complaints, may_be_empty=True)
        else:
            yield match


def _walk(folder: str, complaints: list[str], *, may_be_empty: bool = False) -> Iterator[str]:
    found: list[str] = []
    refused: list[OSError] = []
    for here, folders, files in os.walk(folder, onerror=refused.append):
        folders[:] = [each for each in folders if each != POWER_FOLDER]
        found += [os.path.join(here, name) for name in files if is_log_name(name)]
    complaints += [f"cannot look into the folder {error.filename!r}: {error.strerror}" for error in refused]
    if not found and not refused and not may_be_empty:
        complaints.append(
            f"there is no log below the folder {folder!r} (*.txt, *.log, *.out, also .gz, .xz, .zst); "
            "name a log itself to judge it whatever its name"
        )
    found.sort()
    yield from found
