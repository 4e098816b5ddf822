"""The pace of a run that goes on."""

from __future__ import annotations

import pytest

from mlperf_logging.parsing import read_log
from mlperf_logging.runs.intervals import Progress
from mlperf_logging.runs.progress import EPOCHS, SAMPLES, STEPS, Counting
from mlperf_logging.runs.run import Run, make_run
from mlperf_logging.scoring.pace import find_throughput, measure_pace, read_amount
from tests.logs import mllog

MINUTE = 60_000


def read(*lines: bytes) -> Run:
    """The run of a log that begins at one minute."""
    return make_run(read_log(mllog("run_start", None, MINUTE) + b"".join(lines)))


def evaluation(minute: float, **progress: float) -> bytes:
    """An evaluation so many minutes after the run's start."""
    return mllog("eval_accuracy", 0.5, MINUTE * (1 + minute), **progress)


def test_evaluations_tell_the_pace() -> None:
    """From the first to the last evaluation: what comes before the first takes no part."""
    run = read(evaluation(30, samples_count=1_000), evaluation(40, samples_count=3_000))
    pace = measure_pace(run, SAMPLES, Counting())

    assert pace is not None
    assert (pace.per_minute, pace.source) == (200, "eval_accuracy")
    assert pace.time_of(4_000) == MINUTE * 46


def test_several_metrics_of_one_evaluation_are_one_mark() -> None:
    """The first record of each amount counts."""
    both = [evaluation(10, epoch_num=1), evaluation(11, epoch_num=1), evaluation(20, epoch_num=2)]
    pace = measure_pace(read(*both), EPOCHS, Counting())

    assert pace is not None
    assert pace.per_minute == pytest.approx(0.1)


def test_one_evaluation_is_measured_from_the_start() -> None:
    """With a single evaluation, the time since the run's start is all there is."""
    pace = measure_pace(read(evaluation(10, samples_count=500)), SAMPLES, Counting())

    assert pace is not None
    assert pace.per_minute == 50


def test_marks_of_epochs_tell_it_before_evaluations() -> None:
    """Epochs that begin are numbered from 1 on: when the third begins, two are done."""
    starts = [
        mllog("epoch_start", None, MINUTE * (1 + 5 * number), epoch_num=number + 1) for number in range(3)
    ]
    pace = measure_pace(read(*starts), EPOCHS, Counting())

    assert pace is not None
    assert pace.per_minute == pytest.approx(0.2)
    assert pace.time_of(4) == MINUTE * 21


def test_steps_count_by_the_batch_size() -> None:
    """Where blocks log steps, the batch size says how many samples that is, and the data set's size how many epochs."""
    blocks = [mllog("block_start", None, MINUTE * (1 + number), step_num=100 * number) for number in range(4)]
    counting = Counting(epoch_samples=6_400, batch_size=32)

    assert [
        pace.per_minute
        for unit in (SAMPLES, STEPS, EPOCHS)
        if (pace := measure_pace(read(*blocks), unit, counting)) is not None
    ] == [3_200, 100, 0.5]


def test_size_of_a_block_is_no_progress() -> None:
    """A number that stays the same tells nothing; the one that rises does."""
    blocks = [
        mllog("block_start", None, MINUTE * (1 + number), samples_count=64, step_num=2 * number)
        for number in range(3)
    ]
    pace = measure_pace(read(*blocks), SAMPLES, Counting(batch_size=32))

    assert pace is not None
    assert pace.per_minute == 64


def test_small_numbers_of_blocks_may_be_samples() -> None:
    """Where a benchmark counts samples in epoch_num, a block's small number tells nothing until it is a large one."""
    small = [
        mllog("block_start", None, MINUTE * (1 + number), first_epoch_num=168 * (number + 1))
        for number in range(3)
    ]
    large = [
        mllog("block_start", None, MINUTE * (11 + number), first_epoch_num=10_080 + 168 * number)
        for number in range(3)
    ]
    counting = Counting(SAMPLES, 10_000, 0, 168)

    assert measure_pace(read(*small), SAMPLES, counting) is None
    pace = measure_pace(read(*small, *large), SAMPLES, counting)
    assert pace is not None
    assert pace.per_minute == 168


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (evaluation(5),),
        (evaluation(5, epoch_num=0),),
        (evaluation(-5, epoch_num=2),),
        (evaluation(5, epoch_num=1), evaluation(5, epoch_num=2)),
    ],
    ids=["nothing", "no progress", "nothing done", "before the start", "no time between"],
)
def test_log_that_tells_no_pace(lines: tuple[bytes, ...]) -> None:
    """What does not say how far training came in which time gives no pace, or one by the start."""
    pace = measure_pace(read(*lines), EPOCHS, Counting())

    assert pace is None or pace.per_minute > 0
    if len(lines) < 2:
        assert pace is None


def test_run_that_has_not_started_has_no_pace() -> None:
    """Before run_start there is none."""
    assert measure_pace(make_run(read_log(evaluation(1, epoch_num=1))), EPOCHS, Counting()) is None


@pytest.mark.parametrize(
    ("progress", "unit", "amount"),
    [
        (Progress(2, None, None), EPOCHS, 2),
        (Progress(None, 5_000, None), EPOCHS, 2),
        (Progress(None, None, 10), EPOCHS, 1.32),
        (Progress(2, None, None), SAMPLES, 5_000),
        (Progress(None, None, 10), SAMPLES, 320),
        (Progress(None, 320, None), STEPS, 10),
        (Progress(2, None, None), STEPS, None),
        (Progress(), SAMPLES, None),
    ],
)
def test_amounts_in_each_unit(progress: Progress, unit: str, amount: float | None) -> None:
    """Epochs, samples and steps follow from each other by the sizes of an epoch and of a batch; epochs begin at 1 here."""
    counting = Counting(begins=1, epoch_samples=5_000 if unit == SAMPLES else 1_000, batch_size=32)
    if progress.samples_count == 5_000:
        counting = Counting(begins=1, epoch_samples=5_000)

    assert read_amount(progress, unit, counting) == (None if amount is None else pytest.approx(amount))


def test_latest_throughput_counts() -> None:
    """The last throughput that is a positive number is the one shown."""
    stats = [mllog("tracked_stats", {"throughput": value}, 2 * MINUTE) for value in (10.0, 20.0, 0, "none")]

    assert find_throughput(read(*stats)) == 20
    assert find_throughput(read()) is None
