"""Seeds of the runs of a result folder: equal ones, missing ones, and such that are no numbers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from mlperf_logging.compliance.judged_run import JudgedRun
from mlperf_logging.runs.run import SEED_KEYS

_SHOWN_LOGS = 5


class LoggedSeed(NamedTuple):
    """A seed as logged, the source file and its line that logged it, where known, and the line of the log."""

    value: Any
    file: str | None
    line: int | None
    log_line: int | None = None


class RepeatedSeed(NamedTuple):
    """A seed that several runs log from the same place, in words, and their logs."""

    text: str
    paths: tuple[str, ...]


class RunSeeds(NamedTuple):
    """The seeds of one run.

    Attributes:
        path: the log as the caller named it.
        seeds: in the order of the log.
        is_missing: whether the round requires a seed, and none is logged.
    """

    path: str
    seeds: tuple[LoggedSeed, ...] = ()
    is_missing: bool = False


def read_seeds(judged: JudgedRun) -> RunSeeds:
    """The seeds of a judged run."""
    seeds = tuple(
        [LoggedSeed(seed.value, seed.file, seed.line, seed.event.line) for seed in judged.run.seeds]
    )
    may_be_unread = not judged.unread.is_complete
    is_missing = not (seeds or may_be_unread or judged.missing_keys.isdisjoint(SEED_KEYS))
    return RunSeeds(judged.run.path, seeds, is_missing)


def find_repeated_seeds(runs: Iterable[RunSeeds]) -> list[RepeatedSeed]:
    """The seeds that several runs log from the same place, those of the most runs first."""
    at_place: dict[tuple[str, str | None, int | None], list[str]] = {}
    for run in runs:
        for seed in dict.fromkeys([(repr(each.value), each.file, each.line) for each in run.seeds]):
            at_place.setdefault(seed, []).append(run.path)
    equal = [
        RepeatedSeed(f"{value}{_show_place(file, line)}", tuple(paths))
        for (value, file, line), paths in at_place.items()
        if len(paths) > 1
    ]
    return sorted(equal, key=lambda each: -len(each.paths))


def describe_seeds(runs: Iterable[RunSeeds]) -> tuple[str, ...]:
    """What is wrong with the seeds of a result folder's runs, a sentence each.

    No two runs may log the same seed from the same place; the public checks of a package refuse it.
    """
    runs = list(runs)
    texts: dict[str, list[str]] = {}
    missing = []
    for run in runs:
        if any(isinstance(each.value, str) for each in run.seeds):
            text = next(each.value for each in run.seeds if isinstance(each.value, str))
            texts.setdefault(text, []).append(run.path)
        if run.is_missing:
            missing.append(run.path)
    found = []
    equal = find_repeated_seeds(runs)
    if equal:
        others = f", {len(equal) - 1} other seed{'s' * (len(equal) > 2)} likewise" if len(equal) > 1 else ""
        found.append(
            f"{len(equal[0].paths)} runs log the same seed, {equal[0].text} ({list_logs(equal[0].paths)})"
            f"{others}; each run needs its own"
        )
    if missing:
        found.append(f"{_count_runs(missing)} no seed, which the round requires ({list_logs(missing)})")
    if texts:
        paths = [path for each in texts.values() for path in each]
        found.append(
            f"{_count_runs(paths)} a seed as text, such as {next(iter(texts))!r} ({list_logs(paths)}); "
            "it must be a whole number"
        )
    return tuple(found)


def describe_seeds_by_folder(runs: Iterable[RunSeeds]) -> list[str]:
    """The same for the runs of many folders; where there are several, each sentence names its folder."""
    folders: dict[str, list[RunSeeds]] = {}
    for run in runs:
        folders.setdefault(os.path.dirname(run.path), []).append(run)
    prefix: Callable[[str], str] = (
        (lambda folder: f"{folder or '.'}: ") if len(folders) > 1 else (lambda _: "")
    )
    return [
        f"{prefix(folder)}{sentence}"
        for folder, members in folders.items()
        for sentence in describe_seeds(members)
    ]


def _show_place(file: str | None, line: int | None) -> str:
    if file is None:
        return ""
    return f" at {os.path.basename(file)}" + (f":{line}" if line is not None else "")


def _count_runs(paths: Sequence[str]) -> str:
    return "1 run logs" if len(paths) == 1 else f"{len(paths)} runs log"


def list_logs(paths: Sequence[str]) -> str:
    """The names of logs, the first few of many."""
    shown = ", ".join(map(os.path.basename, paths[:_SHOWN_LOGS]))
    more = len(paths) - _SHOWN_LOGS
    return f"{shown} and {more} more" if more > 0 else shown
