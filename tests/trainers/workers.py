"""Runs in two processes that train together, and in one process that does the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from reference_impls.harness.data.prepared import hash_arrays
from reference_impls.harness.run import training
from reference_impls.harness.run.launching import make_environments
from reference_impls.harness.run.requests import RunRequest
from reference_impls.harness.run.weights import keep_weights
from reference_impls.harness.workload import Quality
from tests.trainers.conftest import make_request, read_events

_TIMEOUT_S = 500


class Ended(NamedTuple):
    """How a run ended in one of its processes.

    Attributes:
        epochs: trained.
        quality: of the last evaluation, as this process knows it.
        trained: checksum of this process's final weights, without the statistics of batch norm.
        weights: checksum of all its final weights.
    """

    epochs: int
    quality: Quality | None
    trained: str
    weights: str


class Compared(NamedTuple):
    """A run in two processes, and the same in one.

    Attributes:
        first: the end of the run in the first of the two processes, which writes the log.
        second: in the second one.
        stats: what the two log of each epoch.
        stats_of_one: what the one process logs of each epoch.
    """

    first: Ended
    second: Ended
    stats: list[dict[str, Any]]
    stats_of_one: list[dict[str, Any]]

    @property
    def losses(self) -> list[dict[str, float]]:
        """The losses of each epoch of the two processes."""
        return take_losses(self.stats)

    @property
    def losses_of_one(self) -> list[dict[str, float]]:
        """The losses of each epoch of the one process."""
        return take_losses(self.stats_of_one)


def take_losses(stats: list[dict[str, Any]]) -> list[dict[str, float]]:
    """The losses among what is logged of each epoch."""
    return [{name: value for name, value in each.items() if name.endswith("loss")} for each in stats]


def train_in_two(request: RunRequest) -> list[Ended]:
    """Do a run in two processes, as `mlperf train --workers 2` does; how it ended in each."""
    command = [sys.executable, "-m", "tests.trainers.workers", replace(request, strategy="workers").to_json()]
    processes = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for environment in make_environments(2)
    ]
    try:
        outputs = [each.communicate(timeout=_TIMEOUT_S)[0] for each in processes]
    finally:
        for each in processes:
            each.kill()
    return [Ended(*json.loads(each.splitlines()[-1])) for each in outputs]


def train_here(request: RunRequest) -> Ended:
    """Do a run, or the part of one that is this process's."""
    checksums = []

    def keep(folder: Path | None, workload: Any, *others: Any) -> str:
        trained = {
            f"{number:05}": np.asarray(each)
            for number, each in enumerate(workload.state()["model"].trainable_variables)
        }
        checksums.extend([hash_arrays(trained), keep_weights(folder, workload, *others)])
        return checksums[-1]

    with mock.patch.object(training, "keep_weights", keep):
        result = training.train(request)
    return Ended(result.epochs, result.quality, *checksums)


def compare_two_processes(
    task: str, settings: Iterable[str], data: Path, folder: Path, *for_one: str
) -> Compared:
    """Do a run in two processes and in one.

    The one process takes its batches in two parts, because batch norm sees only the part of a process.

    Args:
        task: the task.
        settings: changes of its configuration, ``key=value``.
        data: folder of the prepared data.
        folder: where the runs write.
        for_one: further settings with which one process does the same.
    """
    together = make_request(task, settings, data, folder, "together")
    changes = (*together.settings, "gradient_accumulation_steps=2", *for_one)
    ended = train_in_two(together)
    train_here(make_request(task, changes, data, folder, "alone"))
    logs = [read_events(folder / f"{name}.log") for name in ("together", "alone")]
    stats = [[each["value"] for each in events if each["key"] == "tracked_stats"] for events in logs]
    return Compared(*ended, *stats)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(train_here(RunRequest.from_json(sys.argv[1]))))
