"""Many logs to tables: of runs, evaluations, series and hyperparameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from os import PathLike, fspath
from typing import TYPE_CHECKING

from mlperf_logging.analysis.columns import EVALUATION_COLUMNS, RUN_COLUMNS, SERIES_COLUMNS, make_table
from mlperf_logging.analysis.reading import ReadingParameters, RunRows, read_runs
from mlperf_logging.engines.engine import Engine
from mlperf_logging.engines.local import LocalEngine
from mlperf_logging.errors import UsageError
from mlperf_logging.runs.paths import find_logs

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Tables:
    """What many logs give.

    Attributes:
        runs: one row per log, see `columns.RUN_COLUMNS`.
        evaluations: one row per metric of each evaluation, see `columns.EVALUATION_COLUMNS`.
        rows: the same, log by log, with hyperparameters.
    """

    runs: pd.DataFrame
    evaluations: pd.DataFrame
    rows: tuple[RunRows, ...]

    @property
    def series(self) -> pd.DataFrame:
        """One row per number of each series that was read, see `columns.SERIES_COLUMNS`."""
        import pandas as pd

        found = [each.series for each in self.rows if each.series is not None]
        return pd.concat(found, ignore_index=True) if found else make_table([], SERIES_COLUMNS)


def list_logs(paths: Iterable[str | PathLike[str]] | str | PathLike[str]) -> list[str]:
    """The logs that paths mean: a file for itself, a folder for the result logs at and below it."""
    given = [paths] if isinstance(paths, (str, PathLike)) else paths
    found = find_logs([fspath(path) for path in given], results=True)
    if found.complaints:
        raise UsageError(found.complaints[0])
    return found.paths


def read_tables(
    paths: Iterable[str | PathLike[str]] | str | PathLike[str],
    parameters: ReadingParameters | None = None,
    *,
    jobs: int = 1,
    engine: Engine | None = None,
    advance: Callable[[], None] | None = None,
) -> Tables:
    """Read logs into tables. A log that cannot be read gives a row that says why.

    Args:
        paths: files and folders.
        parameters: how they are read.
        jobs: number of processes; 0 for one per processor core.
        engine: what reads the logs instead of processes of this machine.
        advance: called after each log, for a progress bar.

    Raises:
        UsageError: a path does not exist, a folder contains no log, or the parameters name something unknown.
    """
    rows: list[RunRows] = []
    read = partial(read_runs, parameters=parameters or ReadingParameters())
    for each in (engine or LocalEngine(jobs)).map_logs(read, list_logs(paths)):
        rows += each
        if advance is not None:
            advance()
    return make_tables(rows)


def make_tables(rows: Sequence[RunRows]) -> Tables:
    """The tables of what `read_runs` gave for each log."""
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
        parameters: how they are read.

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
        parameters: how they are read.

    Raises:
        UsageError: as `read_tables` says.
    """
    return read_tables(paths, parameters).evaluations
