"""What the trainers log of themselves, judged by the rules of both divisions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
pytest.importorskip("pycocotools", reason="object detection needs pycocotools (extra 'reference')")
pytest.importorskip("soundfile", reason="speech recognition needs soundfile (extra 'reference')")
pytest.importorskip("jiwer", reason="speech recognition needs jiwer (extra 'reference')")
pytest.importorskip("sentencepiece", reason="translation needs sentencepiece (extra 'reference')")
pytest.importorskip("sacrebleu", reason="translation needs sacrebleu (extra 'reference')")

from mlperf_logging import check_log, load_ruleset
from reference_impls.harness import SettingError, find_task, list_tasks
from reference_impls.harness.report.display import Display
from reference_impls.harness.report.recording import LogRecorder
from reference_impls.harness.workload import Evaluation, Share

TASKS = sorted(list_tasks())
RULESETS = {"mini": "mini/1.0.0", "full": "original/1.0.0"}


CHECKSUMS = {
    ("image_classification", "mini"): "fb226350c86c88202c1de8545c8650aa378fd6cfad3ac8ac1dacc8814fa84959",
    ("object_detection", "mini"): "7b0ccbc592d9e6d00da37b767ab1c369bc7479f7f394a31d3cad39265f5c5493",
    ("reinforcement_learning", "mini"): "3e548178104da45a734d116b50a4407bd84c9c4cbf76bd1c7301dae7d3204d1a",
    ("recommendation", "mini"): "55ea39c35a3fdf8685e47d200caff9463572e404cfd245ee934da8939e0550bb",
    ("sentiment", "mini"): "4a3ed4b3086c6b8f7c0af60652f5d73e58d691f20afeba31e99b8531a592cd26",
}
"""Of the data that the closed division fixes; translation's holds subwords that depend on sentencepiece's version,
speech recognition's sounds that depend on the synthesizer's build."""

NO_EFFECT = {
    ("object_detection", "full"): {"batch_norm_momentum"},
    ("recommendation", "mini"): {"weight_decay"},
    ("recommendation", "full"): {"weight_decay"},
    ("sentiment", "mini"): {"weight_decay"},
    ("sentiment", "full"): {"weight_decay"},
    ("speech_recognition", "mini"): {"momentum", "weight_decay"},
    ("speech_recognition", "full"): {"beta_1", "beta_2", "epsilon", "weight_decay"},
    ("translation", "mini"): {"weight_decay", "decay_steps"},
    ("translation", "full"): {"weight_decay", "decay_steps"},
    ("image_classification", "mini"): {"boundary_epochs", "boundary_factor", "shuffle_buffer"},
    ("image_classification", "full"): {"end_learning_rate", "decay_epochs", "decay_power"},
}
"""Settings of another optimizer, schedule or data set than the closed configuration's."""


def write_log(
    path: Path,
    name: str,
    scale: str,
    division: str,
    *,
    quality_share: float = 1.0,
    clears_cache: bool = True,
    **changes: object,
) -> None:
    """Log a run of one epoch as the harness does, with nothing computed: its evaluation finds the target."""
    task = find_task(name)
    config = task.config(scale, division)
    samples = {name: getattr(config, name) or 1000 for name in ("train_samples", "eval_samples")}
    config = dataclasses.replace(config, **samples, **changes)
    workload = task.load_workload()(config, path.parent, 1)
    workload.data_checksum = lambda: CHECKSUMS.get((name, scale), "0" * 64)  # there are no data
    if name == "translation":
        workload.vocabulary_checksum = lambda: config.vocabulary_checksum or "0" * 64
    submission = {
        "benchmark": task.benchmark,
        "org": "reference",
        "division": division,
        "platform": "system",
        "status": "research",
        "ruleset": RULESETS[scale],
    }
    with LogRecorder(
        path,
        workload,
        submission,
        Display(None, name, workload.metric, workload.target),
        environment={"strategy": "none"},
        clears_cache=clears_cache,
    ) as recorder:
        recorder.start()
        recorder.start_epoch(1)
        recorder.finish_epoch(1, 10, 1.0, {"loss": 1.0})
        recorder.start_eval(1, 10)
        target = workload.target
        if workload.mode == "min":
            quality_share = 1 / quality_share
        quality = (
            {name: quality_share * each for name, each in target.items()}
            if isinstance(target, Mapping)
            else quality_share * target
        )
        recorder.finish_eval(Evaluation(quality))


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
def test_log_short_of_the_target_fails(tmp_path: Path, name: str) -> None:
    """A run whose quality does not reach the target is not compliant."""
    write_log(tmp_path / "run.log", name, "mini", "closed", quality_share=0.99)

    keys = {finding.key for finding in check_log(tmp_path / "run.log").findings}
    assert {"eval_accuracy", "run_stop"} <= keys


