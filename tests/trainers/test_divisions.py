"""What the trainers log of themselves, judged by the rules of both divisions."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
pytest.importorskip("sentencepiece", reason="translation needs sentencepiece (extra 'reference')")
pytest.importorskip("sacrebleu", reason="translation needs sacrebleu (extra 'reference')")

from mlperf_logging import check_log
from reference_impls.harness import find_task, list_tasks
from reference_impls.harness.report.display import Display
from reference_impls.harness.report.recording import LogRecorder
from reference_impls.harness.workload import Evaluation

TASKS = sorted(list_tasks())
RULESETS = {"mini": "mini/1.0.0", "full": "original/1.0.0"}


def write_log(path: Path, name: str, scale: str, division: str, *, quality_share: float = 1.0) -> None:
    """Log a run of one epoch as the harness does, with nothing computed: its evaluation finds the target."""
    task = find_task(name)
    config = task.config(scale, division)
    config = dataclasses.replace(config, train_samples=config.train_samples or 1000)
    workload = task.load_workload()(config, path.parent, 1)
    submission = {
        "benchmark": task.benchmark,
        "org": "reference",
        "division": division,
        "platform": "system",
        "status": "research",
        "ruleset": RULESETS[scale],
    }
    with LogRecorder(
        path, workload, submission, Display(None, name, workload.metric, config.target)
    ) as recorder:
        recorder.start()
        recorder.start_epoch(1)
        recorder.finish_epoch(1, 10, {"loss": 1.0}, {})
        recorder.start_eval(1)
        recorder.finish_eval(1, Evaluation(config.target * quality_share))


@pytest.mark.parametrize("scale", ["mini", "full"])
@pytest.mark.parametrize("division", ["closed", "open"])
@pytest.mark.parametrize("name", TASKS)
def test_log_passes_its_own_division(tmp_path: Path, name: str, division: str, scale: str) -> None:
    """What the trainers log of their settings is compliant, without a warning."""
    write_log(tmp_path / "run.log", name, scale, division)

    verdict = check_log(tmp_path / "run.log")

    assert [finding.message for finding in verdict.findings] == []
    assert verdict.ruleset == RULESETS[scale].partition("/")[2]


@pytest.mark.parametrize("scale", ["mini", "full"])
@pytest.mark.parametrize("name", TASKS)
def test_open_variant_fails_the_closed_division(tmp_path: Path, name: str, scale: str) -> None:
    """The open variants differ in their optimizer, which the closed division does not allow."""
    write_log(tmp_path / "run.log", name, scale, "open")

    verdict = check_log(tmp_path / "run.log", division="closed")

    assert "opt_name" in {finding.key for finding in verdict.findings}


@pytest.mark.parametrize("name", TASKS)
def test_log_below_the_target_fails(tmp_path: Path, name: str) -> None:
    """A run whose quality stays below the target is not compliant."""
    write_log(tmp_path / "run.log", name, "mini", "closed", quality_share=0.99)

    keys = {finding.key for finding in check_log(tmp_path / "run.log").findings}
    assert {"eval_accuracy", "run_stop"} <= keys
