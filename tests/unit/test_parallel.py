"""Work on many logs in several processes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlperf_logging.parallel import plan_batches


@given(st.lists(st.integers(0, 10**9), max_size=300), st.integers(1, 8))
def test_batches_hold_every_log_once_in_order(costs, workers):
    """Batches are neighbors, together every log, none of them too long."""
    batches = plan_batches(costs, workers)
    assert [index for batch in batches for index in batch] == list(range(len(costs)))
    assert all(1 <= len(batch) <= 64 for batch in batches)


def test_batches_keep_all_workers_busy():
    """Equal logs give several batches for each worker."""
    assert len(plan_batches([100] * 1000, 2)) >= 8


def test_large_log_is_its_own_batch():
    """A log as large as all others ends its batch."""
    batches = plan_batches([1] * 10 + [10_000] + [1] * 10, 2)
    assert batches[0].stop == 11
