"""Starts and stops become intervals."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlperf_logging import read_run
from mlperf_logging.runs.intervals import Interval, Progress
from tests.logs import mllog, mlp050


def show(intervals: tuple[Interval, ...]) -> list[tuple[float, float | None, float | None]]:
    """Start, stop and epoch of each interval."""
    return [(each.start_ms, each.stop_ms, each.start.epoch_num) for each in intervals]


def test_stop_ends_the_start_before_it() -> None:
    """Epochs one after the other make one interval each."""
    run = read_run(
        b"".join(
            mllog(f"epoch_{end}", None, time, epoch_num=epoch)
            for time, end, epoch in [(1, "start", 1), (2, "stop", 1), (3, "start", 2), (5, "stop", 2)]
        )
    )

    assert show(run.epochs) == [(1, 2, 1), (3, 5, 2)]
    assert run.epochs[1].minutes == 2 / 60_000


def test_stop_finds_the_start_of_the_same_progress() -> None:
    """Evaluations that overlap are distinguished by their epoch."""
    run = read_run(
        b"".join(
            mllog(f"eval_{end}", None, time, epoch_num=epoch)
            for time, end, epoch in [(1, "start", 1), (2, "start", 2), (3, "stop", 1), (4, "stop", 2)]
        )
    )

    assert show(run.evals) == [(1, 3, 1), (2, 4, 2)]


def test_repeated_start_begins_nothing_new() -> None:
    """Each of many processes may log the start; initialization lasts from the first to the last stop."""
    run = read_run(
        mllog("init_start", None, 1)
        + mllog("init_start", None, 2)
        + mllog("init_stop", None, 9)
        + mllog("init_stop", None, 11)
    )

    assert run.init == Interval("init", 1, 11, Progress(), Progress())


def test_start_that_nothing_ends_is_left_open() -> None:
    """A missing stop neither loses the interval nor gives it the next one's end."""
    run = read_run(
        mllog("block_start", None, 1, first_epoch_num=1)
        + mllog("block_start", None, 5, first_epoch_num=2)
        + mllog("block_stop", None, 7, first_epoch_num=2)
    )

    assert show(run.blocks) == [(1, None, 1), (5, 7, 2)]
    assert run.blocks[0].minutes is None


def test_stop_of_nothing_is_left_out() -> None:
    """A stop without a start is no interval."""
    assert read_run(mllog("epoch_stop", None, 1, epoch_num=1)).epochs == ()


def test_samples_at_start_and_stop_are_kept() -> None:
    """Blocks that count samples say how many at either end."""
    run = read_run(
        mllog("block_start", None, 1, samples_count=0)
        + mllog("block_stop", None, 2, samples_count=512, step=4)
    )

    assert run.blocks == (Interval("block", 1, 2, Progress(samples_count=0), Progress(None, 512, 4)),)


def test_oldest_dialect_logs_the_epoch_as_value() -> None:
    """Where there is no metadata, the value of an evaluation's start is its epoch."""
    run = read_run(mlp050("some_task", "eval_start", 3, 1.0) + mlp050("some_task", "eval_stop", 3, 2.0))

    assert show(run.evals) == [(1_000, 2_000, 3)]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=30))
def test_every_interval_has_its_own_start(steps: list[tuple[bool, int]]) -> None:
    """Whatever the order, each interval has its own start and its own stop, and stops follow their starts."""
    log = b"".join(
        mllog(f"epoch_{'start' if begins else 'stop'}", None, time, epoch_num=epoch)
        for time, (begins, epoch) in enumerate(steps)
    )
    found = read_run(log).epochs
    starts = [each.start_ms for each in found]
    stops = [each.stop_ms for each in found if each.stop_ms is not None]

    assert starts == sorted(set(starts))
    assert len(set(stops)) == len(stops)
    assert all(each.start_ms < each.stop_ms for each in found if each.stop_ms is not None)
    assert {steps[int(time)][0] for time in starts} <= {True}
    assert {steps[int(time)][0] for time in stops} <= {False}
