"""A verdict and the typed view of a run from one reading."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlperf_logging import check_log, check_run, read_run
from mlperf_logging.compliance import checking
from tests.logs import mllog

PROJECT = Path(__file__).resolve().parents[3]
LOGS = sorted((PROJECT / "examples" / "logs").glob("*/*.txt"))


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_one_reading_gives_what_two_would(path: Path) -> None:
    """The verdict is that of `check_log`, the run that of `read_run`."""
    checked = check_run(path)

    assert checked.verdict == check_log(path)
    assert checked.run == read_run(path)
    assert checked.run.summary == checked.verdict.run


def test_long_log_gives_the_same_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is too long to be held is judged in a second pass; its run is noted in the first."""
    path = LOGS[0]
    whole = check_run(path)
    monkeypatch.setattr(checking, "HELD_EVENTS", 3)

    assert check_run(path) == whole


def test_event_that_reached_the_target_is_told() -> None:
    """The first evaluation that meets the target, not the last."""
    lines = [
        mllog("eval_accuracy", value, time, samples_count=samples)
        for value, time, samples in ((3.5, 1, 10), (3.2, 2, 20), (3.1, 3, 30))
    ]
    checked = check_run(
        b"".join(lines), usage="training", ruleset="6.1.0", benchmark="llama31_8b", division="closed"
    )

    assert checked.reached is not None
    assert (checked.reached.value, checked.reached.metadata["samples_count"]) == (3.2, 20)


def test_target_that_was_never_met_is_told() -> None:
    """Without an evaluation at the target there is no such event."""
    line = mllog("eval_accuracy", 3.9, samples_count=10)
    checked = check_run(line, usage="training", ruleset="6.1.0", benchmark="llama31_8b", division="closed")

    assert checked.reached is None


def test_how_often_a_benchmark_is_run_is_told() -> None:
    """What the rules ask of the number of runs comes with the verdict; for an unknown benchmark it is nothing."""
    known = check_run(b"", usage="training", ruleset="6.1.0", benchmark="llama31_8b")
    unknown = check_run(mllog("submission_benchmark", "knitting"), usage="training", ruleset="6.1.0")

    assert known.required is not None
    assert known.required["required"] == 10
    assert (unknown.required, unknown.join) == (None, None)
