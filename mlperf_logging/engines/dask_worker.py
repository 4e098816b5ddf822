"""What a Dask worker does with a batch of logs. Nothing of Dask is needed to say it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from threading import Lock
from typing import NamedTuple

from mlperf_logging import __version__
from mlperf_logging.engines.engine import Result, measure_bytes
from mlperf_logging.installation import DISTRIBUTION

_FOLDER_LOCK = Lock()
"""A process has one working folder, and a worker may have several threads."""


class Batch(NamedTuple):
    """Logs that a worker is to work on.

    Attributes:
        version: of this package where the batch was made.
        folder: the working folder there, which paths start from.
        paths: the logs.
        sizes: of their files in bytes, as seen there; None where it could not be told.
    """

    version: str
    folder: str
    paths: tuple[str, ...]
    sizes: tuple[int | None, ...]


class Refusal(NamedTuple):
    """Why a worker has not begun to work on a batch.

    Attributes:
        sentence: what is wrong with the worker.
        concerns_file: whether a log is another file there, which it also is if it has just changed.
    """

    sentence: str
    concerns_file: bool = False


def tell_version() -> str:
    """The version of this package where it is asked for."""
    return __version__


def make_batch(paths: Sequence[str], sizes: Sequence[int | None]) -> Batch:
    """A batch of logs as this process sees them."""
    return Batch(__version__, os.getcwd(), tuple(paths), tuple(sizes))


def work_on_batch(work: Callable[[str], Result], batch: Batch) -> list[Result] | Refusal:
    """Work on logs in the folder that their paths start from, so that they keep the names that they were given.

    The results are those that the process would have had which made the batch, or none: a worker with another version
    of this package, or with other files, refuses.

    Raises:
        MLPerfLoggingError: what the work raises.
    """
    if batch.version != __version__:
        return Refusal(
            f"a worker on {socket.gethostname()} has {DISTRIBUTION} {__version__}, and this command "
            f"has {batch.version}; install the same version in both places"
        )
    with _FOLDER_LOCK:
        before = os.getcwd()
        try:
            os.chdir(batch.folder)
        except OSError:
            return Refusal(
                f"a worker on {socket.gethostname()} has no folder {batch.folder!r}; the workers must see the logs "
                "under the same paths, so put them on a file system that all share"
            )
        try:
            for path, size in zip(batch.paths, batch.sizes, strict=True):
                seen = measure_bytes(path)
                if seen != size:
                    return Refusal(_describe_difference(path, size, seen), concerns_file=True)
            return [work(path) for path in batch.paths]
        finally:
            os.chdir(before)


def _describe_difference(path: str, size: int | None, seen: int | None) -> str:
    host = socket.gethostname()
    if seen is None:
        differs = f"a worker on {host} does not see {path!r}"
    elif size is None:
        differs = f"a worker on {host} sees {path!r}, which this command does not"
    else:
        differs = f"a worker on {host} sees {seen:,} bytes in {path!r} and this command {size:,}"
    return f"{differs}; put the logs on a file system that all workers share, or leave out --scheduler"
