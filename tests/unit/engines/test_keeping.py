"""The engine that works on changed logs only, with a keeper in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mlperf_logging.engines import keeping
from mlperf_logging.engines.keeping import DigestedLog, KeepingEngine, digest_log
from mlperf_logging.engines.local import LocalEngine


class MemoryKeeper:
    """Keeps the results of logs by their bytes.

    Attributes:
        kept: digest to result.
        calls: the number of logs of each call of `keep`.
    """

    def __init__(self) -> None:
        self.kept: dict[str | None, Any] = {}
        self.calls: list[int] = []

    def list_known(self, logs: Sequence[DigestedLog]) -> list[bool]:
        """Those that are there."""
        return [log.digest in self.kept for log in logs]

    def find(self, logs: Sequence[DigestedLog]) -> list[Any]:
        """What is there."""
        return [self.kept.get(log.digest) for log in logs]

    def keep(self, results: Sequence[tuple[DigestedLog, Any]]) -> None:
        """Put it there."""
        self.calls.append(len(results))
        self.kept |= {log.digest: result for log, result in results}


class Work:
    """Reads a log and notes that it did."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def __call__(self, path: str) -> str:
        """The text of the log."""
        self.paths.append(path)
        return Path(path).read_text()


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    """Five logs."""
    logs = [tmp_path / f"{number}.txt" for number in range(5)]
    for log in logs:
        log.write_text(log.name)
    return list(map(str, logs))


def run(keeper: MemoryKeeper, paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """The results, and the logs that were read for them."""
    work = Work()
    return list(KeepingEngine(LocalEngine(), keeper).map_logs(work, paths)), work.paths


def test_changed_logs_only_are_read(paths):
    """The second time nothing is read but a log of which a byte has changed, and the results keep their order."""
    keeper = MemoryKeeper()
    assert run(keeper, paths) == ([f"{number}.txt" for number in range(5)], paths)
    assert run(keeper, paths)[1] == []

    Path(paths[2]).write_text("changed")
    assert run(keeper, paths) == (["0.txt", "1.txt", "changed", "3.txt", "4.txt"], [paths[2]])


def test_same_bytes_elsewhere_are_known(paths, tmp_path):
    """A log is known by its bytes, whatever it is called."""
    keeper = MemoryKeeper()
    run(keeper, paths)
    renamed = str(Path(paths[0]).rename(tmp_path / "renamed.txt"))

    assert run(keeper, [renamed]) == (["0.txt"], [])


def test_growing_log_is_not_kept(paths):
    """What a log gave that changes while it is read belongs to no bytes, so it is not kept."""
    keeper = MemoryKeeper()

    def work(path: str) -> str:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write("more")
        return "read"

    assert list(KeepingEngine(LocalEngine(), keeper).map_logs(work, paths)) == ["read"] * 5
    assert keeper.kept == {}


def test_interrupted_work_is_kept(paths):
    """Where the work ends early, what was read until then is kept."""
    keeper, work = MemoryKeeper(), Work()
    results = KeepingEngine(LocalEngine(), keeper).map_logs(work, paths)
    assert [next(results), next(results)] == ["0.txt", "1.txt"]
    results.close()

    assert sorted(keeper.kept.values()) == ["0.txt", "1.txt"]


def test_logs_are_kept_in_batches(paths, monkeypatch):
    """Many logs are kept a batch at a time, so that a command that is killed loses one batch."""
    monkeypatch.setattr(keeping, "LOGS_AT_ONCE", 2)
    keeper = MemoryKeeper()
    assert run(keeper, paths)[0] == [f"{number}.txt" for number in range(5)]
    assert keeper.calls == [2, 2, 1]


def test_lost_outcome_is_read_again(paths):
    """Where a keeper cannot give what it said that it knows, the log is read."""
    keeper = MemoryKeeper()
    run(keeper, paths)
    keeper.kept[digest_log(paths[3])] = None

    assert run(keeper, paths) == ([f"{number}.txt" for number in range(5)], [paths[3]])


def test_processes_give_the_same(paths):
    """Worker processes read what has changed, and the results are the same."""
    keeper = MemoryKeeper()
    keeper.kept[digest_log(paths[1])] = "known"
    results = list(KeepingEngine(LocalEngine(2), keeper).map_logs(_read, paths))

    assert results == ["0.txt", "known", "2.txt", "3.txt", "4.txt"]
    assert len(keeper.kept) == 5


def test_what_can_be_read_once_has_no_digest(tmp_path):
    """Standard input, a folder and a missing file cannot be looked up, so they are read each time."""
    assert [digest_log(path) for path in ("-", str(tmp_path), str(tmp_path / "none"))] == [None] * 3


def _read(path: str) -> str:
    return Path(path).read_text()
