"""What checking many logs costs: a model of few numbers, and a simulation of the client, the workers and their files.

The model adds up what one machine has to do. The simulation follows `mlperf_logging/engines/dask_batches.py` step by
step: one client that plans, sends, takes and reports, workers that read and judge, and a file system that all share.
"""

from __future__ import annotations

import heapq
from random import Random
from typing import NamedTuple

from mlperf_logging.engines.dask_batches import BATCHES_PER_WORKER, LARGEST_BATCH, WANTED_COST
from mlperf_logging.engines.engine import estimate_cost

SIMULATED_BATCHES = 20_000
"""Of more batches, so many are simulated, or eight for each worker; after the first, time grows with their number."""


class Line(NamedTuple):
    """A cost that grows with the size of a file.

    Attributes:
        per_file: seconds.
        per_byte: seconds.
    """

    per_file: float
    per_byte: float

    def of(self, size: float) -> float:
        """Seconds for a file of so many bytes."""
        return self.per_file + self.per_byte * size


class Costs(NamedTuple):
    """What was measured; seconds of a processor unless said otherwise.

    Attributes:
        look: to look up the size of a file.
        read: to open and read it.
        parse: to make events of it.
        judge: to judge these.
        ship: to pack its result for another process.
        take: to unpack it there.
        report: to write it into the report.
        batch: to send a batch of no work to a worker and take the answer, at the client and the scheduler together.
        start: to start the command.
        start_cluster: to start a cluster of one worker on this machine.
        file_bytes: mean size of a log.
        result_bytes: mean size of a packed result.
    """

    look: float
    read: Line
    parse: Line
    judge: Line
    ship: float
    take: float
    report: float
    batch: float
    start: float
    start_cluster: float
    file_bytes: float
    result_bytes: float

    def work(self, size: float) -> float:
        """Seconds that a worker needs for a file of a size, but for packing the result."""
        return self.read.of(size) + self.parse.of(size) + self.judge.of(size)

    def files_per_batch(self) -> int:
        """Logs of mean size in a batch, where there are many."""
        return max(32, min(LARGEST_BATCH, round(WANTED_COST / estimate_cost(int(self.file_bytes)))))


def predict_seconds(costs: Costs, files: int, workers: int, cores: int, *, dask: bool) -> float:
    """How long a command takes on one machine.

    The client's own work cannot be divided, the workers' can, and all of it together has so many cores.
    """
    work = files * costs.work(costs.file_bytes)
    if workers == 1 and not dask:
        return costs.start + work + files * costs.report
    alone = files * (costs.look + costs.take + costs.report)
    start = costs.start
    if dask:
        alone += costs.batch * files / costs.files_per_batch()
        start += costs.start_cluster * max(1.0, workers / cores)
    divided = work + files * costs.ship
    return start + max(alone, divided / workers, (alone + divided) / cores)


class Cluster(NamedTuple):
    """A cluster whose workers have a core each.

    Attributes:
        workers: how many.
        files_per_s: files that the shared file system opens in a second, for all workers together.
        bytes_per_s: that it reads.
    """

    workers: int
    files_per_s: float
    bytes_per_s: float


class Forecast(NamedTuple):
    """What a simulation gives.

    Attributes:
        seconds: from the first batch to the last line of the report.
        busy: share of that time in which the client, the workers and the file system had something to do.
        most_held: the most batches that were on their way or held at the client.
    """

    seconds: float
    busy: dict[str, float]
    most_held: int

    @property
    def bottleneck(self) -> str:
        """What is busiest."""
        return max(self.busy, key=lambda name: self.busy[name])


def simulate(costs: Costs, files: int, cluster: Cluster, seed: int = 0) -> Forecast:
    """Simulate a command on a cluster; of very many files, only the first, see `SIMULATED_BATCHES`."""
    for_each = files // (8 * cluster.workers)
    batch = min(costs.files_per_batch(), max(32, for_each), LARGEST_BATCH)
    simulated = min(files, batch * max(SIMULATED_BATCHES, 8 * cluster.workers))
    seconds, busy, most_held = _Simulation(costs, cluster, seed).run(simulated, batch)
    return Forecast(seconds * files / simulated, busy, most_held)


class _Simulation:
    """One pass. Batches differ in size as sums of logs do whose sizes spread like those of real ones."""

    def __init__(self, costs: Costs, cluster: Cluster, seed: int) -> None:
        self._costs = costs
        self._cluster = cluster
        self._random = Random(seed)  # noqa: S311 - a simulation
        self._free = [0.0] * cluster.workers  # a heap: when each worker has nothing to do
        self._files_free = 0.0  # when the file system has nothing to do
        self._finished: list[tuple[float, int]] = []  # a heap: when and which
        self._worked = self._served = 0.0

    def run(self, files: int, batch: int) -> tuple[float, dict[str, float], int]:
        """Seconds for files in batches of so many, shares of it, and the most batches held."""
        costs, allowed = self._costs, max(BATCHES_PER_WORKER * self._cluster.workers, 16)
        left = files
        counts: dict[int, int] = {}
        done: set[int] = set()
        now = idle = 0.0
        sent = turn = most = 0
        more = True
        while more or counts:
            while more and len(counts) < allowed:
                count = min(batch, left)
                left -= count
                if not count:
                    more = False
                    break
                now += costs.look * count + costs.batch / 2
                counts[sent] = count
                self._send(sent, count, now)
                sent += 1
                most = max(most, len(counts))
            if turn in done:
                done.remove(turn)
                now += costs.report * counts.pop(turn)
                turn += 1
            elif self._finished:
                idle += max(0.0, self._finished[0][0] - now)
                now = max(now, self._finished[0][0])
                while self._finished and self._finished[0][0] <= now:
                    index = heapq.heappop(self._finished)[1]
                    now += costs.batch / 2 + costs.take * counts[index]
                    done.add(index)
        busy = {
            "client": 1 - idle / now,
            "workers": self._worked / (now * self._cluster.workers),
            "file system": self._served / now,
        }
        return now, busy, most

    def _send(self, index: int, count: int, now: float) -> None:
        """Give a batch to the worker that is free first; it waits for its files behind what was asked for before."""
        costs, cluster = self._costs, self._cluster
        size = costs.file_bytes * self._random.lognormvariate(-0.125, 0.5)
        begin = max(now, heapq.heappop(self._free))
        served = count / cluster.files_per_s + count * size / cluster.bytes_per_s
        self._files_free = max(begin, self._files_free) + served
        end = self._files_free + count * (costs.work(size) + costs.ship)
        self._served += served
        self._worked += end - begin
        heapq.heappush(self._free, end)
        heapq.heappush(self._finished, (end, index))
