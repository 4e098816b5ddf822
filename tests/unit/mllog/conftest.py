"""Fixtures for the tests of the logging API."""

from __future__ import annotations

import itertools
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlperf_logging.mllog.buffering import BufferedFileSink
from mlperf_logging.mllog.files import FileSink
from mlperf_logging.mllog.mllog import MLLogger
from mlperf_logging.mllog.testing import MemorySink
from tests.logs import read_records


def make_target() -> logging.Logger:
    """A logger of `logging` that no other test has."""
    target = logging.getLogger(f"mllog.test.{next(_counter)}")
    target.setLevel(logging.INFO)
    target.propagate = False
    return target


_counter = itertools.count()


class Recorder:
    """A logger with a memory: `logger` writes, `line` and `record` give what was written last."""

    def __init__(self) -> None:
        self.sink = MemorySink()
        self.target = make_target()
        self.target.addHandler(self.sink)
        self.logger = MLLogger(self.target)

    @property
    def line(self) -> str:
        """The last line."""
        return self.sink.lines[-1]

    @property
    def record(self) -> dict[str, Any]:
        """The JSON of the last line."""
        (record,) = read_records(self.line)
        return record


@pytest.fixture
def recorder() -> Recorder:
    """A logger that keeps its lines in memory."""
    return Recorder()


class FileLogger:
    """A logger whose only sink is a file; `read` gives the records in the file."""

    def __init__(self, path: Path, buffer_seconds: float = 0.0) -> None:
        self.path = path
        self.sink = BufferedFileSink(path, buffer_seconds) if buffer_seconds else FileSink(path)
        self.target = make_target()
        self.target.addHandler(self.sink)
        self.logger = MLLogger(self.target)

    def read(self) -> list[dict[str, Any]]:
        """The records in the file."""
        return read_records(self.path.read_text())


@pytest.fixture
def open_file_logger() -> Iterator[Callable[..., FileLogger]]:
    """Makes loggers with a file sink and closes them afterwards."""
    made: list[FileLogger] = []

    def open_one(path: Path, buffer_seconds: float = 0.0) -> FileLogger:
        made.append(FileLogger(path, buffer_seconds))
        return made[-1]

    yield open_one
    for one in made:
        one.sink.close()


@pytest.fixture
def run_script(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Python source as a script of its own, in a folder of its own."""

    def run(
        source: str, *arguments: str, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        script = tmp_path / "script.py"
        script.write_text(source)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MLLOG_")}
        return subprocess.run(
            [sys.executable, str(script), *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**clean, **(env or {})},
            timeout=60,
            check=False,
        )

    return run
