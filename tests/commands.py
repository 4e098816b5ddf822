"""`mlperf` called within the test's process, which takes a fraction of the time of a process of its own."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from checkout import PROJECT

from mlperf_logging.cli.main import main


@contextmanager
def chdir(folder: Path) -> Iterator[None]:
    """Work in a folder, as `contextlib.chdir` does from Python 3.11 on."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


class Done(NamedTuple):
    """What a command gave.

    Attributes:
        returncode: its exit code.
        output: bytes written to standard output.
        stderr: text written to standard error.
    """

    returncode: int
    output: bytes
    stderr: str

    @property
    def stdout(self) -> str:
        """Standard output as text."""
        return self.output.decode()


def run_mlperf(*arguments: object, folder: Path = PROJECT) -> Done:
    """Run `mlperf` to its end.

    Args:
        arguments: what follows the program's name.
        folder: the working folder.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 2
        sys.stdout.flush()
        sys.stderr.flush()
    return Done(code, out.buffer.getvalue(), err.buffer.getvalue().decode())  # type: ignore[attr-defined]
