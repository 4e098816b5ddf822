"""Checkpoints by step: a run that is interrupted within an epoch resumes as if nothing had happened."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

from reference_impls.harness import TrainerError
from reference_impls.harness.run import checkpoints
from reference_impls.harness.run.checkpoints import Checkpoint, CheckpointKeeper, find_checkpoint
from reference_impls.harness.run.requests import RunRequest
from reference_impls.harness.run.training import train
from reference_impls.harness.workload import Share
from tests.trainers.conftest import TINY, read_events, read_qualities

STEPS = 30
"""Steps of an epoch of the tiny task."""


def ask(folder: Path, data: Path, **more: object) -> RunRequest:
    """The request for a run of three epochs that reaches no target."""
    chosen = {**TINY, "max_epochs": 3, "target": 1.5}
    return RunRequest(
        task="recommendation",
        benchmark="ncf",
        scale="mini",
        division="open",
        settings=tuple(f"{key}={value}" for key, value in chosen.items()),
        seed=5,
        data=str(data / "recommendation" / "mini"),
        data_command="get it",
        log=str(folder / "result_0.txt"),
        work=str(folder / "work"),
        org="reference",
        platform="here",
        status="research",
        ruleset="mini/1.0.0",
        **more,  # type: ignore[arg-type]
    )


def test_run_resumes_within_an_epoch(
    tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Evaluations are those of a run that was never interrupted, and the log, which goes on, tells each epoch once."""
    save = CheckpointKeeper.save

    def save_and_stop(self: CheckpointKeeper, checkpoint: Checkpoint) -> None:
        save(self, checkpoint)
        self.wait()
        if (checkpoint.epoch, checkpoint.step) == (1, 20):
            raise KeyboardInterrupt

    train(ask(tmp_path / "whole", tiny_data))
    with monkeypatch.context() as patch:
        patch.setattr(CheckpointKeeper, "save", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            train(ask(tmp_path, tiny_data, checkpoint_steps=10))
    train(ask(tmp_path, tiny_data, checkpoint_steps=10, resume=True))

    log = tmp_path / "result_0.txt"
    assert "already holds a run" not in capfd.readouterr().err
    assert read_qualities(log) == read_qualities(tmp_path / "whole" / "result_0.txt")
    events = read_events(log)
    started = [each["metadata"]["epoch_num"] for each in events if each["key"] == "epoch_start"]  # type: ignore[index]
    assert started == [1, 2, 3]
    (resumed,) = [each for each in events if each["key"] == "training_resumed"]
    assert (resumed["value"], resumed["metadata"]["step"]) == (1, 20)  # type: ignore[index]
    assert [each["value"]["steps"] for each in events if each["key"] == "tracked_stats"] == [STEPS] * 3  # type: ignore[index]


def test_incomplete_checkpoint_leaves_the_former_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint that cannot be written ends the run with a sentence; the one before stays complete."""

    def fail(*_: object) -> None:
        raise OSError("no space left")

    keeper = CheckpointKeeper(tmp_path, {}, Share())
    keeper.save(Checkpoint(1, 10, {}))
    keeper.wait()
    monkeypatch.setattr(checkpoints, "write_prepared", fail)
    keeper.save(Checkpoint(1, 20, {}, 5))

    with pytest.raises(TrainerError, match="the checkpoint cannot be written: no space left"):
        keeper.save(Checkpoint(2, 30, {}))
    assert find_checkpoint(tmp_path) == Checkpoint(1, 10, {})
    keeper.restore(Checkpoint(1, 10, {}))
