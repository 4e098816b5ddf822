"""Throughput of many models trained at once ("weak scaling"): from the first start to the last stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mlperf_logging.events import minutes_between
from mlperf_logging.scoring.requirements import Requirement
from mlperf_logging.scoring.runs import ScoredRun


class Throughput(NamedTuple):
    """A set of model instances, trained at once.

    Attributes:
        accelerators: accelerators of all instances together (T).
        models: instances that reached the target and are compliant (M).
        instances: all instances.
        accelerators_per_model: accelerators of one instance (S).
        minutes: from the first ``run_start`` to the last ``run_stop`` of the models.
        models_per_minute: models over minutes.
    """

    accelerators: float
    models: int
    instances: int
    accelerators_per_model: float
    minutes: float
    models_per_minute: float


class ThroughputError(ValueError):
    """The instances do not make a result; the message says why."""


def measure_throughput(runs: Sequence[ScoredRun], requirement: Requirement) -> Throughput:
    """The throughput of a set of model instances, one run each; `ThroughputError` where they make no result."""
    models = [run for run in runs if run.counts]
    if len(models) < requirement.required:
        raise ThroughputError(
            f"{len(models)} of {len(runs)} models converged and are compliant; {requirement.required} are needed"
        )
    sizes = {run.accelerators for run in models}
    if None in sizes:
        raise ThroughputError(
            "a model does not log number_of_nodes and accelerators_per_node, so the instances cannot be compared"
        )
    if len(sizes) > 1:
        shown = ", ".join(f"{size:g}" for size in sorted(size for size in sizes if size is not None))
        raise ThroughputError(f"the models ran on different numbers of accelerators: {shown}")
    size = sizes.pop() or 0.0
    starts = [run.summary.start_ms for run in models if run.summary.start_ms is not None]
    stops = [run.summary.stop_ms for run in models if run.summary.stop_ms is not None]
    minutes = minutes_between(min(starts), max(stops))
    if minutes <= 0:
        raise ThroughputError("the models end before they start")
    return Throughput(size * len(runs), len(models), len(runs), size, minutes, len(models) / minutes)
