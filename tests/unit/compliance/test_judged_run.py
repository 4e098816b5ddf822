"""A verdict and the typed view of a run from one reading."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import pytest
from checkout import PROJECT

from mlperf_logging import check_log, judge_run, read_run
from mlperf_logging.compliance import held_log
from mlperf_logging.compliance.judge import Judge
from mlperf_logging.compliance.live import start_judge
from mlperf_logging.parsing import read_batches, read_log
from mlperf_logging.rules.repository import load_ruleset
from mlperf_logging.runs.kept_events import KEPT_EVENTS
from tests.logs import mllog

LOGS = sorted((PROJECT / "examples" / "logs").glob("*/*.txt"))


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_one_reading_gives_what_two_would(path: Path) -> None:
    """The verdict is that of `check_log`, the run that of `read_run`."""
    judged = judge_run(path)

    assert judged.verdict == check_log(path)
    run = read_run(path)
    assert judged.run == (run.without_figures() if judged.verdict.runs else run)
    assert judged.run.summary == judged.verdict.run


def test_long_log_gives_the_same_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is too long to be held is judged, and its run noted, while it is read."""
    path = LOGS[0]
    whole = judge_run(path)
    monkeypatch.setattr(held_log, "HELD_ITEMS", 3)

    assert judge_run(path) == whole


def test_log_of_long_records_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held in memory is bounded by the records' bytes as well: what asks for the items later reads them again."""
    whole = judge_run(LOGS[0])
    readings = []
    monkeypatch.setattr(held_log, "KEPT_BYTES", 1_000)
    monkeypatch.setattr(held_log, "SURELY_KEPT_BYTES", 100)
    monkeypatch.setattr(
        held_log, "read_batches", lambda source: readings.append(source) or read_batches(source)
    )

    assert judge_run(LOGS[0]) == whole
    assert len(readings) == 1
    assert sum(1 for _ in held_log.HeldLog(LOGS[0]).items()) > 0
    assert len(readings) == 3


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("follows", [False, True])
def test_long_records_of_many_keys_are_not_held(*, follows: bool, backwards: bool) -> None:
    """A judge keeps the beginnings of long records: many keys and values of lists take little memory, live as well."""
    lists = [[]] * 4_000
    table = load_ruleset("training/6.1.0").table("closed", "llama31_8b", strict=True)
    keys = sorted(table.entries, reverse=backwards)
    lines = (mllog(key, [number, *lists]) for number in range(3) for key in keys)
    judge = start_judge(usage="training", ruleset="6.1.0") if follows else Judge(table)
    gc.collect()
    gc.disable()  # nothing waits for a collection, which in a large process comes late
    tracemalloc.start()
    try:
        for line in lines:
            for event in read_log(line).events:
                judge.feed(event)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()

    assert kept < 8e6
    assert len(table.entries) > 40


def test_events_beyond_the_bound_are_reported() -> None:
    """Of more seeds than any run logs the first are kept, and a warning says how many are not."""
    log = b"".join(mllog("seed", number) for number in range(KEPT_EVENTS + 7))
    judged = judge_run(log, usage="training", ruleset="6.1.0", benchmark="llama31_8b", division="closed")
    (finding,) = [each for each in judged.verdict.findings if each.code == "MLP110"]

    assert len(judged.run.seeds) == KEPT_EVENTS
    assert (finding.severity, finding.found) == ("warning", "7 more")


def test_evaluations_of_many_metrics_are_bounded() -> None:
    """An evaluation with a million metrics gives as many values as are kept."""
    log = mllog("eval_accuracy", dict.fromkeys(map(str, range(KEPT_EVENTS + 1)), 0.5))

    assert len(judge_run(log).run.evaluations) == KEPT_EVENTS


def test_evaluations_that_met_the_target_are_reported() -> None:
    """All evaluations that meet the target, in their order."""
    lines = [
        mllog("eval_accuracy", value, time, samples_count=samples)
        for value, time, samples in ((3.5, 1, 10), (3.2, 2, 20), (3.1, 3, 30))
    ]
    judged = judge_run(
        b"".join(lines), usage="training", ruleset="6.1.0", benchmark="llama31_8b", division="closed"
    )

    assert [(event.value, event.metadata["samples_count"]) for event in judged.targets[0].met] == [
        (3.2, 20),
        (3.1, 30),
    ]


def test_target_that_was_never_met_is_reported() -> None:
    """Without an evaluation at the target, none is listed for it."""
    line = mllog("eval_accuracy", 3.9, samples_count=10)
    judged = judge_run(line, usage="training", ruleset="6.1.0", benchmark="llama31_8b", division="closed")

    assert [target.met for target in judged.targets] == [()]


def test_how_often_a_benchmark_is_run_is_reported() -> None:
    """What the rules ask of the number of runs comes with the verdict; for an unknown benchmark it is nothing."""
    known = judge_run(b"", usage="training", ruleset="6.1.0", benchmark="llama31_8b")
    unknown = judge_run(mllog("submission_benchmark", "knitting"), usage="training", ruleset="6.1.0")

    assert known.facts["runs"]["required"] == 10
    assert (unknown.facts, unknown.join) == ({}, None)
