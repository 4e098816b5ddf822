"""Writes an invented run the way a training script would: life cycle, evaluations, and noise between them."""

from __future__ import annotations

import random

from runs import FIRST_ROUND_QUALITIES, FIRST_ROUND_SETTINGS, ORG, Clock, Run
from writers import LogWriter, MllogWriter, MllWriter, Mlp050Writer

_NOISE_LINES = 2
"""Lines of ordinary training output in each block."""


def record_mllog(run: Run) -> list[str]:
    """The lines of a run in the `:::MLLOG` dialect."""
    writer = MllogWriter(Clock(run.start), run.script, run.prefix)
    _record_run(writer, run)
    return writer.lines


def record_mll(run: Run) -> list[str]:
    """The lines of a run in the `:::MLL` dialect, which wants a contact and an entry as well."""
    writer = MllWriter(Clock(run.start), run.script, run.prefix)
    writer.record("submission_poc_name", "Ada Example")
    writer.record("submission_entry", "example-entry")
    _record_run(writer, run)
    return writer.lines


def record_first_round(start: float) -> list[str]:
    """The lines of an image classifier in the `:::MLPv0.5.0` dialect, every epoch in the open."""
    writer = Mlp050Writer(Clock(start), "resnet")
    chance = random.Random(5)  # noqa: S311 - for noise lines only
    writer.record("run_clear_caches")
    writer.clock.pass_seconds(31.0)
    writer.record("run_start")
    writer.record("run_set_random_seed", 42)
    for key, value in FIRST_ROUND_SETTINGS.items():
        writer.record(key, value)
    writer.record("train_loop")
    for epoch, quality in FIRST_ROUND_QUALITIES.items():
        writer.record("train_epoch", epoch)
        writer.record("opt_learning_rate", round(3.2 * 0.1 ** (epoch // 30), 6))
        _record_noise(writer, chance, epoch, 80.0)
        writer.record("eval_start", epoch)
        writer.record("eval_size", 50000)
        writer.clock.pass_seconds(9.0)
        writer.record("eval_accuracy", {"epoch": epoch, "value": quality})
        writer.record("eval_stop", epoch)
    writer.record("eval_target", 0.749)
    writer.record("run_stop", {"success": True})
    writer.clock.pass_seconds(2.0)
    writer.record("run_final")
    return writer.lines


def _record_run(writer: LogWriter, run: Run) -> None:
    chance = random.Random(run.benchmark)  # noqa: S311 - for noise lines only
    writer.noise(f"starting {run.script} for {run.benchmark} on {run.platform}")
    for key, value in {
        "submission_benchmark": run.benchmark,
        "submission_org": ORG,
        "submission_division": run.division,
        "submission_status": run.status,
        "submission_platform": run.platform,
    }.items():
        writer.record(key, value)
    writer.record("cache_clear", True)
    for key, value in run.extra:
        writer.record(key, value)
        writer.clock.pass_seconds(75.0)
    writer.record("init_start")
    for key, value in run.settings.items():
        writer.record(key, value, **run.metadata.get(key, {}))
    for tensor in run.tensors:
        writer.record("weights_initialization", None, tensor=tensor)
    writer.clock.pass_seconds(run.init_seconds)
    writer.noise("compiled the model; warm-up steps on synthetic data are done")
    writer.record("init_stop")
    writer.record("run_start")
    done = 0.0
    for progress, quality in run.qualities.items():
        _record_block(writer, run, chance, done, progress)
        _record_evaluation(writer, run, progress, quality)
        done = progress
    writer.record("run_stop", None, status="success", **{run.unit: done})
    writer.noise("done; checkpoints are not kept")


def _record_block(writer: LogWriter, run: Run, chance: random.Random, done: float, progress: float) -> None:
    if run.unit == "samples_count":
        writer.record("block_start", None, samples_count=done)
        _record_noise(writer, chance, progress, run.block_seconds)
        writer.record("block_stop", None, samples_count=progress)
        return
    first, count = int(done) + 1, round(progress - done, 6)  # evaluations may lie within an epoch
    writer.record("block_start", None, first_epoch_num=first, epoch_count=count)
    if run.log_epochs:
        for epoch in range(first, first + int(count)):
            writer.record("epoch_start", None, epoch_num=epoch)
            _record_noise(writer, chance, epoch, run.block_seconds / count)
            writer.record("epoch_stop", None, epoch_num=epoch)
    else:
        _record_noise(writer, chance, progress, run.block_seconds)
    writer.record("block_stop", None, first_epoch_num=first)


def _record_evaluation(writer: LogWriter, run: Run, progress: float, quality: object) -> None:
    place = {run.unit: progress}
    writer.record("eval_start", None, **place)
    writer.clock.pass_seconds(run.eval_seconds)
    if isinstance(quality, dict):
        for metric, value in quality.items():
            writer.record(run.quality_key, value, metric=metric, **place)
    else:
        writer.record(run.quality_key, quality, **place)
    writer.record("eval_stop", None, **place)


def _record_noise(writer: LogWriter, chance: random.Random, progress: float, seconds: float) -> None:
    for part in range(_NOISE_LINES):
        writer.clock.pass_seconds(seconds / _NOISE_LINES)
        loss = 1.5 + 4.0 / (1.0 + progress) + chance.random() / 10
        writer.noise(f"progress {progress:g} part {part + 1}/{_NOISE_LINES} loss {loss:.4f}")
