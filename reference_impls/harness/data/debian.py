"""Data from Debian packages: downloads a package without root and unpacks it into a folder."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from reference_impls.harness.errors import DataError

_LONGEST_TAIL = 300


def fetch_package(name: str, folder: Path, *, package: Path | None = None) -> None:
    """Get a Debian package and unpack it; nothing is installed.

    Uses the package lists of the machine if there are any, and otherwise downloads lists into a temporary folder,
    so that neither needs root.

    Args:
        name: name of the package.
        folder: where to unpack it; what the package would install at ``/usr`` ends up at ``folder/usr``.
        package: the package's file, if it was downloaded before.

    Raises:
        DataError: there is no apt here, or it cannot get the package, or the package is damaged.
    """
    advice = (
        f"On a machine with Debian or Ubuntu run 'apt-get download {name}' and pass the file with "
        "--package FILE.deb"
    )
    if shutil.which("dpkg-deb") is None:
        raise DataError(
            f"dpkg-deb is not on this machine, so the package {name} cannot be unpacked. {advice}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mlperf-package-") as temporary:
        if package is None:
            if shutil.which("apt-get") is None:
                raise DataError(f"apt-get is not on this machine, so {name} cannot be downloaded. {advice}")
            package = _download(name, Path(temporary), advice)
        elif not package.is_file():
            raise DataError(f"{package} does not exist. {advice}")
        problem = _run(["dpkg-deb", "-x", str(package.resolve()), str(folder.resolve())], Path(temporary))
        if problem is not None:
            raise DataError(f"{package} cannot be unpacked: {problem}. {advice}")


def _download(name: str, place: Path, advice: str) -> Path:
    """The package's file in a folder."""
    problem = _run(["apt-get", "download", name], place)
    found = sorted(place.glob("*.deb"))
    if problem is not None or not found:
        lists, cache = place / "lists", place / "cache"
        (lists / "partial").mkdir(parents=True)
        (cache / "archives" / "partial").mkdir(parents=True)
        private = ["-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={cache}"]
        problem = _run(["apt-get", *private, "update"], place) or _run(
            ["apt-get", *private, "download", name], place
        )
        found = sorted(place.glob("*.deb"))
    if problem is not None or not found:
        raise DataError(f"apt-get cannot download {name}: {problem or 'it left no file'}. {advice}")
    return found[0]


def _run(command: list[str], place: Path) -> str | None:
    """Run a command; None if it succeeds, otherwise the last line of its output."""
    done = subprocess.run(  # noqa: S603 - fixed commands, no shell
        command, cwd=place, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return lines[-1][-_LONGEST_TAIL:] if lines else f"{command[0]} failed with exit code {done.returncode}"
