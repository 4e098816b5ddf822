"""How far training had come, whatever the log counts."""

from __future__ import annotations

import math

import pytest

from mlperf_logging import load_ruleset
from mlperf_logging.runs.intervals import Progress
from mlperf_logging.runs.progress import Counting, TrainingProgress, measure_progress, read_counting

NAN = math.nan


def measure(progress: Progress, **counting: object) -> TrainingProgress:
    """Progress in one way of counting."""
    return measure_progress(progress, Counting(**counting))


@pytest.mark.parametrize(
    ("progress", "counting", "wanted"),
    [
        (Progress(epoch_num=3), {"epoch_samples": 100}, (3, "epochs", 3, 300)),
        (Progress(epoch_num=3), {}, (3, "epochs", 3, NAN)),
        (Progress(samples_count=500), {"counts": "samples", "epoch_samples": 100}, (500, "samples", 5, 500)),
        (Progress(samples_count=500), {"counts": "samples"}, (500, "samples", NAN, 500)),
        (Progress(2.5, 500), {"epoch_samples": 100}, (500, "samples", 2.5, 500)),
        (Progress(500, 500), {"epoch_samples": 100}, (500, "samples", 5, 500)),
        (Progress(epoch_num=400), {"counts": "samples", "epoch_samples": 100}, (400, "samples", 4, 400)),
        (
            Progress(epoch_num=4),
            {"counts": "samples", "counts_from": 50, "epoch_samples": 100},
            (4, "epochs", 4, 400),
        ),
        (Progress(epoch_num=1.9), {"begins": 1, "epoch_samples": 100}, (1.9, "epochs", 0.9, 90)),
        (Progress(epoch_num=4096), {"counts": "tokens", "sequence_length": 16}, (4096, "tokens", NAN, 256)),
        (Progress(step_num=7), {"batch_size": 10, "epoch_samples": 100}, (7, "steps", 0.7, 70)),
        (
            Progress(5, None, 7),
            {"counts": "samples", "counts_from": 50, "batch_size": 10},
            (7, "steps", NAN, 70),
        ),
        (Progress(), {"epoch_samples": 100}, (NAN, "", NAN, NAN)),
    ],
)
def test_progress(progress: Progress, counting: dict[str, object], wanted: tuple[object, ...]) -> None:
    """Samples before epochs before steps, each in the benchmark's own way of counting."""
    found = measure(progress, **counting)

    assert found.unit == wanted[1]
    assert (found.progress, found.epochs, found.samples) == pytest.approx(
        (wanted[0], wanted[2], wanted[3]), nan_ok=True
    )


def test_logged_samples_are_believed_where_the_rules_say_nothing() -> None:
    """``train_samples`` is an epoch's size, unless the rule files know better or the benchmark counts samples."""
    logged = {"train_samples": 40_000, "global_batch_size": 8, "max_sequence_length": 512}

    assert read_counting({}, logged) == Counting("epochs", 0, 0, 40_000, 8, 512)
    assert read_counting({"epoch_samples": 117_266}, logged).epoch_samples == 117_266
    assert read_counting({"counts": "samples"}, logged).epoch_samples is None
    assert read_counting({}, {"train_samples": "many"}).epoch_samples is None


def test_a_round_may_change_the_training_set() -> None:
    """One benchmark got a larger training set in a later round; the facts of each round say which it has."""
    before, after = (
        load_ruleset(name).facts("ssd").get("progress") for name in ("training/1.1.0", "training/2.0.0")
    )

    assert before is None
    assert after == {"counts": "epochs", "epoch_samples": 1_170_301}
