"""What scores read from a judged run."""

from __future__ import annotations

import pytest
from checkout import PROJECT

from mlperf_logging.compliance.judged_run import judge_run
from mlperf_logging.runs.intervals import Progress
from mlperf_logging.scoring.runs import score_run
from tests.logs import mllog

COMPLIANT = PROJECT / "examples" / "logs" / "compliant"


def test_compliant_run_counts() -> None:
    """A run that breaks no rule and reached its target counts, with its time and its convergence."""
    run = score_run(judge_run(COMPLIANT / "6.1.0_llama31_8b.txt", usage="training", ruleset="6.1.0"))

    assert run.counts
    assert (run.benchmark, run.division, run.usage, run.ruleset) == (
        "llama31_8b",
        "closed",
        "training",
        "6.1.0",
    )
    assert run.minutes == pytest.approx(29.26, abs=0.05)
    assert run.converged_at == Progress(samples_count=184320)
    assert (run.batch_size, run.seeds, run.fault_count) == (32, (21057,), 0)
    assert run.requirement is not None
    assert run.requirement.required == 10


def test_time_to_quality_is_that_of_the_first_evaluation_at_the_target() -> None:
    """The run may go on after it reached its target; what it took to get there is known."""
    run = score_run(judge_run(COMPLIANT / "6.1.0_llama31_8b.txt", usage="training", ruleset="6.1.0"))

    assert run.quality_minutes is not None
    assert run.minutes is not None
    assert 0 < run.quality_minutes <= run.minutes


def test_broken_rules_are_named() -> None:
    """The first rules that a run breaks are kept, the number of all is known."""
    run = score_run(judge_run(mllog("run_start") + mllog("run_stop", None, 61_000, status="success")))

    assert not run.counts
    assert run.fault_count > len(run.faults) == 5
    assert all(fault.startswith("MLP") for fault in run.faults)


def test_joined_metrics_converge_where_all_meet_the_target() -> None:
    """Two metrics of an evaluation count as one, and the run converged where both met the target."""
    run = score_run(judge_run(COMPLIANT / "4.0.0_stable_diffusion.txt", usage="training", ruleset="4.0.0"))

    assert run.converged_at == Progress(samples_count=4096000)


def test_earliest_checkpoint_that_meets_the_target_counts() -> None:
    """When several checkpoints meet the target and the later one is evaluated first, the earlier one counts."""
    log = (COMPLIANT / "4.0.0_stable_diffusion.txt").read_bytes()
    extra = b"".join(
        mllog("eval_accuracy", value, 1_712_920_000_000, metric=metric, samples_count=samples)
        for samples in (5_000_000, 3_900_000)
        for metric, value in (("FID", 80.0), ("CLIP", 0.17))
    )
    at = log.index(b'"key": "run_stop"')
    line = log.rindex(b"\n", 0, at) + 1
    run = score_run(judge_run(log[:line] + extra + log[line:], usage="training", ruleset="4.0.0"))

    assert run.converged_at == Progress(samples_count=3_900_000)


def test_evaluations_after_the_stop_do_not_count() -> None:
    """The run stopped for the last evaluation before run_stop."""
    log = (COMPLIANT / "6.1.0_llama31_8b.txt").read_bytes()
    run = score_run(
        judge_run(log + mllog("eval_accuracy", 3.0, samples_count=999_999), usage="training", ruleset="6.1.0")
    )

    assert run.converged_at == Progress(samples_count=184320)


def test_run_without_success_did_not_converge() -> None:
    """Where the run says that it failed, it converged nowhere."""
    log = (
        (COMPLIANT / "6.1.0_llama31_8b.txt")
        .read_bytes()
        .replace(b'"status": "success"', b'"status": "aborted"')
    )
    run = score_run(judge_run(log, usage="training", ruleset="6.1.0"))

    assert run.converged_at is None
    assert not run.counts
