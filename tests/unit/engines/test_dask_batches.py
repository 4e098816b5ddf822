"""Batches on the way to workers and back, with a cluster that does nothing but what the test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlperf_logging.engines import dask_batches
from mlperf_logging.engines.dask_batches import BATCHES_PER_WORKER, run_batches
from mlperf_logging.engines.dask_worker import Refusal
from mlperf_logging.errors import MLPerfLoggingError


class FakeFuture:
    """What a cluster gives for a batch: done when somebody says so."""

    status = "finished"

    def __init__(self, answer: Callable[[], Any]) -> None:
        self.answer = answer
        self.tell: Callable[[Any], None] | None = None

    def add_done_callback(self, tell: Callable[[Any], None]) -> None:
        """Note who wants to know; a second one asks for what has been fetched in vain, so it is done."""
        if self.tell is not None:
            tell(self)
        self.tell = tell

    def result(self) -> Any:
        """The answer."""
        return self.answer()


class FakeCluster:
    """Finishes batches in any order, and counts how many are on their way or held.

    Attributes:
        threads: batches that it works on at a time.
        most: the most batches that were given and whose results have not come out.
        sizes: numbers of logs of the batches.
    """

    def __init__(self, threads: int, seed: int = 0) -> None:
        self.threads = threads
        self.most = 0
        self.sizes: list[int] = []
        self.waiting: list[FakeFuture] = []
        self._random = Random(seed)  # noqa: S311 - it decides an order

    def nthreads(self) -> dict[str, int]:
        """Threads of each worker."""
        return {"worker": self.threads} if self.threads else {}

    def submit(self, function: Any, work: Any, batch: Any, **_: object) -> FakeFuture:
        """Take a batch."""
        self.sizes.append(len(batch.paths))
        future = FakeFuture(lambda: function(work, batch))
        self.waiting.append(future)
        return future

    def gather(self, futures: list[FakeFuture]) -> list[Any]:
        """The answers."""
        return [future.answer() for future in futures]

    def finish_some(self) -> None:
        """Finish one of the batches, whichever."""
        if self.waiting:
            future = self.waiting.pop(self._random.randrange(len(self.waiting)))
            assert future.tell is not None
            future.tell(future)


def run(
    cluster: FakeCluster, work: Callable[[str], Any], paths: list[str], smallest: int = 4
) -> Iterator[Any]:
    """Run batches on such a cluster, which finishes one each time that somebody waits."""

    class Finishing(dask_batches.SimpleQueue):  # type: ignore[type-arg]
        def get(self, block: bool = True, timeout: float | None = None) -> int:
            while self.empty():
                cluster.finish_some()
            return int(super().get(block, timeout))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dask_batches, "SimpleQueue", Finishing)
        yield from run_batches(cluster, work, paths, smallest, lambda _: None)  # type: ignore[arg-type]


@given(st.integers(0, 400), st.integers(1, 6), st.integers(0, 100))
def test_results_come_in_order_whatever_finishes_first(count, threads, seed):
    """Each log's result comes once, in the order of the logs."""
    paths = [f"no/such/{number}.txt" for number in range(count)]
    assert list(run(FakeCluster(threads, seed), str.upper, paths)) == [path.upper() for path in paths]


def test_few_batches_are_on_their_way(monkeypatch):
    """Until results are taken, no more batches are sent than the workers need; then one for each that is done."""
    monkeypatch.setattr(dask_batches, "_FEWEST_ON_THE_WAY", 1)
    monkeypatch.setattr(dask_batches, "LARGEST_BATCH", 10)
    cluster = FakeCluster(threads=3)
    looked: list[str] = []
    monkeypatch.setattr(dask_batches, "measure_bytes", looked.append)
    paths = [f"{number}.txt" for number in range(1_000)]
    for number, _ in enumerate(run(cluster, str.upper, paths, smallest=10)):
        held = len(cluster.sizes) - number // 10
        assert held <= BATCHES_PER_WORKER * 3 + 1
        assert len(looked) <= 10 * len(cluster.sizes)
    assert len(cluster.sizes) == 100


def test_batches_are_not_too_small():
    """Few logs for many workers still go in batches of the smallest size."""
    cluster = FakeCluster(threads=500)
    assert len(list(run(cluster, str.upper, ["x"] * 100, smallest=32))) == 100
    assert cluster.sizes == [32, 32, 32, 4]


def test_standard_input_is_read_here():
    """No worker gets the batch with standard input."""
    cluster = FakeCluster(threads=1)
    paths = ["a", "b", "c", "d", "e", "-", "f", "g", "h"]
    assert list(run(cluster, str.upper, paths)) == [path.upper() for path in paths]
    assert cluster.sizes == [4, 1]


def test_error_comes_after_the_results_before_it():
    """What the work raises is raised when its batch's turn comes."""

    def work(path: str) -> str:
        if path == "9":
            raise MLPerfLoggingError("nine")
        return path

    results = run(FakeCluster(threads=2, seed=3), work, [str(number) for number in range(100)])
    assert [next(results) for _ in range(6)] == [str(number) for number in range(6)]
    with pytest.raises(MLPerfLoggingError, match="nine"):
        next(results)


def test_log_that_changes_is_read_here(tmp_path):
    """A log that a worker sees otherwise because it is being written is worked on in this process."""
    log = tmp_path / "a.txt"
    log.write_text("one")

    class Late(FakeCluster):
        def finish_some(self) -> None:
            log.write_text("one and more")
            super().finish_some()

    assert list(run(Late(threads=1), lambda path: Path(path).read_text(), [str(log)])) == ["one and more"]


def test_refusal_is_raised_if_the_file_is_as_it_was(tmp_path, monkeypatch):
    """A worker that has other files is an error, and so is one that lacks the folder."""
    log = tmp_path / "a.txt"
    log.write_text("one")
    for refusal in (Refusal("it has another file", concerns_file=True), Refusal("it has no folder")):
        monkeypatch.setattr(dask_batches, "work_on_batch", lambda *_, refusal=refusal: refusal)
        with pytest.raises(MLPerfLoggingError, match=refusal.sentence):
            list(run(FakeCluster(threads=1), str.upper, [str(log)]))


def test_missing_workers_are_said_once():
    """That there is no worker is said when it is seen, and not again."""
    said: list[str] = []
    batches = run_batches(FakeCluster(threads=0), str.upper, [], 4, said.append)  # type: ignore[arg-type]
    assert list(batches) == []
    assert said == ["the cluster has no worker; waiting for one (an interrupt ends this)"]
