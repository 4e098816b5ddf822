"""Where a run's time goes."""

from __future__ import annotations

import math

import pytest

from mlperf_logging import read_run
from mlperf_logging.analysis.breakdown import Breakdown, break_down_time, join_spans, measure_spans
from tests.logs import mllog


def break_down(*events: tuple[str, float], **progress: int) -> Breakdown:
    """The breakdown of a log with these events at these minutes."""
    log = b"".join(mllog(key, None, minutes * 60_000, **progress) for key, minutes in events)
    return break_down_time(read_run(log))


def test_evaluation_inside_an_epoch_is_no_training() -> None:
    """An epoch of 10 minutes with an evaluation of 3 in it is 7 minutes of training."""
    found = break_down(
        ("run_start", 0),
        ("epoch_start", 1),
        ("eval_start", 5),
        ("eval_stop", 8),
        ("epoch_stop", 11),
        ("run_stop", 12),
    )

    assert (found.train_minutes, found.eval_minutes, found.idle_minutes) == pytest.approx((7, 3, 2))


def test_blocks_and_epochs_count_once() -> None:
    """Where blocks and epochs are both logged, time that both cover counts once."""
    found = break_down(
        ("run_start", 0),
        ("block_start", 0),
        ("epoch_start", 0),
        ("epoch_stop", 4),
        ("block_stop", 5),
        ("eval_start", 5),
        ("eval_stop", 6),
        ("run_stop", 6),
    )

    assert (found.train_minutes, found.eval_minutes, found.idle_minutes) == pytest.approx((5, 1, 0))


def test_nothing_but_evaluations() -> None:
    """Without epochs and blocks, what is no evaluation is training; what is idle cannot be told."""
    found = break_down(("run_start", 0), ("eval_start", 5), ("eval_stop", 6), ("run_stop", 10))

    assert (found.train_minutes, found.eval_minutes) == pytest.approx((9, 1))
    assert math.isnan(found.idle_minutes)


def test_no_interval_at_all() -> None:
    """A run that logs no interval tells nothing of where its time went."""
    found = break_down(("run_start", 0), ("run_stop", 10))

    assert all(map(math.isnan, found))


def test_interval_that_never_stops() -> None:
    """An open block lasts to the end of the run; before the run's clock and after it nothing counts."""
    found = break_down(("run_start", 2), ("block_start", 1), ("run_stop", 10))

    assert found.train_minutes == pytest.approx(8)


def test_initialization_and_staging_are_separate() -> None:
    """What lies before run_start is reported, and is no part of the run."""
    found = break_down(
        ("staging_start", 0),
        ("staging_stop", 2),
        ("init_start", 2),
        ("init_stop", 5),
        ("run_start", 5),
        ("block_start", 5),
        ("block_stop", 9),
        ("run_stop", 9),
    )

    assert (found.staging_minutes, found.init_minutes, found.train_minutes) == pytest.approx((2, 3, 4))


def test_run_that_ends_before_it_begins() -> None:
    """Times that go backwards have no breakdown."""
    assert math.isnan(break_down(("run_start", 9), ("eval_start", 9), ("run_stop", 3)).eval_minutes)


def test_spans_are_joined() -> None:
    """Overlapping and touching spans become one, cut at the ends; empty ones go."""
    spans = join_spans([(8, 12), (1, 3), (2, 5), (5, 6), (7, 7), (-5, 0)], 2, 10)

    assert spans == [(2, 6), (8, 10)]
    assert measure_spans(spans) == 6
