"""What a log shows of a run that goes on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from checkout import PROJECT

from mlperf_logging.compliance.live import LiveJudge
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.events import Event
from mlperf_logging.parsing import read_log
from mlperf_logging.scoring.forecast import REFERENCE, RUNS
from mlperf_logging.scoring.live_runs import (
    EVALUATION,
    INIT,
    RUNNING,
    STOPPED,
    WAITING,
    FinishedRun,
    LiveRun,
    RunObserver,
)
from mlperf_logging.scoring.rcp.files import open_reference_points
from tests.logs import mllog

LOGS = PROJECT / "examples" / "logs" / "compliant"
LLAMA = LOGS / "6.1.0_llama31_8b.txt"
FIND_TABLE = open_reference_points()


def observe(
    events: Sequence[Event], finished: Sequence[FinishedRun] = (), selection: RuleSelection | None = None
) -> LiveRun:
    """What these events show."""
    observer = RunObserver(LiveJudge(selection or RuleSelection()))
    for event in events:
        observer.feed(event)
    return observer.observe("run.log", FIND_TABLE, finished)


def read_until(key: str, count: int = 1) -> list[Event]:
    """The events of the example log up to the one that logs a key for such a time."""
    events = read_log(LLAMA).events
    places = [number for number, event in enumerate(events) if event.key == key]
    return events[: places[count - 1] + 1]


@pytest.mark.parametrize(
    ("key", "phase"),
    [
        ("init_start", INIT),
        ("run_start", RUNNING),
        ("eval_start", EVALUATION),
        ("eval_stop", RUNNING),
        ("run_stop", STOPPED),
    ],
)
def test_phases(key: str, phase: str) -> None:
    """The last mark that was logged says what a run is doing."""
    assert observe(read_until(key)).phase == phase


def test_nothing_logged() -> None:
    """An empty log waits, and says nothing of anything."""
    live = observe([])

    assert (live.phase, live.choice, live.latest_ms, live.minutes) == (WAITING, None, None, None)
    assert (live.forecast, live.times, live.curves) == (None, None, ())


def test_run_with_reference_points_is_forecast() -> None:
    """After an evaluation that missed the target, amount and time of convergence are forecast, both ahead."""
    live = observe(read_until("eval_accuracy", 2))

    assert live.forecast is not None
    assert live.times is not None
    assert live.latest_ms is not None
    assert live.amount is not None
    assert live.forecast.basis == (REFERENCE,)
    assert live.amount < live.forecast.low <= live.forecast.median <= live.forecast.high
    assert live.latest_ms <= live.times.low_ms <= live.times.median_ms <= live.times.high_ms
    assert live.expectation.acceptance is not None
    (curve,) = live.curves
    assert curve.bound is not None
    assert (curve.bound.value, len(curve.points)) == (3.3, 2)


def test_run_that_reached_its_target_is_not_forecast() -> None:
    """Where the target was met, that is said instead."""
    live = observe(read_until("run_stop")[:-1])

    assert live.phase != STOPPED
    assert live.reached == live.amount
    assert (live.forecast, live.no_forecast) == (None, "")


def test_finished_runs_are_taken_into_account() -> None:
    """Runs of the same submission move the forecast, and lend their pace while a run has none."""
    events = read_until("run_start")
    others = [FinishedRun(200_000.0, 10_000.0), FinishedRun(200_000.0, 20_000.0), FinishedRun(math.inf)]
    alone, with_others = observe(events), observe(events, others)

    assert (alone.times, alone.no_forecast) == (None, "the pace is not known yet")
    assert with_others.forecast is not None
    assert alone.forecast is not None
    assert with_others.times is not None
    assert with_others.forecast.basis == (REFERENCE, RUNS)
    assert with_others.forecast.median > alone.forecast.median
    start = with_others.run.start_ms
    assert start is not None
    # Half of the way between both paces.
    assert with_others.times.median_ms == pytest.approx(start + with_others.forecast.median / 15_000 * 60_000)


@pytest.mark.parametrize(
    ("selection", "reason"),
    [
        (RuleSelection(division="open"), "reference points are of the closed division"),
        (RuleSelection(ruleset="0.7.0", benchmark="bert"), "training/0.7.0 has no reference points of bert"),
    ],
)
def test_why_nothing_is_expected(selection: RuleSelection, reason: str) -> None:
    """Where no reference points are to be used, the reason is given."""
    live = observe(read_until("eval_accuracy"), selection=selection)

    assert live.expectation.acceptance is None
    assert live.expectation.reason == reason


def test_benchmark_and_batch_size_are_waited_for() -> None:
    """Without them there are no points yet."""
    events = read_until("eval_accuracy")
    nameless = [event for event in events if event.key != "submission_benchmark"]
    sizeless = [event for event in events if event.key != "global_batch_size"]

    assert "does not name its benchmark" in observe(nameless).no_forecast
    assert "no global_batch_size" in observe(sizeless).no_forecast


def test_batch_size_beyond_the_points() -> None:
    """A batch size that is larger than every reference point has none."""
    events = [
        event._replace(value=1 << 20) if event.key == "global_batch_size" else event
        for event in read_until("eval_accuracy")
    ]

    assert "larger than every reference point" in observe(events).no_forecast


def test_joined_metrics_must_be_met_at_once() -> None:
    """Where one evaluation has two metrics, the target is reached where both meet it, not where each did once."""
    events = read_log(LOGS / "4.0.0_stable_diffusion.txt").events
    live = observe(events)
    names = {curve.metric: curve for curve in live.curves}
    both = set.intersection(
        *[
            {point.amount for point in names[metric].points if is_met(point.value)}
            for metric, is_met in (("FID", lambda value: value <= 90), ("CLIP", lambda value: value >= 0.15))
        ]
    )

    assert live.reached in both


def test_first_findings_come_with_their_event() -> None:
    """An event that breaks a rule gives its finding when it is fed."""
    observer = RunObserver(LiveJudge())
    found = []
    for event in read_until("run_start"):
        found += observer.feed(event)
    (record,) = read_log(mllog("opt_name", "none such", 1)).events

    assert found == []
    assert [finding.key for finding in observer.feed(record)] == ["opt_name"]
    assert observer.event_count == len(read_until("run_start")) + 1
