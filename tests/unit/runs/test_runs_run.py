"""The typed view of one run, in every dialect."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlperf_logging import check_log, make_run, read_log, read_run
from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing import read_batches
from mlperf_logging.runs.intervals import Progress
from mlperf_logging.runs.kept_events import KEPT_EVENTS
from mlperf_logging.runs.run import RunNotes
from mlperf_logging.runs.summary import RunSummary
from tests.logs import mll, mllog, mlp050

NEWEST = b"".join(
    [
        mllog("submission_benchmark", "some_task", 0),
        mllog("submission_benchmark", "other_task", 1),
        mllog("submission_division", "closed", 2),
        mllog("submission_org", "Some Org", 3),
        mllog("submission_platform", "2xBox", 4),
        mllog("submission_status", "onprem", 5),
        mllog("init_start", None, 10),
        mllog("seed", 7, 11, file="train.py", lineno=12),
        mllog("global_batch_size", 32, 12),
        mllog("opt_name", "sgd", 13),
        mllog("opt_name", "adamw", 14),
        mllog("number_of_nodes", 2, 15),
        mllog("accelerators_per_node", 0, 16),
        mllog("init_stop", None, 1_000),
        mllog("run_start", None, 1_000),
        mllog("epoch_start", None, 1_010, epoch_num=1),
        mllog("tracked_stats", {"throughput": 5.5}, 1_500, step=3),
        mllog("epoch_stop", None, 2_000, epoch_num=1),
        mllog("eval_accuracy", 0.5, 2_100, epoch_num=1, samples_count=64),
        mllog("run_stop", None, 121_000, status="success"),
    ]
)
MLL = (
    mll("run_start", None, 1.0)
    + mll("eval_accuracy", 0.25, 2.0, epoch_num=3)
    + mll("run_stop", None, 61.0, status="abort")
)


def test_newest_dialect_gives_the_frame() -> None:
    """Start, stop, status and minutes are those of run_start and run_stop."""
    run = read_run(NEWEST)

    assert run.summary == RunSummary(1_000, 121_000, "success", 2.0)
    assert (run.start_ms, run.stop_ms, run.status, run.minutes) == run.summary
    assert run.summary.succeeded


def test_frame_goes_from_the_first_start_to_the_last_stop() -> None:
    """Several starts and stops make one frame."""
    run = read_run(
        mllog("run_start", None, 60_000)
        + mllog("run_start", None, 120_000)
        + mllog("run_stop", None, 180_000, status="aborted")
        + mllog("run_stop", None, 240_000, status="success")
    )

    assert run.summary == RunSummary(60_000, 240_000, "success", 3.0)


def test_identity_is_what_was_logged_first() -> None:
    """Of repeated identity keys the first counts, as it does when a log is judged."""
    run = read_run(NEWEST)

    assert (run.benchmark, run.division, run.org) == ("some_task", "closed", "Some Org")
    assert (run.platform, run.availability) == ("2xBox", "onprem")


def test_hyperparameters_are_what_was_logged_last() -> None:
    """Of repeated hyperparameters the last counts; frame, evaluations, seeds and identity are none."""
    run = read_run(NEWEST)

    assert run.hyperparameters == {
        "global_batch_size": 32,
        "opt_name": "adamw",
        "number_of_nodes": 2,
        "accelerators_per_node": 0,
    }
    assert run.global_batch_size == 32


def test_a_node_without_accelerators_counts_as_one() -> None:
    """Systems of processors log 0 accelerators a node."""
    assert read_run(NEWEST).accelerator_count == 2


def test_seed_says_where_it_was_logged() -> None:
    """The source file and line that logged a seed tell whether two seeds are of one generator."""
    (seed,) = read_run(NEWEST).seeds

    assert (seed.value, seed.file, seed.line, seed.event.line) == (7, "train.py", 12, 8)


def test_init_lasts_from_start_to_stop() -> None:
    """The time of initialization is at hand."""
    init = read_run(NEWEST).init

    assert init is not None
    assert (init.start_ms, init.stop_ms) == (10, 1_000)


def test_tracked_stats_are_kept_with_their_progress() -> None:
    """Statistics of the run say how far training had come."""
    (stats,) = read_run(NEWEST).tracked_stats

    assert stats == ({"throughput": 5.5}, Progress(step_num=3), 1_500)


def test_repeated_numbers_are_series() -> None:
    """Statistics, and any key whose number is logged again at another place or with another value, are series."""
    text = b"".join(
        [
            mllog("opt_weight_decay", 0.1, 1, lineno=1),
            mllog("opt_weight_decay", 0.1, 2, lineno=2),
            mllog("train_samples", 640, 3),
            mllog("run_start", None, 10),
            mllog("train_loss", 2.5, 20, samples_count=32),
            mllog("train_loss", 2.5, 20, samples_count=32),
            mllog("lr", 0.5, 21),
            mllog("tracked_stats", {"loss": {"mask": 1.5}, "throughput": "7", "note": "warm"}, 25, step=2),
            mllog("train_loss", 2.5, 30, samples_count=64),
            mllog("lr", 0.25, 31),
            mllog("eval_accuracy", 0.5, 40, epoch_num=1),
            mllog("eval_accuracy", 0.6, 50, epoch_num=2),
            mllog("cache_clear", value=True, time_ms=51),
            mllog("cache_clear", value=False, time_ms=52),
            mllog("train_samples", 64, 60),
        ]
    )
    found = [(each.key, each.metric, each.value, each.time_ms) for each in read_run(text).series]

    assert found == [
        ("train_loss", "train_loss", 2.5, 20),
        ("lr", "lr", 0.5, 21),
        ("tracked_stats", "mask", 1.5, 25),
        ("tracked_stats", "throughput", 7, 25),
        ("train_loss", "train_loss", 2.5, 30),
        ("lr", "lr", 0.25, 31),
    ]
    assert read_run(text).series[0].progress == Progress(samples_count=32)


def test_series_take_nothing_from_what_is_judged() -> None:
    """Of numbers without end the first are kept, the others counted apart; evaluations after them still count."""
    events = read_log(mllog("loss", 1.5, 1, step_num=1) + mllog("eval_accuracy", 0.5, 2, epoch_num=1)).events
    notes = RunNotes()
    notes.note([events[0]] * KEPT_EVENTS)
    notes.note([*[events[0]._replace(value=2.5)] * 7, events[1]])
    run = notes.make_run("-", None, {})

    assert (run.unkept_count, run.unkept_number_count) == (0, 7)
    assert [each.value for each in run.evaluations] == [0.5]


def test_evaluation_says_how_far_training_had_come() -> None:
    """Value, epoch and samples of an evaluation are read from its event."""
    (evaluation,) = read_run(NEWEST).evaluations

    assert evaluation.value == 0.5
    assert evaluation.progress == Progress(1, 64, None)
    assert (evaluation.time_ms, evaluation.event.line) == (2_100, 19)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.5, [(None, 0.5)]),
        ("20.25", [(None, 20.25)]),
        ([0.5, 0.25], [("0", 0.5), ("1", 0.25)]),
        ({"BBOX": 0.5, "SEGM": 0.25}, [("BBOX", 0.5), ("SEGM", 0.25)]),
        ({"accuracy": {"BBOX": 0.5, "SEGM": 0.25}}, [("BBOX", 0.5), ("SEGM", 0.25)]),
        ("no number", [(None, None)]),
        (True, [(None, None)]),
        (None, [(None, None)]),
    ],
)
def test_evaluation_of_many_shapes(value: object, expected: list[tuple[str | None, float | None]]) -> None:
    """One number, a number as text, and several metrics in an object or a list are all read."""
    found = read_run(mllog("eval_accuracy", value)).evaluations

    assert [(each.metric, each.value) for each in found] == expected


def test_metric_in_the_metadata_names_the_value() -> None:
    """A metric that is logged next to the value gives its name."""
    (evaluation,) = read_run(mllog("eval_accuracy", 80.0, metric="FID", samples_count=5)).evaluations

    assert (evaluation.metric, evaluation.value) == ("FID", 80.0)


def test_records_that_repeat_to_the_letter_count_once() -> None:
    """Where each of two processes writes every record, evaluations and intervals are not doubled."""
    line = mllog("eval_accuracy", 0.5, epoch_num=1)

    assert len(read_run(line + line).evaluations) == 1
    assert read_run(line + line).event_count == 2


def test_second_dialect_is_read_in_milliseconds() -> None:
    """The dialect that logs seconds gives the same frame."""
    run = read_run(MLL)

    assert run.summary == RunSummary(1_000, 61_000, "abort", 1.0)
    assert run.evaluations[0].progress.epoch_num == 3


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ({"success": "true"}, "success"),
        ({"success": True}, "success"),
        ({"success": False}, "aborted"),
        (None, None),
    ],
)
def test_oldest_dialect_tells_success_by_value(value: object, status: str | None) -> None:
    """The oldest dialect has no metadata; run_stop holds whether the run succeeded."""
    run = read_run(
        mlp050("some_task", "run_start", None, 1.0)
        + mlp050("some_task", "run_set_random_seed", 5, 2.0)
        + mlp050("some_task", "eval_accuracy", {"epoch": 4, "value": 0.75}, 60.0)
        + mlp050("some_task", "run_stop", value, 61.0)
    )

    assert run.summary == RunSummary(1_000, 61_000, status, 1.0)
    assert run.benchmark == "some_task"
    assert [(each.value, each.progress.epoch_num) for each in run.evaluations] == [(0.75, 4)]
    assert [seed.value for seed in run.seeds] == [5]


def test_empty_log_is_an_empty_run() -> None:
    """Nothing logged gives a run without a frame, not an exception."""
    run = read_run(b"nothing but noise\n")

    assert run.dialect is None
    assert run.summary == RunSummary()
    assert (run.evaluations, run.seeds, run.init, run.benchmark) == ((), (), None, None)
    assert run.epochs == run.blocks == run.evals == ()


def test_batches_give_the_same_run_as_the_whole_log() -> None:
    """What is noted batch by batch, with older records and problems between, is what the whole log gives."""
    source = mll("run_start") + NEWEST + b":::MLLOG {half\n"
    notes = RunNotes()
    items: list[Event | Problem] = [item for batch in read_batches(source) for item in batch]
    for item in items:
        notes.note((item,))

    log = read_log(source)
    first = {event.key: event for event in reversed(log.events)}
    assert notes.make_run("<bytes>", None, first) == make_run(log)


@pytest.mark.corpus
def test_frames_agree_with_the_judge(corpus_logs: list[Path]) -> None:
    """A run's frame is the one that the verdict reports, on real logs of every round."""
    checked = 0
    for path in corpus_logs[::40]:
        run = read_run(path)
        if run.dialect is not None:
            checked += 1
            judged = check_log(path).run
    # the judge does not judge a record without a time, but how the run ended can be read from it
    assert run.summary == judged._replace(status=judged.status or run.status), path
    assert checked > 20
