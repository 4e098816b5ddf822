"""What benchmarks share: workers in other Pythons, taking turns, tables.

A worker is a process that reads paths from its standard input and answers each with figures. It runs a piece of
Python that defines ``run(path)``, which is timed, and ``count(result)``. Contestants that are workers can take
turns on the same file within milliseconds, so that a busy machine treats all alike.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

PROJECT = Path(__file__).resolve().parent.parent

_WORKER = """
import json, sys, time
{code}
for line in sys.stdin:
    path, best = line.rstrip("\\n"), float("inf")
    for _ in range({repetitions}):
        begin = time.perf_counter()
        result = run(path)
        best = min(best, time.perf_counter() - begin)
        number = count(result)
        del result
    print(json.dumps([best, number]), flush=True)
"""


def install_package(folder: Path) -> Path:
    """Install the package as users do, into an environment of its own; its dependencies are those of this Python.

    Args:
        folder: an empty folder.

    Returns:
        The folder of the environment's commands.
    """
    environment = folder / "installed"
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheel = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder]
    with tempfile.TemporaryDirectory() as source:  # the build leaves its own files there
        for name in ("mlperf_logging", "compliance_rules", "reference_impls"):
            shutil.copytree(PROJECT / name, Path(source, name), ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("setup.cfg", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
            shutil.copy(PROJECT / name, source)
        subprocess.run([*wheel, source], check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    install = ["--python", python, "install", "--no-deps", "--no-index", built]
    subprocess.run([*pip, *install], check=True, capture_output=True)
    (packages,) = environment.glob("lib/*/site-packages")
    dependencies = [path for path in sys.path if Path(path).name == packages.name]
    (packages / "dependencies.pth").write_text("\n".join(dependencies) + "\n", "utf-8")
    return environment / "bin"


def add_peer_option(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--peer``, by default what ``MLPERF_PEER_PYTHON`` names: a Python with the public package, or None."""
    default = os.environ.get("MLPERF_PEER_PYTHON") or None
    parser.add_argument(
        "--peer",
        type=_find_python,
        default=default,
        metavar="PYTHON",
        help="Python of an environment with the public package",
    )


def _find_python(text: str) -> str:
    """The absolute path, since workers start in other folders; links stay, by which a Python knows its environment."""
    found = shutil.which(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text} is no program; `make peer` installs .venv-peer/bin/python")
    return str(Path(found).absolute())


class Figure(NamedTuple):
    """What a worker says of one path.

    Attributes:
        seconds: time of the fastest of its repetitions.
        count: what it counted.
    """

    seconds: float
    count: int


class Worker:
    """A process that runs a piece of Python on one path after another."""

    def __init__(self, python: str, code: str, *, repetitions: int = 1) -> None:
        program = _WORKER.format(code=code, repetitions=repetitions)
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [python, "-c", program],
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
            cwd=Path(__file__).parent,
        )
        self._questions, self._answers = (
            cast("IO[str]", self._process.stdin),
            cast("IO[str]", self._process.stdout),
        )

    def measure(self, path: str | Path) -> Figure:
        """Run on one path.

        Raises:
            RuntimeError: the worker has ended; the message is what it said last.
        """
        try:
            self._questions.write(f"{path}\n")
            self._questions.flush()
            answer = self._answers.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise RuntimeError(cast("IO[str]", self._process.stderr).read()[-2000:])
        return Figure(*json.loads(answer))

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._questions.close()
        self._process.wait()


def run_alone(code: str, *arguments: str, python: str = sys.executable) -> Any:
    """Run a piece of Python in a process of its own and give the JSON that it prints."""
    done = subprocess.run([python, "-c", code, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout)


def take_evenly(things: Sequence[Any], count: int) -> list[Any]:
    """So many of some things, evenly spread over all; all of them when there are fewer."""
    count = min(count, len(things))
    return [things[number * len(things) // count] for number in range(count)]


def describe_machine() -> str:
    """The Python and the machine in one line."""
    return f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"


def format_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown: text to the left, numbers to the right."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in [list(head), *cells]) for column in range(len(head))]
    right = [isinstance(row, (int, float)) for row in rows[0]] if rows else [False] * len(head)

    def line(row: Sequence[str]) -> str:
        filled = [
            text.rjust(width) if is_right else text.ljust(width)
            for text, width, is_right in zip(row, widths, right, strict=True)
        ]
        return f"| {' | '.join(filled)} |"

    rule = [
        ("-" * (width - 1) + ":") if is_right else "-" * width
        for width, is_right in zip(widths, right, strict=True)
    ]
    return "\n".join([line(list(head)), f"|{'|'.join(f' {part} ' for part in rule)}|", *map(line, cells)])


def _cell(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.3g}" if abs(cell) < 10 else f"{cell:.1f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
