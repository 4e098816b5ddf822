"""The file that a logger is told to write: its name, what it holds already, and who may begin it."""

from __future__ import annotations

import os

from mlperf_logging.mllog import constants, termination
from mlperf_logging.mllog.errors import ConfigError
from mlperf_logging.mllog.files import FILE_FLAGS
from mlperf_logging.mllog.notices import print_notice, print_notice_once
from mlperf_logging.mllog.ranks import find_rank

RANK = "{rank}"
SEARCHED_BYTES = 1 << 20
"""So much of a file's beginning, and of its end, is searched for a run."""


def find_path(filename: str | os.PathLike[str]) -> str | None:
    """The absolute path of a log file, rank and home folder filled in; None, after a notice, for a URL."""
    name = os.fspath(filename)
    scheme, mark, _ = name.partition(":/")  # pathlib makes one slash of two
    if mark and len(scheme) > 1 and scheme.isalnum():
        print_notice_once(
            f"mllog: no file is written: {name} is a URL, and events are appended to local files only, one by "
            "one; name a path, and copy the file when the run is over"
        )
        return None
    if RANK in name:
        name = name.replace(RANK, str(find_rank() or 0))
    return os.path.abspath(os.path.expanduser(name))


def begin_file(filename: str | os.PathLike[str], path: str, mode: str | None) -> None:
    """Make ready for a run what is at the path, as the mode says.

    Of several processes that write to one file only the first begins it, and children of `multiprocessing`
    append: their parent has begun it.

    Raises:
        ConfigError: the mode is ``"exclusive"``, and there is such a file.
    """
    if termination.skips_exit_hooks() or (find_rank() and RANK not in os.fspath(filename)):
        return
    try:
        if mode == "exclusive":
            os.makedirs(os.path.dirname(path), exist_ok=True)
            _create(path)
        elif os.path.isfile(path) and os.path.getsize(path):
            if mode == "new":
                _move_aside(path)
            elif mode is None and _holds_run(path):
                print_notice(
                    f"mllog: {path} already holds a run, and a log must hold one; events are appended to it. "
                    "Choose mode='append' if that run is resumed, mode='new' to move the file aside, or name another file"
                )
    except OSError as error:
        print_notice(f"mllog: {path}: {error.strerror}; events are appended to it")


def _create(path: str) -> None:
    try:
        os.close(os.open(path, FILE_FLAGS | os.O_EXCL, 0o666))
    except FileExistsError:
        raise ConfigError(
            f"mllog.config: {path} exists, and mode is 'exclusive'; name another file or remove it"
        ) from None


def _move_aside(path: str) -> None:
    number = 1
    while os.path.lexists(f"{path}.{number}"):
        number += 1
    os.rename(path, f"{path}.{number}")
    print_notice(f"mllog: the former {path} is now {path}.{number}")


def _holds_run(path: str) -> bool:
    with open(path, "rb") as file:
        searched = file.read(SEARCHED_BYTES)
        file.seek(max(os.path.getsize(path) - SEARCHED_BYTES, SEARCHED_BYTES))
        searched += file.read(SEARCHED_BYTES)
    return f'"key": "{constants.RUN_START}"'.encode() in searched
