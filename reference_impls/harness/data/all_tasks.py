"""Getting the data of every task: what `mlperf train data all` does."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr
from importlib import import_module
from pathlib import Path

from reference_impls.harness.run.process import without_notices
from reference_impls.harness.tasks import SCALES, Task, list_tasks


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from a command line; return the exit code: 0, or 2 where the data of a task is missing or damaged."""
    parser = argparse.ArgumentParser(
        prog="mlperf train data all",
        description="Get, check and prepare the data of every task; what is there and intact stays.",
    )
    parser.add_argument("--scale", choices=SCALES, default="mini")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        default=Path("data"),
        help="folder of all data sets (default: data)",
    )
    parser.add_argument("--verify", action="store_true", help="only check the data that is there")
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # some scripts load TensorFlow
    codes = [
        get_data(task, options.scale, options.data / task.name / options.scale, verify=options.verify)
        for task in list_tasks().values()
    ]
    return max(codes)


def get_data(task: Task, scale: str, folder: Path, *, verify: bool = False) -> int:
    """Get the data of a task unless it is there and intact, by the script that also serves a single task.

    Args:
        task: the task.
        scale: ``mini`` or ``full``.
        folder: where the data is, or will be.
        verify: only check what is there.

    Returns:
        Exit code: 0, or 2 with one sentence on standard error.
    """
    script = import_module(task.scripts)
    arguments = ["--scale", scale, "--data", str(folder)]
    said = io.StringIO()
    try:
        with without_notices(), redirect_stderr(said):
            code: int = script.main([*arguments, "--verify"])
        if code and not verify:
            return int(script.main(arguments))
    except OSError as error:
        sys.stderr.write(f"{task.name}: cannot continue: {error}\n")
        return 2
    sys.stderr.write(said.getvalue())
    return code
