"""Where findings stand, for services that know files by their paths in a repository, and what tells findings apart."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlperf_logging.parsing.sources import STANDARD_INPUT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlperf_logging.compliance.findings import Finding


class RepositoryPaths:
    """Paths as seen from the root of the repository that holds them, wherever the command runs.

    The root is the CI job's workspace, for files in it, else the nearest folder above a file that holds ``.git``.
    A path outside any repository stays as given.
    """

    def __init__(self, workspace: str) -> None:
        self._workspace = os.path.realpath(workspace) if workspace else ""
        self._roots: dict[str, str] = {}

    def relate(self, path: str) -> str:
        """A path as seen from the root."""
        if path == STANDARD_INPUT:
            return path
        folder = os.path.realpath(os.path.dirname(path) or os.curdir)
        whole = os.path.join(folder, os.path.basename(path))
        for root in (self._workspace, self._find_root(folder)):
            if root and whole.startswith(f"{root.rstrip(os.sep)}{os.sep}"):
                return whole[len(root.rstrip(os.sep)) + 1 :]
        return path

    def _find_root(self, folder: str) -> str:
        if folder not in self._roots:
            above = os.path.dirname(folder)
            if os.path.lexists(os.path.join(folder, ".git")):
                self._roots[folder] = folder
            else:
                self._roots[folder] = self._find_root(above) if above != folder else ""
        return self._roots[folder]


class Fingerprints:
    """Gives findings what stays the same when a log gets lines above: rule, key, what was found, which one."""

    def __init__(self) -> None:
        self._repeats: dict[str, int] = {}

    def identify(self, path: str, finding: Finding) -> tuple[str, int]:
        """A digest of the finding, without path and line, and its number among those of the log with the same one."""
        from hashlib import sha256

        said = "\x1f".join((finding.code, finding.rule, finding.key or "", finding.found))
        digest = sha256(said.encode("utf-8", "backslashreplace")).hexdigest()[:32]
        place = f"{path}\x1f{digest}"
        self._repeats[place] = self._repeats.get(place, 0) + 1
        return digest, self._repeats[place]


def find_common_folder(paths: Sequence[str]) -> str:
    """The folder that all paths share, with its slash; nothing where they share none."""
    folders = {os.path.dirname(path) for path in paths}
    if not folders or "" in folders:
        return ""
    try:
        common = os.path.commonpath(folders)
    except ValueError:  # some absolute, some not
        return ""
    shown = f"{common.rstrip(os.sep)}{os.sep}"
    return shown if common and all(path.startswith(shown) for path in paths) else ""
