"""Logs of a git repository at a revision, taken out by git itself, without a working tree.

The repository may be a stranger's. Only commands that read objects are run: they start no hook, filter, pager or helper, and
settings that could are taken from nowhere but here. Nothing that a caller or the repository has named can become an option.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import IO, NamedTuple

from mlperf_logging.errors import MLPerfLoggingError, UsageError
from mlperf_logging.runs.side_files import MAX_BYTES as MAX_SIDE_BYTES
from mlperf_logging.store.fetching import MAX_BYTES, is_side_file, is_wanted, make_path

_FILE_MODES = (b"100644", b"100755", b"100664")
"""What git calls a file; links and repositories within are left out."""

_SETTINGS = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never"),
    *("-c", "core.pager=cat", "-c", "core.alternateRefsCommand="),
)
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
_BLOCK = 1 << 20


class Repository(NamedTuple):
    """A repository at a revision.

    Attributes:
        path: its folder, absolute.
        revision: as the caller named it.
        below: the folder or file in it whose logs are wanted; empty for all.
    """

    path: str
    revision: str
    below: str

    @property
    def own_name(self) -> str:
        """The name of its folder."""
        return os.path.basename(self.path).removesuffix(".git")

    def fetch(self, root: str) -> str:
        """Put the logs, and the files that are read beside them, into an empty folder; see `Fetched`.

        Raises:
            MLPerfLoggingError: there is no such revision or path, or git cannot read the repository.
            UsageError: git is not installed.
        """
        commit = _run(
            self, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{self.revision}^{{commit}}"
        )
        blobs = list(_list_blobs(self, commit.strip().decode("ascii")))
        if self.below and not any(_is_below(name, self.below) for _, name in blobs):
            raise MLPerfLoggingError(f"{self.path}@{self.revision} holds no log at {self.below!r}")
        _take_out(self, blobs, root)
        return self.below


def find_repository(name: str) -> Repository | None:
    """The repository that ``REPOSITORY@REVISION:PATH`` names; None where there is none.

    Raises:
        UsageError: the revision is empty or begins as an option does.
    """
    at = name.find("@")
    while at >= 0 and not _is_repository(name[:at]):
        at = name.find("@", at + 1)
    if at < 0:
        return None
    revision, _, below = name[at + 1 :].partition(":")
    if not revision or revision.startswith("-"):
        raise UsageError(f"{name!r} names no revision; write REPOSITORY@REVISION or REPOSITORY@REVISION:PATH")
    below = os.path.normpath(below).strip("/") if below else ""
    return Repository(os.path.abspath(name[:at]), revision, "" if below == os.curdir else below)


def _is_repository(path: str) -> bool:
    return bool(path) and (
        os.path.exists(os.path.join(path, ".git"))
        or (os.path.isfile(os.path.join(path, "HEAD")) and os.path.isdir(os.path.join(path, "objects")))
    )


def _make_command(repository: Repository, *arguments: str) -> list[str]:
    git = shutil.which("git")
    if git is None:
        raise UsageError("reading logs from a repository needs git, which is not installed")
    # whose the files are does not matter where nothing is run
    return [git, "-C", repository.path, "-c", f"safe.directory={repository.path}", *_SETTINGS, *arguments]


def _make_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | _ENVIRONMENT


def _run(repository: Repository, *arguments: str) -> bytes:
    ran = subprocess.run(  # noqa: S603 - the arguments are ours, but for a revision that stands behind --end-of-options
        _make_command(repository, *arguments),
        env=_make_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if ran.returncode:
        said = ran.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        why = said.removeprefix("fatal: ") or f"there is no revision {repository.revision!r}"
        raise MLPerfLoggingError(f"{repository.path}: {why}")
    return ran.stdout


def _list_blobs(repository: Repository, commit: str) -> Iterator[tuple[str, str]]:
    """Id and path of the files of a commit that are wanted."""
    size = 0
    listed = _run(repository, "ls-tree", "-r", "-z", "-l", "--full-tree", commit)
    for entry in listed.split(b"\0"):
        head, _, path = entry.partition(b"\t")
        fields = head.split()
        if len(fields) != 4 or fields[0] not in _FILE_MODES:
            continue
        name, length = os.fsdecode(path), int(fields[3]) if fields[3].isdigit() else 0
        if _is_below(name, repository.below):
            is_taken = is_wanted(name) or name == repository.below
        else:
            is_taken = is_side_file(name) and length <= MAX_SIDE_BYTES
        if is_taken:
            size += length
            if size > MAX_BYTES:
                raise MLPerfLoggingError(
                    f"{repository.path}@{repository.revision} holds more than {MAX_BYTES >> 30} GiB of logs; name "
                    "a path within it"
                )
            yield fields[2].decode("ascii"), name


def _is_below(name: str, folder: str) -> bool:
    return not folder or name == folder or name.startswith(f"{folder}/")


def _take_out(repository: Repository, blobs: list[tuple[str, str]], root: str) -> None:
    """Write files, which one process of git gives one after the other."""
    with subprocess.Popen(  # noqa: S603 - all arguments are ours
        _make_command(repository, "cat-file", "--batch"),
        env=_make_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - as asked for above
        try:
            for blob, name in blobs:
                process.stdin.write(f"{blob}\n".encode("ascii"))
                process.stdin.flush()
                _take_out_one(process.stdout, make_path(root, name), name)
            process.stdin.close()
        except BaseException:
            process.kill()
            raise


def _take_out_one(stream: IO[bytes], path: str | None, name: str) -> None:
    head = stream.readline().split()
    if len(head) != 3 or head[1] != b"blob":
        raise MLPerfLoggingError(f"git cannot read {name!r}; is the clone complete?")
    left = int(head[2])
    with open(path if path is not None else os.devnull, "wb") as file:
        while left:
            block = stream.read(min(_BLOCK, left))
            if not block:
                raise MLPerfLoggingError(f"git ended within {name!r}")
            file.write(block)
            left -= len(block)
    stream.read(1)
