"""The model of what many logs cost, in cases that can be worked out by hand."""

from __future__ import annotations

import pytest

from benchmarks.scale_model import Cluster, Costs, Line, predict_seconds, simulate

NOTHING = Line(0.0, 0.0)
FREE = Costs(0.0, NOTHING, NOTHING, NOTHING, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 100_000.0, 2_000.0)
WIDE = 1e18
"""Of a file system that costs nothing."""


def test_workers_share_the_work():
    """Where the client costs nothing, twice the workers take half the time, and they are the bottleneck."""
    costs = FREE._replace(judge=Line(0.002, 0.0))
    few, more = (simulate(costs, 1_000_000, Cluster(workers, WIDE, WIDE)) for workers in (4, 8))
    assert few.seconds == pytest.approx(1_000_000 * 0.002 / 4, rel=0.02)
    assert more.seconds == pytest.approx(few.seconds / 2, rel=0.02)
    assert (few.bottleneck, more.bottleneck) == ("workers", "workers")


def test_client_bounds_what_workers_bring():
    """With so many workers that the client has always something to do, the time is the client's alone."""
    costs = FREE._replace(judge=Line(0.002, 0.0), report=0.0001, take=0.0001)
    forecast = simulate(costs, 1_000_000, Cluster(1_000, WIDE, WIDE))
    assert forecast.bottleneck == "client"
    assert forecast.seconds == pytest.approx(1_000_000 * 0.0002, rel=0.05)


def test_file_system_bounds_what_workers_bring():
    """A file system that opens a thousand files in a second gives no more, however many ask."""
    costs = FREE._replace(judge=Line(0.002, 0.0))
    forecast = simulate(costs, 100_000, Cluster(1_000, 1_000.0, WIDE))
    assert forecast.bottleneck == "file system"
    assert forecast.seconds == pytest.approx(100, rel=0.02)


def test_held_batches_are_bounded():
    """At no time are more batches held than the engine allows, whatever the number of logs."""
    costs = FREE._replace(judge=Line(0.002, 1e-8), take=0.0001)
    held = [simulate(costs, files, Cluster(8, WIDE, WIDE)).most_held for files in (100_000, 10_000_000)]
    assert held == [32, 32]


def test_time_grows_with_the_logs():
    """A thousand times as many logs take a thousand times as long."""
    costs = FREE._replace(judge=Line(0.002, 1e-8), take=0.0001)
    million, billion = (simulate(costs, files, Cluster(8, WIDE, WIDE)).seconds for files in (10**6, 10**9))
    assert billion / million == pytest.approx(1_000, rel=0.05)


def test_model_adds_up():
    """One process does everything in turn; several share the work as far as there are cores, and not the client's part."""
    costs = FREE._replace(judge=Line(0.002, 0.0), report=0.001, start=1.0)
    assert predict_seconds(costs, 1_000, 1, 4, dask=False) == pytest.approx(1 + 2 + 1)
    assert predict_seconds(costs, 1_000, 2, 4, dask=False) == pytest.approx(1 + 1)
    assert predict_seconds(costs, 1_000, 8, 2, dask=False) == pytest.approx(1 + 1.5)
    assert predict_seconds(costs, 1_000, 8, 16, dask=False) == pytest.approx(1 + 1)
