"""The engine that remembers: works on those logs only that have changed since another engine worked on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, NamedTuple, Protocol

from mlperf_logging.engines.engine import Engine, Result
from mlperf_logging.parsing.sources import BLOCK_BYTES, STANDARD_INPUT, is_special

LOGS_AT_ONCE = 1_024
"""Logs that are looked up and kept together: memory stays bounded, and a command that is killed loses no more."""


class DigestedLog(NamedTuple):
    """A log as it was looked up: its path and the SHA-256 of its bytes, None where it cannot be read a second time."""

    path: str
    digest: str | None


class Keeper(Protocol):
    """Remembers what the work on logs gave."""

    def list_known(self, logs: Sequence[DigestedLog]) -> list[bool]:
        """For each log, whether it is known what the work would give."""
        ...

    def find(self, logs: Sequence[DigestedLog]) -> list[Any]:
        """What the work would give for each log; None where that cannot be told."""
        ...

    def keep(self, results: Sequence[tuple[DigestedLog, Any]]) -> None:
        """Remember what the work on logs gave."""
        ...


class KeepingEngine(NamedTuple):
    """Hashes all logs and works on those that the keeper does not know.

    Attributes:
        engine: what hashes and works.
        keeper: what remembers; of the same work as it is given to `map_logs`.
    """

    engine: Engine
    keeper: Keeper

    def map_logs(self, work: Callable[[str], Result], paths: Sequence[str]) -> Iterator[Result]:
        """Work on the logs that are not known, see `Engine.map_logs`. A log that changes while it is read is not kept."""
        with self.engine.kept_open():
            yield from self._map_changed(work, paths)

    def kept_open(self) -> AbstractContextManager[None]:
        """See `Engine.kept_open`."""
        return self.engine.kept_open()

    def _map_changed(self, work: Callable[[str], Result], paths: Sequence[str]) -> Iterator[Result]:
        logs = list(map(DigestedLog, paths, self.engine.map_logs(digest_log, paths)))
        batches = [logs[start : start + LOGS_AT_ONCE] for start in range(0, len(logs), LOGS_AT_ONCE)]
        known = [is_known for batch in batches for is_known in self.keeper.list_known(batch)]
        changed = [path for path, is_known in zip(paths, known, strict=True) if not is_known]
        results = self.engine.map_logs(partial(_work_and_digest, work), changed)
        marks = iter(known)
        for batch in batches:
            fresh: list[tuple[DigestedLog, Result]] = []
            try:
                for log, kept, is_known in zip(batch, self.keeper.find(batch), marks, strict=False):
                    if is_known and kept is not None:
                        yield kept
                        continue
                    result, digest = _work_and_digest(work, log.path) if is_known else next(results)
                    if digest is not None and digest == log.digest:
                        fresh.append((log, result))
                    yield result
            finally:  # also where the command is interrupted: what was read need not be read again
                self.keeper.keep(fresh)


def digest_log(path: str) -> str | None:
    """The SHA-256 of a log's bytes as hexadecimal digits; None for what can be read only once, or not at all."""
    if path == STANDARD_INPUT or is_special(path):
        return None
    from hashlib import sha256  # a log check starts without it

    digest = sha256()
    try:
        with open(path, "rb", buffering=0) as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
    except (OSError, ValueError):  # who reads it says what is wrong with it
        return None
    return digest.hexdigest()


def _work_and_digest(work: Callable[[str], Result], path: str) -> tuple[Result, str | None]:
    """What the work gives, and the checksum of the log afterward."""
    result = work(path)
    return result, digest_log(path)
