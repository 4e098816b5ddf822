"""What `mlperf watch --json` says of a run: one object per update."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mlperf_logging.compliance.findings import Finding
from mlperf_logging.events import minutes_between
from mlperf_logging.scoring.live_runs import Expectation, LiveRun, QualityCurve
from mlperf_logging.scoring.live_submissions import LiveSubmission

SCHEMA = "mlperf-watch/1"


def describe_live_run(live: LiveRun, submission: LiveSubmission | None) -> dict[str, Any]:
    """What a run shows, as fields of the JSON object; see docs/watch.md.

    Args:
        live: the run.
        submission: the runs of its folder, or None.
    """
    choice, run = live.choice, live.run
    return {
        "phase": live.phase,
        "status": run.status,
        "usage": choice.ruleset.usage if choice is not None else None,
        "ruleset": choice.ruleset.round if choice is not None else None,
        "division": choice.division if choice is not None else None,
        "benchmark": choice.benchmark if choice is not None else None,
        "batch_size": run.global_batch_size,
        "start_ms": run.start_ms,
        "latest_ms": live.latest_ms,
        "minutes": live.minutes,
        "unit": live.unit,
        "amount": live.amount,
        "epochs": live.epochs,
        "samples": live.samples,
        "samples_per_second": live.samples_per_second,
        "quality": list(_describe_curves(live.curves)),
        "reached_at": live.reached,
        "reference": _describe_reference(live.expectation),
        "forecast": _describe_forecast(live),
        "no_forecast": live.no_forecast or None,
        "chance_to_pass": _describe_chance(submission),
    }


def describe_findings(errors: int, warnings: int, new: Iterable[Finding]) -> dict[str, Any]:
    """How many findings there are on a run, and those that came since the last update."""
    return {"errors": errors, "warnings": warnings, "new": [finding.as_json() for finding in new]}


def _describe_curves(curves: Iterable[QualityCurve]) -> Iterator[dict[str, Any]]:
    for curve in curves:
        latest = curve.points[-1] if curve.points else None
        yield {
            "metric": curve.metric,
            "target": curve.bound.value if curve.bound is not None else None,
            "direction": curve.bound.direction if curve.bound is not None else None,
            "evaluations": len(curve.points),
            "value": latest.value if latest is not None else None,
            "amount": latest.amount if latest is not None else None,
            "time_ms": latest.time_ms if latest is not None else None,
        }


def _describe_reference(expectation: Expectation) -> dict[str, Any] | None:
    acceptance = expectation.acceptance
    if acceptance is None or acceptance.match.reference is None:
        return None
    reference = acceptance.match.reference
    return {
        "match": acceptance.match.kind,
        "batch_size": reference.batch_size,
        "mean": reference.mean,
        "stdev": reference.deviation,
        "smallest_acceptable": acceptance.mean,
    }


def _describe_forecast(live: LiveRun) -> dict[str, Any] | None:
    forecast, times = live.forecast, live.times
    if forecast is None:
        return None
    left = None
    if times is not None and live.latest_ms is not None:
        left = minutes_between(live.latest_ms, times.median_ms)
    return {
        "low": forecast.low,
        "median": forecast.median,
        "high": forecast.high,
        "low_ms": times.low_ms if times is not None else None,
        "median_ms": times.median_ms if times is not None else None,
        "high_ms": times.high_ms if times is not None else None,
        "minutes_left": left,
        "basis": list(forecast.basis),
        "finished_runs": forecast.run_count,
    }


def _describe_chance(submission: LiveSubmission | None) -> dict[str, Any] | None:
    if submission is None:
        return None
    return {
        "probability": submission.chance.probability if submission.chance is not None else None,
        "required": submission.required,
        "finished": len(submission.converged_at),
        "running": submission.running,
        "reason": submission.no_chance or None,
    }
