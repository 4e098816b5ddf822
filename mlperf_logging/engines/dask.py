"""The engine of a Dask cluster: works on its workers, or on a cluster of processes of this machine."""

from __future__ import annotations

import logging
import os
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from mlperf_logging import __version__
from mlperf_logging.engines.dask_batches import run_batches
from mlperf_logging.engines.dask_worker import tell_version
from mlperf_logging.engines.engine import Result
from mlperf_logging.errors import MLPerfLoggingError, UsageError, describe_reason
from mlperf_logging.installation import DISTRIBUTION, require_libraries

if TYPE_CHECKING:
    from distributed import Client

SMALLEST_BATCH = 32
"""Logs; fewer cost more to send than to work on."""

_LIBRARIES = ("dask", "distributed", "cryptography")
_CONNECT_S = 10
_SILENT = logging.CRITICAL + 1
_OWN_CLUSTER: dict[str, Any] = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.worker.profile.enabled": False,
}
"""Of a cluster of this machine: no page tells of it, no batch waits at a busy worker, and none is watched."""


def require_dask(purpose: str) -> None:
    """Raise `UsageError` where the libraries of this engine are not installed."""
    require_libraries(purpose, _LIBRARIES, "dask")


class DaskEngine:
    """Works on the workers of a Dask cluster. A worker that is lost costs the batch it was working on, which is repeated.

    Attributes:
        scheduler: its address, or the path of a scheduler file; None for a cluster of processes of this machine,
            which ends with the work.
        jobs: processes of such a cluster; 0 for one per processor core.
        note: takes a sentence for people on what is waited for.
    """

    def __init__(
        self, scheduler: str | None = None, jobs: int = 0, note: Callable[[str], None] = lambda _: None
    ) -> None:
        self.scheduler = scheduler
        self.jobs = jobs
        self.note = note
        self._kept: ExitStack | None = None
        self._client: Client | None = None

    def map_logs(self, work: Callable[[str], Result], paths: Sequence[str]) -> Iterator[Result]:
        """Work on logs, the first of them in this process; see `Engine.map_logs`.

        At any time a few batches for each worker are on their way, so the memory needed does not grow with the number
        of logs.

        Raises:
            UsageError: a library is missing, or there is no cluster at the address.
            MLPerfLoggingError: a worker is not fit for the work, a log ended several workers, or the cluster is gone.
        """
        if self.scheduler is None and len(paths) <= SMALLEST_BATCH:
            yield from map(work, paths)
            return
        with self._open_client() as client:
            # What is wrong with the arguments, the first log tells as soon as it would elsewhere.
            yield from map(work, paths[:1])
            yield from run_batches(client, work, paths[1:], SMALLEST_BATCH, self.note)

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Keep the connection, and a cluster of this machine, from one pass over logs to the next; see `Engine`."""
        if self._kept is not None:
            yield
            return
        with ExitStack() as stack:
            self._kept = stack
            try:
                yield
            finally:
                self._kept = self._client = None

    @contextmanager
    def _open_client(self) -> Iterator[Client]:
        if self._kept is None:
            with self._start() as client:
                yield client
            return
        if self._client is None:
            self._client = self._kept.enter_context(self._start())
        yield self._client

    @contextmanager
    def _start(self) -> Iterator[Client]:
        require_dask("the Dask engine")
        import dask

        with _silenced_logs(), ExitStack() as stack:
            if self.scheduler is not None:
                yield stack.enter_context(_connect(self.scheduler))
                return
            stack.enter_context(dask.config.set(_OWN_CLUSTER))
            yield stack.enter_context(_start_cluster(self.jobs or os.cpu_count() or 1))


@contextmanager
def _silenced_logs() -> Iterator[None]:
    """Lost workers and connections are no news to people, who get a sentence where it matters; Dask logs each."""
    import distributed  # it has its loggers from here on

    names = [
        name for name in logging.root.manager.loggerDict if name.partition(".")[0] == distributed.__name__
    ]
    levels = {logger: logger.level for logger in map(logging.getLogger, names)}
    for logger in levels:
        logger.setLevel(_SILENT)
    try:
        yield
    finally:
        for logger, level in levels.items():
            logger.setLevel(level)


@contextmanager
def _start_cluster(processes: int) -> Iterator[Client]:
    """A cluster of this machine, which ends with the work."""
    from distributed import Client, LocalCluster
    from distributed.security import Security

    with ExitStack() as stack:
        try:
            with _held_interrupts():
                cluster = LocalCluster(
                    n_workers=processes,
                    threads_per_worker=1,
                    memory_limit=0,
                    dashboard_address="127.0.0.1:0",
                    worker_dashboard_address="127.0.0.1:0",
                    scheduler_kwargs={"dashboard": False},
                    silence_logs=_SILENT,
                    # Without keys of its own, any account of the machine could have the cluster run code.
                    security=Security.temporary(),
                )
                stack.enter_context(cluster)
            client = stack.enter_context(Client(cluster, set_as_default=False))
        except Exception as error:  # noqa: BLE001 - sockets, processes and memory fail in ways of their own
            raise MLPerfLoggingError(
                f"a Dask cluster cannot be started on this machine: {describe_reason(error)}"
            ) from None
        yield client


@contextmanager
def _held_interrupts() -> Iterator[None]:
    """Threads that begin in here, and processes that these start, are not interrupted: that is for this process alone."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # which, where it is the first process to be started, lets interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _connect(scheduler: str) -> Iterator[Client]:
    """A connection to a cluster whose scheduler and workers are fit for the work."""
    from distributed import Client

    place = {"scheduler_file" if os.path.isfile(scheduler) else "address": scheduler}
    answer: SimpleQueue[Client | Exception] = SimpleQueue()

    def connect() -> None:
        client = Client.__new__(Client)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # versions are compared below
                Client.__init__(client, **place, timeout=_CONNECT_S, set_as_default=False)
        except Exception as error:  # noqa: BLE001 - by address, network and file it is of many kinds
            # Else its finalizer would, and wait without end where the collection comes while another connection begins.
            with suppress(Exception):
                client.close()
            answer.put(error.with_traceback(None))
        else:
            answer.put(client)

    # In a thread, since whoever takes connections and says nothing would be waited for without end.
    Thread(target=connect, daemon=True).start()
    try:
        client = answer.get(timeout=2 * _CONNECT_S)
    except Empty:
        client = TimeoutError("something else does, or it is too busy")
    if isinstance(client, Exception):
        raise UsageError(f"no Dask scheduler answers at {scheduler!r}: {describe_reason(client)}")
    with client:
        _compare_versions(client, scheduler)
        yield client


