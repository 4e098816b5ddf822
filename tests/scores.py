"""Runs for tests of scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlperf_logging.runs.intervals import Progress
from mlperf_logging.runs.summary import RunSummary
from mlperf_logging.scoring.requirements import Requirement
from mlperf_logging.scoring.runs import ScoredRun

MakeRun = Callable[..., ScoredRun]


def make_scored_run(
    minutes: float | None = 1.0, *, status: str | None = "success", **fields: Any
) -> ScoredRun:
    """A run that counts, unless its arguments say otherwise."""
    summary = RunSummary(0, None if minutes is None else minutes * 60_000, status, minutes)
    given: dict[str, Any] = {
        "verdict": "pass",
        "usage": "training",
        "ruleset": "9.9",
        "ruleset_reason": "as requested",
        "benchmark": "knitting",
        "division": "closed",
        "summary": summary,
        "batch_size": 64,
        "converged_at": Progress(epoch_num=4),
        "requirement": Requirement(5),
    }
    return ScoredRun("result_0.txt", **{**given, **fields})
