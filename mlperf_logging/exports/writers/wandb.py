"""Weights & Biases, offline: one run folder per run, which ``wandb sync`` uploads if the user wants that."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from glob import escape, glob
from tempfile import TemporaryFile
from typing import Any

from mlperf_logging.errors import UsageError
from mlperf_logging.exports.points import Point
from mlperf_logging.exports.run_export import RunEnd, RunHead, Stamp
from mlperf_logging.exports.writers import BaseSession, BaseWriter, Kept, require_library
from mlperf_logging.runs.summary import SUCCESS

RUNS = "wandb"
MARK = "mlperf_export.json"
"""File in a run folder that holds the stamp of an export that is complete, and lists what was written."""
STEP = "mlperf/step"
"""The metric that all others are drawn over: W&B's own steps must not go back, those of logs may."""

_FOLDER = re.compile(r"offline-run-\d+_\d+-([0-9a-f]{16})")


class Writer(BaseWriter):
    """A folder in which the library makes its own folder of runs."""

    title = "Weights & Biases"
    about = "offline runs of Weights & Biases, for wandb sync"
    hint = "to upload it: wandb sync {place}/wandb/offline-run-*"

    def __init__(self, place: str) -> None:
        require_library("wandb", self.title, "wandb")
        super().__init__(os.path.abspath(os.path.expanduser(place)))
        try:
            os.makedirs(os.path.join(self.place, RUNS), exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot make the folder {place!r}: {error.strerror}") from None

    def list_kept(self) -> Mapping[str, Kept]:
        """The run folders of logs, by path."""
        found: dict[str, Kept] = {}
        for entry in os.scandir(os.path.join(self.place, RUNS)):
            named = _FOLDER.fullmatch(entry.name)
            if named is not None and entry.is_dir(follow_symlinks=False):
                mark = _read_mark(entry.path)
                stamp = Stamp(named[1], mark.get("source", ""), mark.get("content", ""))
                found[entry.path] = Kept(mark.get("name", ""), stamp)
        return found

    def remove(self, handle: str) -> None:
        """Remove the files that were written for an export, and their folders as far as they are empty then."""
        written = _read_mark(handle).get("files")
        if written is None:  # it was not completed, so nobody has used it
            shutil.rmtree(handle)
            return
        later = glob(
            os.path.join(escape(handle), "logs", "debug*.log")
        )  # the library writes there after the end
        for name in dict.fromkeys([*written, MARK, *[os.path.relpath(path, handle) for path in later]]):
            path = os.path.join(handle, name)
            folder = os.path.realpath(os.path.dirname(path))  # what the mark names may not lead elsewhere
            if os.path.commonpath([folder, os.path.realpath(handle)]) == os.path.realpath(handle):
                with suppress(FileNotFoundError):
                    os.unlink(path)
        for folder, _, _ in os.walk(handle, topdown=False):
            if not os.listdir(folder):
                os.rmdir(folder)

    def open(self, head: RunHead, stamp: Stamp | None = None) -> BaseSession:
        """Begin an offline run in the project that it belongs to."""
        import wandb

        _try_writing(self.place)
        settings = wandb.Settings(
            console="off",
            disable_code=True,
            disable_git=True,
            disable_job_creation=True,
            save_code=False,
            silent=True,
            x_disable_meta=True,
            x_disable_stats=True,
            x_save_requirements=False,
        )
        run = wandb.init(
            project=re.sub(r"[/\\#?%:]", "_", head.experiment)[:128],
            id=stamp.log if stamp is not None else None,
            name=head.name,
            config={**head.params, **head.tags},
            dir=self.place,
            mode="offline",
            reinit="create_new",
            settings=settings,
        )
        # On a full disk, each line of the library's own log would be a traceback on standard error.
        for handler in logging.getLogger("wandb").handlers:
            handler.handleError = _ignore  # type: ignore[method-assign]
        run.define_metric("*", step_metric=STEP)
        return Session(head.name, run, stamp)

    def close(self) -> None:
        """End the library's process."""
        import wandb

        wandb.teardown()


class Session(BaseSession):
    """One offline run."""

    def __init__(self, name: str, run: Any, stamp: Stamp | None) -> None:
        super().__init__(name)
        self._run, self._stamp = run, stamp
        self._folder = os.path.dirname(run.dir)

    def log(self, points: Sequence[Point]) -> None:
        """Add a row for the points of each moment and step; a metric that comes again begins another row."""
        row: dict[str, Any] = {}
        for name, step, time_ms, value in points:
            place = {STEP: step, "_timestamp": time_ms / 1000}
            if name in row or f"log/{name}" in row or not place.items() <= row.items():
                self._add(row)
                row = place
            row[f"log/{name}" if name == STEP or name.startswith("_") else name] = value
        self._add(row)

    def _add(self, row: dict[str, Any]) -> None:
        if row:
            self._run.log(row)

    def finish(self, end: RunEnd) -> None:
        """End the run, with the exit code 0 where it succeeded, and mark its folder as complete."""
        self._run.config.update({**end.params, **end.tags}, allow_val_change=True)
        self._run.finish(exit_code=int(end.status != SUCCESS))
        if self._stamp is None:
            return
        files = [
            os.path.relpath(os.path.join(folder, name), self._folder)
            for folder, _, names in os.walk(self._folder)
            for name in names
        ]
        mark = {"name": self.name, **self._stamp._asdict(), "files": sorted(files)}
        with open(os.path.join(self._folder, MARK), "w", encoding="utf-8", errors="surrogateescape") as file:
            json.dump(mark, file)

    def abandon(self) -> None:
        """End the run as failed; without the mark the next export of its log replaces it."""
        self._run.finish(exit_code=1)


def _try_writing(folder: str) -> None:
    """Raise `OSError` where a folder takes no files; the library would go on and say so many times."""
    with TemporaryFile(dir=folder) as file:
        file.write(bytes(1 << 14))


def _ignore(record: logging.LogRecord) -> None:
    """Do nothing about a line that cannot be written."""


def _read_mark(folder: str) -> dict[str, Any]:
    try:
        with open(os.path.join(folder, MARK), encoding="utf-8", errors="surrogateescape") as file:
            mark = json.load(file)
    except (OSError, ValueError):
        return {}
    return mark if isinstance(mark, dict) else {}
