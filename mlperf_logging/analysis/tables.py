"""Many logs to tables: one of runs, one of evaluations, one of hyperparameters."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from os import PathLike, fspath
from typing import TYPE_CHECKING

from mlperf_logging.analysis.columns import EVALUATION_COLUMNS, RUN_COLUMNS, make_table
from mlperf_logging.analysis.reading import ReadingParameters, RunRows, read_rows
from mlperf_logging.errors import MLPerfLoggingError, UsageError
from mlperf_logging.runs import find_result_folders

if TYPE_CHECKING:
    import pandas as pd

_FEWEST_A_WORKER = 8
_LOGS_AT_ONCE = 16


@dataclass(frozen=True)
class Tables:
    """What many logs give.

    Attributes:
        runs: one row per log, see `columns.RUN_COLUMNS`.
        evaluations: a row for each metric of each evaluation, see `columns.EVALUATION_COLUMNS`.
        rows: the same, log by log, with hyperparameters.
    """

    runs: pd.DataFrame
    evaluations: pd.DataFrame
    rows: tuple[RunRows, ...]


def list_logs(paths: Iterable[str | PathLike[str]] | str | PathLike[str]) -> list[str]:
    """The logs that paths stand for: a file for itself, a folder for the result logs at and below it.

    Args:
        paths: files and folders.

    Raises:
        UsageError: a path does not exist, or there is no log below a folder.
    """
    given = [paths] if isinstance(paths, (str, PathLike)) else list(paths)
    found: dict[str, None] = {}
    for path in [fspath(each) for each in given]:
        if os.path.isdir(path):
            found |= dict.fromkeys([log for folder in find_result_folders(path) for log in folder.logs])
        elif path == "-" or os.path.exists(path):
            found[path] = None
        else:
            raise UsageError(f"there is no file or folder {path!r}")
    return list(found)


def read_tables(
    paths: Iterable[str | PathLike[str]] | str | PathLike[str],
    parameters: ReadingParameters | None = None,
    *,
    jobs: int = 1,
    advance: Callable[[], None] | None = None,
) -> Tables:
    """Read logs into tables. A log that cannot be read gives a row that says why.

    Args:
        paths: files and folders.
        parameters: by what they are read.
        jobs: number of processes; 0 for one a processor core.
        advance: called after each log, for a progress bar.

    Raises:
        UsageError: a path does not exist, a folder holds no log, or the parameters name something unknown.
    """
    rows = []
    for each in read_many(list_logs(paths), parameters or ReadingParameters(), jobs):
        rows.append(each)
        if advance is not None:
            advance()
    return make_tables(rows)


def make_tables(rows: Sequence[RunRows]) -> Tables:
    """The tables of logs that were read.

    Args:
        rows: what `read_rows` gave for each.
    """
    return Tables(
        make_table([each.run for each in rows], RUN_COLUMNS),
        make_table([row for each in rows for row in each.evaluations], EVALUATION_COLUMNS),
        tuple(rows),
    )


def tabulate_runs(
    paths: Iterable[str | PathLike[str]] | str | PathLike[str], parameters: ReadingParameters | None = None
) -> pd.DataFrame:
    """The table of runs of files and folders, one row per log, see `columns.RUN_COLUMNS`.

    Args:
        paths: files and folders.
        parameters: by what they are read.

    Raises:
        UsageError: as `read_tables` says.
    """
    return read_tables(paths, parameters).runs


def tabulate_evaluations(
    paths: Iterable[str | PathLike[str]] | str | PathLike[str], parameters: ReadingParameters | None = None
) -> pd.DataFrame:
    """The table of evaluations of files and folders, see `columns.EVALUATION_COLUMNS`.

    Args:
        paths: files and folders.
        parameters: by what they are read.

    Raises:
        UsageError: as `read_tables` says.
    """
    return read_tables(paths, parameters).evaluations


def read_many(paths: Sequence[str], parameters: ReadingParameters, jobs: int = 1) -> Iterator[RunRows]:
    """Read logs, in one process or in several, in their order.

    Args:
        paths: the logs.
        parameters: by what they are read.
        jobs: number of processes; 0 for one a processor core.

    Raises:
        UsageError: the parameters name something unknown.
        MLPerfLoggingError: a process was ended from outside.
    """
    read = partial(read_rows, parameters=parameters)
    workers = min(jobs or os.cpu_count() or 1, len(paths) // _FEWEST_A_WORKER)
    if workers <= 1 or "-" in paths:  # workers have no standard input
        yield from map(read, paths)
        return
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    context = get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            yield from pool.map(read, paths, chunksize=_LOGS_AT_ONCE)
        except BrokenProcessPool:
            raise MLPerfLoggingError(
                "a worker process was ended from outside, perhaps for want of memory; try fewer --jobs"
            ) from None
