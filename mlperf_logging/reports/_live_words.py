"""A run that goes on in words: how far, how good, when it will converge; for the terminal and for plain lines.

Texts from logs are shown by `show_text`; times are those of the log.
"""

from __future__ import annotations

from datetime import datetime

from mlperf_logging.compliance.targets import AT_LEAST
from mlperf_logging.events import minutes_between
from mlperf_logging.parsing.sources import STANDARD_INPUT
from mlperf_logging.reports._escape import show_text
from mlperf_logging.runs.progress import EPOCHS
from mlperf_logging.scoring.forecast import CURVE, REFERENCE, RUNS
from mlperf_logging.scoring.live_runs import STOPPED, LiveRun, QualityCurve
from mlperf_logging.scoring.live_submissions import LiveSubmission
from mlperf_logging.tables import show_number

_DUE = "due by now"
"""The interval of the forecast is over."""

_SECONDS_BELOW, _MINUTES_BELOW, _HOURS_BELOW = 2, 120, 48 * 60


def show_minutes(minutes: float) -> str:
    """A duration as people say it: "34 s", "12.3 min", "5.1 h", "2.4 days"."""
    number, unit = _split_duration(minutes)
    return f"{number} {unit}"


def show_range(low: float, high: float) -> str:
    """Two durations in minutes, with their unit once where it is the same: "52.1 to 78.0 min"."""
    (first, unit), (last, unit_of_last) = _split_duration(low), _split_duration(high)
    return f"{first} to {last} {unit}" if unit == unit_of_last else f"{first} {unit} to {last} {unit_of_last}"


def _split_duration(minutes: float) -> tuple[str, str]:
    if minutes < _SECONDS_BELOW:
        return f"{minutes * 60:.0f}", "s"
    if minutes < _MINUTES_BELOW:
        return f"{minutes:.1f}" if minutes < 100 else f"{minutes:.0f}", "min"
    return (f"{minutes / 60:.1f}", "h") if minutes < _HOURS_BELOW else (f"{minutes / 60 / 24:.1f}", "days")


def say_identity(live: LiveRun) -> str:
    """Benchmark, round, division and batch size, as far as they are known."""
    choice, batch_size = live.choice, live.run.global_batch_size
    if choice is None:
        return "benchmark not logged yet"
    parts = [choice.benchmark or "benchmark not logged yet", choice.ruleset.usage, choice.ruleset.round]
    words = " ".join([part for part in (*parts, choice.division) if part])
    return show_text(words + (f", batch size {batch_size:,.10g}" if batch_size else ""))


def say_phase(live: LiveRun) -> str:
    """The phase, and how the run ended."""
    minutes = f", {show_minutes(live.minutes)}" if live.minutes is not None else ""
    status = f": {show_text(live.run.status)}" if live.phase == STOPPED and live.run.status else ""
    return f"{live.phase}{status}{minutes}"


def say_progress(live: LiveRun) -> str:
    """How far training has come, and how fast it goes."""
    parts = []
    if live.amount is not None:
        parts.append(f"{show_number(live.amount)} {live.unit}")
        if live.unit == EPOCHS and live.samples:
            parts.append(f"{show_number(live.samples)} samples")
        elif live.epochs:
            parts.append(f"{live.epochs:.2f} epochs")
    if live.samples_per_second:
        parts.append(f"{show_number(live.samples_per_second)} samples/s")
    return "; ".join(parts)


def say_quality(curve: QualityCurve) -> str:
    """The latest value of a metric, and its target."""
    value = show_number(curve.points[-1].value) if curve.points else "not evaluated yet"
    if curve.bound is None:
        return value
    return f"{value} (target {curve.bound.direction} {curve.bound.value:g})"


def is_better(curve: QualityCurve, value: float) -> bool:
    """Whether a value meets the target of a curve."""
    bound = curve.bound
    return bound is not None and (
        value >= bound.value if bound.direction == AT_LEAST else value <= bound.value
    )


def say_convergence(live: LiveRun) -> str:
    """At how much training the run converges, or did, and why that is not known."""
    if live.reached is not None:
        return f"converged at {show_number(live.reached)} {live.unit}"
    if live.forecast is None:
        return "" if live.phase == STOPPED else live.no_forecast
    forecast = live.forecast
    ends = f"{show_number(forecast.low)} to {show_number(forecast.high)}"
    return f"converges at {show_number(forecast.median)} {live.unit} ({ends})"


def say_time(live: LiveRun) -> str:
    """When the run converges, from its last record on; why that is not known."""
    times = live.times
    if times is None or live.latest_ms is None:
        return live.no_forecast if live.forecast is not None else ""
    left = [max(minutes_between(live.latest_ms, each), 0.0) for each in times]
    if not left[2]:
        return _DUE
    try:
        clock = datetime.fromtimestamp(times.median_ms / 1_000).astimezone()
    except (OverflowError, OSError, ValueError):  # a log may hold any time
        at = ""
    else:
        at = f", at {clock:%H:%M}" if left[1] < 12 * 60 else f", on {clock:%d %b at %H:%M}"
    return f"in {show_minutes(left[1])} ({show_range(left[0], left[2])}){at}"


def say_short_time(live: LiveRun) -> tuple[str, str]:
    """When the run converges, and between when and when, in the fewest words; how long one took that has ended."""
    if live.phase == STOPPED:
        status = "after" if live.run.summary.succeeded else live.run.status or "stopped after"
        minutes = live.run.minutes
        return f"{show_text(status)} {show_minutes(minutes)}" if minutes is not None else show_text(
            status
        ), ""
    if live.times is None or live.latest_ms is None:
        return "", ""
    left = [max(minutes_between(live.latest_ms, each), 0.0) for each in live.times]
    if not left[2]:
        return _DUE, ""
    return f"in {show_minutes(left[1])}", show_range(left[0], left[2])


def say_basis(live: LiveRun) -> str:
    """What the forecast is based on."""
    if live.forecast is None:
        return ""
    count = live.forecast.run_count
    words = {
        REFERENCE: "reference points",
        RUNS: f"{count} finished run{'s' * (count != 1)}",
        CURVE: "its own curve, which promises too much early on",
    }
    reason = f"; {live.expectation.reason}" if live.expectation.reason else ""
    return f"80 % interval, by {' and '.join([words[each] for each in live.forecast.basis])}{reason}"


def say_reference(live: LiveRun) -> str:
    """The reference's mean, and the smallest one that passes."""
    acceptance = live.expectation.acceptance
    if acceptance is None or acceptance.match.reference is None or acceptance.mean is None:
        return live.expectation.reason
    reference = acceptance.match.reference
    return (
        f"mean {show_number(reference.mean)}, passes from {show_number(acceptance.mean)} on "
        f"({acceptance.match.kind} batch size)"
    )


def say_chance(submission: LiveSubmission) -> str:
    """The chance of a submission to pass the test of reference convergence."""
    runs = f"{len(submission.converged_at)} finished, {submission.running} running"
    wanted = f" of {submission.required}" if submission.required is not None else ""
    if submission.chance is None:
        return f"not known: {submission.no_chance}"
    return f"{submission.chance.probability:.0%} ({runs}{wanted} runs)"


def name_log(path: str, number: int, count: int) -> str:
    """A log's path, and the number of its run where it holds several."""
    name = "standard input" if path == STANDARD_INPUT else show_text(path)
    return name + (f" (run {number} of {count})" if count > 1 else "")
