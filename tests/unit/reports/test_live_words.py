"""A run that goes on, in words."""

from __future__ import annotations

import pytest
from checkout import PROJECT

from mlperf_logging.compliance.live import LiveJudge
from mlperf_logging.parsing import read_log
from mlperf_logging.reports._live_words import (
    name_log,
    say_basis,
    say_convergence,
    say_phase,
    say_progress,
    say_quality,
    say_reference,
    say_short_time,
    say_time,
    show_minutes,
    show_range,
)
from mlperf_logging.scoring.forecast import CURVE, REFERENCE, RUNS
from mlperf_logging.scoring.live_runs import Expectation, LiveRun, RunObserver, Times
from mlperf_logging.scoring.rcp.files import open_reference_points

LOG = PROJECT / "examples" / "logs" / "compliant" / "6.1.0_llama31_8b.txt"


@pytest.fixture(scope="module")
def live() -> LiveRun:
    """A run after its second evaluation, at three quarters of its log."""
    events = read_log(LOG).events
    observer = RunObserver(LiveJudge())
    for event in events[: [event.key for event in events].index("eval_stop") + 4]:
        observer.feed(event)
    found = observer.observe("run.log", open_reference_points())
    assert found.forecast is not None
    return found


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0.0, "0 s"), (1.5, "90 s"), (2, "2.0 min"), (100.4, "100 min"), (120, "2.0 h"), (4_320, "3.0 days")],
)
def test_durations(minutes: float, words: str) -> None:
    """Seconds, minutes, hours or days, whichever a person would say."""
    assert show_minutes(minutes) == words


def test_range_says_its_unit_once() -> None:
    """Two durations of one unit share it; of different ones each has its own."""
    assert show_range(3, 9) == "3.0 to 9.0 min"
    assert show_range(1, 180) == "60 s to 3.0 h"


def test_sentences_of_a_run(live: LiveRun) -> None:
    """Phase, progress, quality, forecast and reference, with the numbers that the run has."""
    (curve,) = live.curves
    assert live.expectation.acceptance is not None

    assert say_phase(live).startswith(f"{live.phase}, ")
    assert "samples" in say_progress(live)
    assert say_quality(curve).endswith("(target at most 3.3)")
    assert say_convergence(live).startswith("converges at 178,926 samples (")
    assert say_basis(live) == "80 % interval, by reference points"
    assert say_reference(live) == "mean 178,859, passes from 173,650 on (exact batch size)"


def test_time_from_the_last_record(live: LiveRun) -> None:
    """How long it takes from the last record on; over, when the whole interval has passed."""
    now = live.latest_ms
    assert now is not None
    coming = live._replace(times=Times(now + 60_000, now + 600_000, now + 1_200_000))
    over = live._replace(times=Times(now, now, now))

    assert say_time(coming).startswith("in 10.0 min (60 s to 20.0 min), at ")
    assert say_short_time(coming) == ("in 10.0 min", "60 s to 20.0 min")
    assert say_time(over) == say_short_time(over)[0] == "due by now"


@pytest.mark.parametrize("time_ms", [float("inf"), 1e300, -1e300])
def test_impossible_times_have_no_clock(live: LiveRun, time_ms: float) -> None:
    """A time that no calendar has is no error."""
    assert " at " not in say_time(live._replace(times=Times(time_ms, time_ms, time_ms)))


@pytest.mark.parametrize(
    ("basis", "count", "words"),
    [
        ((REFERENCE, RUNS), 1, "reference points and 1 finished run"),
        ((RUNS,), 3, "3 finished runs"),
        ((CURVE,), 0, "its own curve, which promises too much early on; no points"),
    ],
)
def test_basis(live: LiveRun, basis: tuple[str, ...], count: int, words: str) -> None:
    """What a forecast is based on, and why not on more."""
    assert live.forecast is not None
    expectation = Expectation(reason="no points") if basis == (CURVE,) else live.expectation
    other = live._replace(
        forecast=live.forecast._replace(basis=basis, run_count=count), expectation=expectation
    )

    assert say_basis(other) == f"80 % interval, by {words}"


def test_names_of_logs() -> None:
    """Standard input has a name, a hidden character none; of several runs in a file the number is said."""
    assert name_log("-", 1, 1) == "standard input"
    assert name_log("a\x1bb.log", 2, 3) == "a\\x1bb.log (run 2 of 3)"