def _compare_versions(client: Client, scheduler: str) -> None:
    """Raise `MLPerfLoggingError` where the cluster would not work as this process does."""
    try:
        found = client.get_versions()
        ours = client.run(tell_version, on_error="return")
    except Exception as error:  # noqa: BLE001 - what an older or newer scheduler answers is not known
        raise MLPerfLoggingError(
            f"the cluster at {scheduler!r} cannot be asked for its versions: {describe_reason(error)}"
        ) from None
    places = {f"the scheduler at {scheduler}": found["scheduler"]}
    places |= {f"the worker at {address}": there for address, there in found["workers"].items()}
    here = _read_versions(found["client"])
    for place, there in places.items():
        for name, has in _read_versions(there).items():
            _refuse_difference(place, name, has, here[name])
    for address, has in ours.items():
        said = has if isinstance(has, str) else None
        _refuse_difference(f"the worker at {address}", DISTRIBUTION, said, __version__)


def _read_versions(found: dict[str, Any]) -> dict[str, str]:
    """The versions that must be equal for values to pass between processes."""
    packages = found["packages"]
    python = ".".join(str(packages["python"]).split(".")[:2])
    return {"Python": python, **{name: str(packages.get(name)) for name in ("dask", "distributed")}}


def _refuse_difference(place: str, name: str, has: str | None, wanted: str) -> None:
    if has != wanted:
        found = f"has no {name}" if has is None else f"has {name} {has}"
        raise MLPerfLoggingError(
            f"{place} {found}, and this command has {wanted}; install the same version in both places"
        )
