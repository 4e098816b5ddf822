"""The engine of one machine: works in this process, or in several."""

from __future__ import annotations

import os
import signal as signals
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from signal import SIG_DFL, SIG_IGN, SIGINT, signal
from typing import TYPE_CHECKING, Any, NamedTuple

from mlperf_logging.engines.engine import Result, estimate_cost, measure_bytes, plan_batches
from mlperf_logging.errors import MLPerfLoggingError
from mlperf_logging.parsing.sources import STANDARD_INPUT

if TYPE_CHECKING:
    from concurrent.futures import Future
    from concurrent.futures.process import ProcessPoolExecutor
    from multiprocessing.process import BaseProcess

ENDING_SIGNALS = [signals.SIGTERM, *([signals.SIGHUP] if sys.platform != "win32" else [])]
"""What ends a process from outside, unless it takes care of it."""

_BATCHES_PER_WORKER = 8
_MIN_LOGS_PER_WORKER = 2


class LocalEngine(NamedTuple):
    """Works in processes of this machine.

    Attributes:
        jobs: how many; 0 for one per processor core, 1 for this process alone.
    """

    jobs: int = 1

    def map_logs(self, work: Callable[[str], Result], paths: Sequence[str]) -> Iterator[Result]:
        """Begin to work on logs; worker processes are running when this returns. See `Engine.map_logs`.

        Raises:
            MLPerfLoggingError: a process was ended from outside; raised while iterating.
        """
        workers = min(self.jobs or os.cpu_count() or 1, len(paths) // _MIN_LOGS_PER_WORKER)
        if workers <= 1:
            return map(work, paths)
        # One log is done here first: the workers are copies of this process and then have its rules at hand.
        first = work(paths[0])
        pool, batches = _start_workers(paths[1:], work, workers)
        return _collect(first, pool, batches, work)

    def kept_open(self) -> AbstractContextManager[None]:
        """See `Engine.kept_open`; processes start faster than they could be kept."""
        return nullcontext()


class _Batch(NamedTuple):
    paths: list[str]
    results: Future[list[Any]] | None  # None: to be worked on in this process


def _start_workers(
    paths: Sequence[str], work: Callable[[str], Any], workers: int
) -> tuple[ProcessPoolExecutor, list[_Batch]]:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    context = get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)
    costs = [estimate_cost(measure_bytes(path)) for path in paths]
    plans = list(plan_batches(costs, max(sum(costs) // (workers * _BATCHES_PER_WORKER), 1)))
    # A batch is heavy when it holds one very large log; such a batch must not be begun last.
    heavy = 2 * sum(costs) // max(len(plans), 1)
    order = sorted(range(len(plans)), key=lambda index: (sum(costs[i] for i in plans[index]) <= heavy, index))
    batches = [_Batch([paths[i] for i in plan], None) for plan in plans]
    for index in order:
        batch = batches[index]
        if STANDARD_INPUT not in batch.paths:  # workers have no standard input
            batches[index] = batch._replace(results=pool.submit(_work_on_batch, work, batch.paths))
    return pool, batches


def _collect(
    first: Result, pool: ProcessPoolExecutor, batches: list[_Batch], work: Callable[[str], Result]
) -> Iterator[Result]:
    from concurrent.futures.process import BrokenProcessPool

    finished = False
    try:
        yield first
        while batches:
            paths, results = batches.pop(0)
            yield from _work_on_batch(work, paths) if results is None else results.result()
        finished = True
    except BrokenProcessPool:
        raise MLPerfLoggingError(
            "a worker process was killed, perhaps for lack of memory; try fewer --jobs"
        ) from None
    finally:
        if not finished:
            _end_workers()
        pool.shutdown(wait=finished, cancel_futures=True)


def _work_on_batch(work: Callable[[str], Result], paths: Sequence[str]) -> list[Result]:
    return [work(path) for path in paths]


def _begin_worker() -> None:
    """Leave interrupts to the parent, be ended by other signals, and end when the parent does, whatever ended it."""
    from multiprocessing import parent_process
    from threading import Thread

    signal(SIGINT, SIG_IGN)
    for number in ENDING_SIGNALS:
        signal(number, SIG_DFL)
    parent = parent_process()
    if parent is not None:
        Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _end_workers() -> None:
    from multiprocessing import active_children

    for child in active_children():
        child.terminate()
