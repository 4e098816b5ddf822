"""Throughput of models that are trained at once."""

from __future__ import annotations

import pytest

from mlperf_logging.runs.summary import RunSummary
from mlperf_logging.scoring.requirements import Requirement
from mlperf_logging.scoring.throughput import ThroughputError, measure_throughput
from tests.scores import MakeRun

TWO = Requirement(2)


def test_time_is_from_the_first_start_to_the_last_stop(make_run: MakeRun) -> None:
    """Models that start one after another count from the first start to the last stop."""
    runs = [
        make_run(
            summary=RunSummary(start * 60_000, stop * 60_000, "success", stop - start), accelerators=32.0
        )
        for start, stop in ((0, 5), (1, 8), (2, 6))
    ]
    found = measure_throughput(runs, TWO)

    assert (found.minutes, found.models, found.instances) == (8, 3, 3)
    assert (found.accelerators_per_model, found.accelerators) == (32, 96)
    assert found.models_per_minute == 3 / 8


def test_models_that_do_not_count_are_instances_all_the_same(make_run: MakeRun) -> None:
    """A model that missed its target used its accelerators, but is no model of the result."""
    runs = [make_run(2, accelerators=8.0), make_run(2, accelerators=8.0), make_run(9, status="aborted")]
    found = measure_throughput(runs, TWO)

    assert (found.models, found.instances, found.accelerators, found.minutes) == (2, 3, 24, 2)


@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        ((8.0,), "1 of 1 models converged and are compliant; 2 are needed"),
        ((8.0, 16.0), "different numbers of accelerators: 8, 16"),
        ((8.0, None), "does not log number_of_nodes and accelerators_per_node"),
    ],
)
def test_what_makes_no_result_is_said(sizes: tuple[float | None, ...], says: str, make_run: MakeRun) -> None:
    """Too few models, several sizes, and sizes that are not logged are distinguished."""
    with pytest.raises(ThroughputError, match=says):
        measure_throughput([make_run(2, accelerators=size) for size in sizes], TWO)


def test_stop_before_start_is_said(make_run: MakeRun) -> None:
    """Clocks that run backwards give no throughput."""
    run = make_run(summary=RunSummary(60_000, 0, "success", -1), accelerators=8.0)

    with pytest.raises(ThroughputError, match="end before they start"):
        measure_throughput([run, run], TWO)
