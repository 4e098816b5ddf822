"""A submission as folders of results: what counts as a log, where those of each benchmark are, what is next to them.

``SUBMITTER/{systems/SYSTEM.json, results/SYSTEM/[strong|weak/]BENCHMARK/result_N.txt}``, with ``scaling.json`` and
``power/`` next to the logs. The oldest round has an entry's folder between submitter and results, and ``entry.json``
in the system's folder.
"""

# paths come out as they were given, which pathlib does not keep; and pathlib costs a cold start

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from os import PathLike, fspath
from typing import NamedTuple

from mlperf_logging.errors import UsageError
from mlperf_logging.parsing.sources import is_special

POWER_FOLDER = "power"
"""Name of the folders that hold readings, not runs."""

LOG_SUFFIXES = (".txt", ".log", ".out")
COMPRESSION_SUFFIXES = (".gz", ".xz", ".zst")
RESULTS, SYSTEMS, PRUNED = "results", "systems", "pruned_results"
SCALING_FILE, ENTRY_FILE = "scaling.json", "entry.json"
SCALINGS = ("strong", "weak")

# Patterns that one log does not need; compiled when they are, since each costs a cold start.
_ROUND_NAME = r"v\d+(\.\d+)+\Z"
_DIGITS = r"(\d+)"


class ResultFolder(NamedTuple):
    """The results of one benchmark on one system.

    Attributes:
        path: the folder, joined below the path that the caller gave.
        logs: the result logs, by name, numbers in the order of their value.
        benchmark: name of the folder, which names the benchmark in nearly all submissions.
        system: name of the system, or None where the folder is not below ``results``.
        submitter: name of the submitter, or None.
        scaling: "strong" or "weak" where the folder is below one so named, else None.
        description: the system description, or None if there is none.
        scaling_file: its ``scaling.json``, or None.
        power: its folder of power readings, or None.
    """

    path: str
    logs: tuple[str, ...]
    benchmark: str
    system: str | None = None
    submitter: str | None = None
    scaling: str | None = None
    description: str | None = None
    scaling_file: str | None = None
    power: str | None = None


def find_result_folders(path: str | PathLike[str]) -> list[ResultFolder]:
    """The result folders at and below a folder: of a benchmark, a system, a submitter, a whole round.

    A result folder is one that holds ``result_*.txt``, plain or compressed. Where there is none at all, every
    folder counts that holds ``*.txt``, ``*.log`` or ``*.out``. Folders of power readings and of pruned results
    are left out.

    Args:
        path: the folder.

    Returns:
        The result folders, by path, numbers in the order of their value.

    Raises:
        UsageError: there is no such folder, it cannot be read, or there is no log below it.
    """
    top = fspath(path)
    if not os.path.isdir(top):
        if os.path.exists(top):
            raise UsageError(f"{top!r} is a file; name the folder that holds the result logs")
        raise UsageError(f"there is no folder {top!r}")
    refused: list[OSError] = []
    visited = list(walk_folders(top, refused, _holds_no_results))
    if refused:
        raise UsageError(f"cannot look into the folder {refused[0].filename!r}: {refused[0].strerror}")
    for is_wanted in (is_result_name, is_log_name):
        logs = [(here, [name for name in names if is_wanted(name)]) for here, names in visited]
        found = [describe_folder(here, names) for here, names in logs if names]
        if found:
            return sorted(found, key=lambda folder: sort_key(folder.path))
    raise UsageError(
        f"there are no logs below {top!r}: looked for result_*.txt, then for *.txt, *.log and *.out "
        "(also .gz, .xz, .zst), except in power/ and pruned_results/"
    )


def is_log_name(name: str) -> bool:
    """Return whether a file of this name counts as a log when its folder is named."""
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
    """Each folder at and below one, joined below it, with the names of its regular files; `refused` takes what cannot be read."""
    for here, folders, names in os.walk(top, onerror=refused.append):
        folders[:] = [name for name in folders if not skips(name)]
        yield here, [name for name in names if not is_special(os.path.join(here, name))]


def sort_key(name: str) -> list[tuple[int, int, str]]:
    """A key that orders names with their numbers by value: ``result_9`` before ``result_10``."""
    parts = re.split(_DIGITS, name)
    return [(0, int(part), "") if index % 2 else (1, 0, part) for index, part in enumerate(parts)]


def _holds_no_results(name: str) -> bool:
    return name in (POWER_FOLDER, PRUNED) or name.startswith(".")


def is_result_name(name: str) -> bool:
    """Return whether a file of this name counts as a run where a benchmark's folder is below ``results``."""
    return name.startswith("result_") and strip_compression(name).endswith(".txt")


def describe_folder(here: str, names: Iterable[str]) -> ResultFolder:
    """What a folder is in its submission, determined by the folders above it and by what is next to the logs."""
    whole = os.path.abspath(here).rstrip(os.sep)
    above, benchmark = os.path.split(whole)
    scaling = None
    if os.path.basename(above) in SCALINGS:
        above, scaling = os.path.split(above)
    system_folder = above
    results_folder = os.path.dirname(system_folder)
    below_results = os.path.basename(results_folder) == RESULTS
    submission = os.path.dirname(results_folder)
    system = os.path.basename(system_folder) if below_results else None
    scaling_file = os.path.join(here, SCALING_FILE)
    power = os.path.join(here, POWER_FOLDER)
    return ResultFolder(
        path=here,
        logs=tuple([os.path.join(here, name) for name in sorted(names, key=sort_key)]),
        benchmark=benchmark,
        system=system,
        submitter=name_submitter(submission) if below_results else None,
        scaling=scaling,
        description=_find_description(submission, system_folder, system) if system is not None else None,
        scaling_file=scaling_file if os.path.isfile(scaling_file) else None,
        power=power if os.path.isdir(power) else None,
    )


def _find_description(submission: str, system_folder: str, system: str) -> str | None:
    """The description in ``systems`` beside ``results`` or one folder higher, else the system's ``entry.json``."""
    places = (
        os.path.join(submission, SYSTEMS, f"{system}.json"),
        os.path.join(os.path.dirname(submission), SYSTEMS, f"{system}.json"),
        os.path.join(system_folder, ENTRY_FILE),
    )
    return next((place for place in places if os.path.isfile(place)), None)


def name_submitter(submission: str) -> str | None:
    """The folder that holds ``results``; where that is an entry's, the folder right below the round's."""
    parts = submission.split(os.sep)
    for index in range(len(parts) - 2, -1, -1):
        if re.match(_ROUND_NAME, parts[index]):
            return parts[index + 1]
    return parts[-1] or None