@pytest.mark.parametrize("scale", ["mini", "full"])
@pytest.mark.parametrize("name", TASKS)
def test_every_setting_is_logged_and_judged(name: str, scale: str) -> None:
    """Each field of the configuration has a log key that the closed division's rules speak of."""
    task = find_task(name)
    config = task.config(scale, "closed")
    usage = RULESETS[scale]
    table = load_ruleset(usage).table("closed", task.benchmark)
    judged = {rule.key for rule in table.rules}
    keys = config.log_keys()

    without_effect = {field.name for field in dataclasses.fields(config)} - set(keys)
    assert without_effect == {"train_samples", "eval_samples"} | NO_EFFECT.get((name, scale), set())
    assert set(keys.values()) - judged == set()


def test_losses_that_are_not_finite_are_found(tmp_path: Path) -> None:
    """A log that claims success is rejected when a loss in it is not a number."""
    write_log(tmp_path / "run.log", "recommendation", "mini", "closed")
    text = (tmp_path / "run.log").read_text("utf-8")
    (tmp_path / "run.log").write_text(text.replace('"loss": 1.0', '"loss": NaN'), "utf-8")

    rules = {finding.rule for finding in check_log(tmp_path / "run.log").findings}
    assert "original-losses-finite" in rules


@pytest.mark.parametrize("field", ["top", "eval_negatives", "eval_draws"])
def test_header_is_judged_before_the_clock_starts(tmp_path: Path, field: str) -> None:
    """A header that breaks a closed rule ends the run before run_start."""
    with pytest.raises(SettingError, match="the closed division does not allow"):
        write_log(tmp_path / "run.log", "recommendation", "mini", "closed", **{field: 98})

    assert '"run_start"' not in (tmp_path / "run.log").read_text("utf-8")


def test_caches_are_said_to_be_cleared_only_if_they_were(tmp_path: Path) -> None:
    """Where the page cache cannot be dropped the log does not claim it."""
    write_log(tmp_path / "run.log", "recommendation", "mini", "closed", clears_cache=False)

    assert "cache_clear" not in (tmp_path / "run.log").read_text("utf-8")
    assert "cache_clear" in {finding.key for finding in check_log(tmp_path / "run.log").findings}


@pytest.mark.parametrize("name", ["resnet", "maskrcnn", "deepspeech2", "minigo"])
def test_batch_norm_span_is_that_of_a_replica(name: str) -> None:
    """Each replica normalizes over its own part of the batch, and the log says so."""
    config = dataclasses.replace(find_task(name).config("mini", "closed"), global_batch_size=64)
    workload = find_task(name).load_workload()(config, Path(), 1)

    assert workload.hyperparameters(Share(0, 2, 2))["model_bn_span"] == 16


def test_frozen_batch_norm_has_no_span() -> None:
    """Mask R-CNN at full scale keeps the statistics that were loaded, so there is no span to log."""
    task = find_task("maskrcnn")
    workload = task.load_workload()(task.config("full", "closed"), Path(), 1)

    assert "model_bn_span" not in workload.hyperparameters(Share())
