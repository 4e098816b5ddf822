"""Logs in batches."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlperf_logging.engines.engine import plan_batches


@given(st.lists(st.integers(0, 10**9), max_size=300), st.integers(1, 10**10), st.integers(1, 64))
def test_batches_hold_every_log_once_in_order(costs, wanted, smallest):
    """Batches are neighbors, together every log, none of them too long, and only the last may be short."""
    batches = list(plan_batches(costs, wanted, smallest=smallest))
    assert [index for batch in batches for index in batch] == list(range(len(costs)))
    assert all(1 <= len(batch) <= 64 for batch in batches)
    assert all(len(batch) >= smallest for batch in batches[:-1])


def test_batches_cost_what_is_wanted():
    """A batch ends with the log that brings it to the wanted cost."""
    assert [len(batch) for batch in plan_batches([100] * 1000, 2_000)] == [20] * 50


def test_large_log_ends_its_batch():
    """A log that costs more than is wanted ends the batch that it is in, unless that would be too short."""
    costs = [1] * 10 + [10_000] + [1] * 10
    assert [len(batch) for batch in plan_batches(costs, 1_000)] == [11, 10]
    assert [len(batch) for batch in plan_batches(costs, 1_000, smallest=16)] == [16, 5]


def test_batches_are_planned_when_asked_for():
    """Nobody looks at a log before its batch is wanted."""
    seen = []
    batches = plan_batches((seen.append(number) or 1 for number in range(100)), 10)
    next(batches)
    assert len(seen) == 10
