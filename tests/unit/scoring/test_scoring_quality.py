"""Time to quality has one definition, which scores and analyses share."""

from __future__ import annotations

import math

import pytest
from checkout import PROJECT

from mlperf_logging import judge_run
from mlperf_logging.scoring.quality import QualityPoint, find_quality, list_quality_points
from mlperf_logging.scoring.runs import score_run
from tests.logs import mllog

LOGS = sorted((PROJECT / "examples" / "logs").glob("*/*.txt"))
IDENTITY = mllog("submission_division", "closed") + mllog("submission_benchmark", "stable_diffusion")
START = mllog("run_start", None, 60_000)


def log_metrics(samples: int, fid: float, clip: float, time_ms: int) -> bytes:
    """One evaluation whose two metrics are logged apart."""
    return b"".join(
        mllog("eval_accuracy", value, time_ms, metric=metric, samples_count=samples)
        for metric, value in (("FID", fid), ("CLIP", clip))
    )


def find(log: bytes) -> QualityPoint | None:
    """Where a run of round 4.0.0 reached its quality."""
    judged = judge_run(log, ruleset="4.0.0")
    return find_quality(judged, list_quality_points(judged))


def test_scores_and_analyses_agree() -> None:
    """The time to quality in a score is that in the table of runs, for every example log."""
    pytest.importorskip("pandas")
    from mlperf_logging.analysis.reading import read_rows

    known = 0
    for path in LOGS:
        minutes = score_run(judge_run(path)).quality_minutes
        seconds = read_rows(str(path)).run.get("time_to_quality_seconds")
        assert (minutes is None) == (seconds is None or math.isnan(seconds)), path
        if minutes is not None:
            known += 1
            assert minutes * 60 == pytest.approx(seconds), path
    assert known > len(LOGS) / 2


def test_joined_metrics_reach_the_target_together() -> None:
    """An evaluation counts when both of its metrics meet the target; one of each is not enough."""
    apart = log_metrics(1_000, 80.0, 0.1, 120_000) + log_metrics(2_000, 95.0, 0.2, 180_000)
    together = log_metrics(3_000, 80.0, 0.2, 240_000)

    assert find(IDENTITY + START + apart) is None
    point = find(IDENTITY + START + apart + together)
    assert point is not None
    assert (point.time_ms, point.logged.samples_count) == (240_000, 3_000)


def test_least_trained_model_counts_in_whatever_order_models_are_evaluated() -> None:
    """Saved models may be evaluated from the last to the first; the run reached its quality with the first."""
    point = find(
        IDENTITY + START + log_metrics(4_000, 70.0, 0.2, 120_000) + log_metrics(3_000, 80.0, 0.2, 180_000)
    )

    assert point is not None
    assert (point.time_ms, point.logged.samples_count) == (180_000, 3_000)


def test_time_of_a_model_that_is_evaluated_after_the_run() -> None:
    """It is the end of the block that trained it; where no block says so, the time is not known."""
    block = mllog("block_start", None, 61_000, samples_count=0) + mllog(
        "block_stop", None, 120_000, samples_count=3_000
    )
    end = mllog("run_stop", None, 180_000, status="success") + log_metrics(3_000, 80.0, 0.2, 900_000)
    known, unknown = (
        score_run(judge_run(IDENTITY + START + middle + end, ruleset="4.0.0")) for middle in (block, b"")
    )

    assert (known.quality_minutes, unknown.quality_minutes) == (1.0, None)
    assert known.converged_at == unknown.converged_at
