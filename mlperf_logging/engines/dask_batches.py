"""Batches of logs on the workers of a Dask cluster: so many at a time, results in order, lost workers made up for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from threading import Event
from typing import TYPE_CHECKING, Any, Generic
from uuid import uuid4

from mlperf_logging.engines.dask_worker import Batch, Refusal, make_batch, work_on_batch
from mlperf_logging.engines.engine import Result, estimate_cost, measure_bytes, plan_batches
from mlperf_logging.errors import MLPerfLoggingError
from mlperf_logging.parsing.sources import STANDARD_INPUT

if TYPE_CHECKING:
    from concurrent.futures import Future as AnyFuture

    from distributed import Client, Future

LARGEST_BATCH = 512
WANTED_COST = 64_000_000
"""Of a batch, in bytes of log: half a second of work, fifty times what sending it takes."""

BATCHES_PER_WORKER = 4
"""On their way at a time: one being worked on, one waiting, and two for results that wait for those before them."""

_FEWEST_ON_THE_WAY = 16
"""Also where there is no worker yet: what waits is what an adaptive cluster grows by."""
_BATCHES_IN_ALL = 8
"""For each worker at least, where there are logs enough, so that all end at about the same time."""

_WORKERS_TO_COME = 64
"""What is planned for where there is no worker yet."""

_LOOK_EVERY_S = 5.0
"""How often it is seen how many workers there are."""


def run_batches(
    client: Client,
    work: Callable[[str], Result],
    paths: Sequence[str],
    smallest: int,
    note: Callable[[str], None],
) -> Iterator[Result]:
    """Work on logs on the workers of a cluster.

    Args:
        client: is connected to it.
        work: works on one log.
        paths: the logs.
        smallest: the fewest logs of a batch.
        note: takes a sentence for people on what is waited for.

    Raises:
        MLPerfLoggingError: as `DaskEngine.map_logs` says.
    """
    yield from _BatchRun(client, work, note).run(paths, smallest)


class _BatchRun(Generic[Result]):
    """One pass over logs. What is on its way or waits for its turn is bounded by the number of workers."""

    def __init__(self, client: Client, work: Callable[[str], Result], note: Callable[[str], None]) -> None:
        self._client = client
        self._work = work
        self._note = note
        self._name = f"mlperf-{uuid4().hex}"
        self._submitted = 0
        self._arrived: SimpleQueue[int] = SimpleQueue()
        self._on_the_way: dict[int, tuple[Batch, Future]] = {}
        self._suspects: dict[int, Batch] = {}
        self._done: dict[int, list[Result] | Exception] = {}
        self._threads = 0
        self._looked = float("-inf")
        self._has_said = False

    def run(self, paths: Sequence[str], smallest: int) -> Iterator[Result]:
        """The results, in the order of the paths."""
        batches = enumerate(self._plan(paths, smallest))
        turn = 0
        more = True
        while more or self._on_the_way or self._suspects or self._done:
            while more and not self._suspects and self._count_held() < self._count_allowed():
                index, batch = next(batches, (-1, None))
                if batch is None:
                    more = False
                else:
                    self._begin(index, batch)
            if turn in self._done:
                done = self._done.pop(turn)
                turn += 1
                if isinstance(done, Exception):
                    raise done
                yield from done
            elif self._on_the_way:
                self._collect()
            elif self._suspects:
                index, batch = self._suspects.popitem()
                self._done[index] = self._work_one_by_one(batch)

    def _plan(self, paths: Sequence[str], smallest: int) -> Iterator[Batch]:
        """Batches, of which each is planned when it is needed: not all logs are looked at before the work begins."""
        sizes: list[int | None] = []

        def measure() -> Iterator[int]:
            for path in paths:
                sizes.append(measure_bytes(path))
                yield estimate_cost(sizes[-1])

        even = len(paths) // (_BATCHES_IN_ALL * (self._count_threads() or _WORKERS_TO_COME))
        largest = min(max(even, smallest), LARGEST_BATCH)
        for plan in plan_batches(measure(), WANTED_COST, smallest=smallest, largest=largest):
            yield make_batch([paths[index] for index in plan], sizes)
            sizes.clear()

    def _count_held(self) -> int:
        return len(self._on_the_way) + len(self._done)

    def _count_allowed(self) -> int:
        return max(BATCHES_PER_WORKER * self._count_threads(), _FEWEST_ON_THE_WAY)

    def _count_threads(self) -> int:
        """How many batches the cluster works on at a time; says once that there are none."""
        if time.monotonic() - self._looked > _LOOK_EVERY_S:
            try:
                self._threads = sum(self._client.nthreads().values())
            except Exception:  # noqa: BLE001 - the connection is gone, however that shows
                raise _describe_loss() from None
            self._looked = time.monotonic()
            if not self._threads and not self._has_said:
                self._note("the cluster has no worker; waiting for one (an interrupt ends this)")
            self._has_said = not self._threads
        return self._threads

    def _begin(self, index: int, batch: Batch) -> None:
        if STANDARD_INPUT in batch.paths:  # workers have no standard input
            self._work_here(index, batch)
            return
        future = self._submit(batch)
        self._on_the_way[index] = (batch, future)

        def tell(_: AnyFuture[Any]) -> None:
            self._arrived.put(index)

        future.add_done_callback(tell)

    def _submit(self, batch: Batch) -> Future:
        self._submitted += 1
        key = f"{self._name}-{self._submitted}"
        return self._client.submit(work_on_batch, self._work, batch, key=key, pure=False)

    def _collect(self) -> None:
        """Take what has arrived, all at once; wait for something where nothing has."""
        try:
            arrived = [self._arrived.get(timeout=_LOOK_EVERY_S)]
        except Empty:
            self._count_threads()
            return
        while not self._arrived.empty():
            arrived.append(self._arrived.get())
        futures = {index: self._on_the_way[index][1] for index in arrived}
        fine = {index: future for index, future in futures.items() if future.status == "finished"}
        try:
            answers = dict(zip(fine, self._client.gather(list(fine.values())), strict=True))
        except Exception:  # noqa: BLE001 - whose fault it is shows below
            answers = {}
        for index in arrived:
            batch, future = self._on_the_way.pop(index)
            try:
                answer = answers[index] if index in answers else self._await(future)
            except Exception as error:  # noqa: BLE001 - also what the work raises, whatever that is
                if _has_ended_workers(error):
                    self._suspects[index] = batch
                else:
                    self._done[index] = _explain(error)
            else:
                self._settle(index, batch, answer)

    def _settle(self, index: int, batch: Batch, answer: list[Result] | Refusal) -> None:
        if not isinstance(answer, Refusal):
            self._done[index] = answer
        elif answer.concerns_file and tuple(map(measure_bytes, batch.paths)) != batch.sizes:
            self._work_here(index, batch)  # a log that is being written is another one at each look
        else:
            self._done[index] = MLPerfLoggingError(answer.sentence)

    def _work_here(self, index: int, batch: Batch) -> None:
        try:
            self._done[index] = [self._work(path) for path in batch.paths]
        except Exception as error:  # noqa: BLE001 - it is raised when its turn comes
            self._done[index] = error

    def _work_one_by_one(self, batch: Batch) -> list[Result] | Exception:
        """Work on a batch that workers ended with. Nothing else is under way, so a log that ends one is to blame."""
        results: list[Result] = []
        for path, size in zip(batch.paths, batch.sizes, strict=True):
            alone = make_batch([path], [size])
            try:
                answer = self._await(self._submit(alone))
            except Exception as error:  # noqa: BLE001 - also what the work raises, whatever that is
                if not _has_ended_workers(error):
                    return _explain(error)
                return MLPerfLoggingError(
                    f"each of several workers that read {path!r} was killed, perhaps for lack of memory; "
                    "check that log alone, or leave it out"
                )
            self._settle(-1, alone, answer)
            done = self._done.pop(-1)
            if isinstance(done, Exception):
                return done
            results += done
        return results

    def _await(self, future: Future) -> Any:
        is_done = Event()
        future.add_done_callback(lambda _: is_done.set())
        while not is_done.wait(_LOOK_EVERY_S):
            self._count_threads()
        return future.result()


def _has_ended_workers(error: Exception) -> bool:
    from distributed.scheduler import KilledWorker

    return isinstance(error, KilledWorker)


def _explain(error: Exception) -> Exception:
    """What is wrong where a batch gave no results: the error itself, or what it means."""
    from concurrent.futures import CancelledError

    from distributed.comm import CommClosedError

    if isinstance(error, ImportError) and (error.name or "").startswith("mlperf_logging"):
        return MLPerfLoggingError(f"a worker lacks a part of mlperf-log-toolkit ({error}); install it there")
    if isinstance(error, (CancelledError, CommClosedError)):
        return _describe_loss()
    return error


def _describe_loss() -> MLPerfLoggingError:
    return MLPerfLoggingError("the connection to the Dask scheduler is lost; start the command again")
