"""Runs of `mlperf train` in their own processes: stopped, killed, resumed, and several that train together."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

from commands import run_mlperf as run_here

from mlperf_logging import Verdict, check_log
from reference_impls.harness import TrainerError
from reference_impls.harness.run import launching
from tests.trainers.conftest import MLPERF, environment, read_events, read_qualities, result_logs, run_mlperf
from tests.trainers.conftest import settings as tiny_settings
from tests.trainers.test_harness_values import REQUEST

EPOCHS = 16
OPTIONS = ["--seed", "3", "--system", "here", *tiny_settings(max_epochs=EPOCHS, target=1.5)]
WORK = Path("out/.work/here/ncf/result_0")


class Stopped(NamedTuple):
    """A run as it was after its command or itself had been stopped.

    Attributes:
        code: exit code of the command.
        events: of the log.
        verdict: on the log.
    """

    code: int
    events: list[dict[str, Any]]
    verdict: Verdict


class Course(NamedTuple):
    """What became of a run that was stopped three times and resumed as often.

    Attributes:
        orphaned: its events when its command had been killed, and it had ended for that reason.
        told: after SIGTERM to the command that resumed it.
        killed: after SIGKILL to the next command and to the run.
        folder: the folder with the output of the killed run.
    """

    orphaned: list[dict[str, Any]]
    told: Stopped
    killed: Stopped
    folder: Path


def start(data: Path, folder: Path, *options: str) -> subprocess.Popen[str]:
    """Start the command in a session of its own."""
    command = [*MLPERF, "train", "ncf", "--data", str(data), "--output", "out", *OPTIONS, *options]
    return subprocess.Popen(
        command, cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def stop(process: subprocess.Popen[str], epoch: int, kill: Callable[[], None], folder: Path) -> Stopped:
    """Let a command run until it reports an epoch, stop it, and look at the log once it has ended."""
    for line in process.stderr or ():
        if f"epoch {epoch}:" in line:
            break
    kill()
    process.communicate(timeout=300)
    log = result_logs(folder / "out") / "result_0.txt"
    return Stopped(process.returncode, read_events(log), check_log(log))


@pytest.fixture(scope="module")
def course(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A run whose command is killed, which is resumed at once, told to stop, resumed, and killed with its command."""
    folder = tmp_path_factory.mktemp("course")
    command = start(tiny_data, folder)
    for line in command.stderr or ():
        if "epoch 3:" in line:
            break
    command.kill()
    resumed = start(tiny_data, folder, "--resume")
    told = stop(resumed, 7, resumed.terminate, folder)
    command.communicate(timeout=300)
    (aside,) = (folder / WORK).glob("*.interrupted")
    orphaned = read_events(aside)
    last = start(tiny_data, folder, "--resume")
    killed = stop(last, 11, lambda: os.killpg(last.pid, signal.SIGKILL), folder)
    return Course(orphaned, told, killed, folder)


def count_keys(events: list[dict[str, Any]], *keys: str) -> list[int]:
    """How often each key is logged."""
    return [sum(event["key"] == key for event in events) for key in keys]


def test_run_ends_with_its_command(course: Course) -> None:
    """When only the command is killed its run ends too, and says so; --resume at once waits, so a log has one writer."""
    assert (course.orphaned[-1]["key"], course.orphaned[-1]["metadata"]["status"]) == ("run_stop", "aborted")
    assert count_keys(course.told.events, "run_start", "seed", "training_resumed", "run_stop") == [1, 1, 1, 1]
    epochs = [event["metadata"]["epoch_num"] for event in course.told.events if event["key"] == "epoch_start"]
    assert epochs == list(range(1, len(epochs) + 1))


def test_run_that_is_told_to_stop_is_not_successful(course: Course) -> None:
    """SIGTERM ends the command with 130 and leaves a log whose run was aborted."""
    assert course.told.code == 130
    verdict = course.told.verdict
    assert (verdict.verdict, verdict.run.status) == ("fail", "aborted")
    assert "MLP408" in {finding.code for finding in verdict.findings}


def test_killed_run_leaves_a_log_without_an_end(course: Course) -> None:
    """A run whose processes are killed without warning has no status, but a checkpoint."""
    assert course.killed.code == -signal.SIGKILL
    assert course.killed.verdict.run.status is None
    latest = json.loads((course.folder / WORK / "checkpoint" / "latest.json").read_text())
    assert latest["epoch"] >= 10


def test_resumed_run_gets_the_values_of_a_whole_one(
    course: Course, runs_here: None, tiny_data: Path, tmp_path: Path
) -> None:
    """A run resumed after each of these ends has the evaluations of one that was never stopped."""
    shutil.copytree(course.folder / "out", tmp_path / "out")
    command = ["train", "ncf", "--data", tiny_data, *OPTIONS]
    done = run_here(*command, "--output", "out", "--resume", folder=tmp_path)
    assert "resumed after epoch" in done.stderr
    run_here(*command, "--output", "whole", folder=tmp_path)

    log, whole = (result_logs(tmp_path / name) / "result_0.txt" for name in ("out", "whole"))
    assert [epoch for epoch, _ in read_qualities(whole)] == list(range(1, EPOCHS + 1))
    assert read_qualities(log) == read_qualities(whole)
    events = read_events(log)
    assert count_keys(events, "run_start", "seed", "training_resumed", "run_stop") == [1, 1, 3, 1]
    times = [event["time_ms"] for event in events]
    assert times == sorted(times)
    strategies = [
        event["metadata"]["run_environment"]["strategy"]
        for event in events
        if event["key"] == "training_resumed"
    ]
    assert strategies == ["OneDeviceStrategy"] * 3


def test_another_run_does_not_resume_from_the_checkpoint(
    course: Course, runs_here: None, tiny_data: Path, tmp_path: Path
) -> None:
    """A checkpoint of a run with other settings is refused, and one that is lost is reported."""
    shutil.copytree(course.folder / "out", tmp_path / "out")
    command = ["train", "ncf", "--data", tiny_data, *OPTIONS, "--output", "out", "--resume"]
    other = run_here(*command, "--set", "learning_rate=0.5", folder=tmp_path)
    assert other.returncode == 2
    assert "belongs to a run with a different config" in other.stderr

    checkpoints = list((tmp_path / WORK / "checkpoint").glob("epoch_*"))
    assert checkpoints  # two where the run was killed before it removed the last but one
    for checkpoint in checkpoints:
        shutil.rmtree(checkpoint)
    lost = run_here(*command, folder=tmp_path)
    assert lost.returncode == 2
    assert "cannot be read" in lost.stderr


def test_two_workers_write_one_log(tiny_data: Path, tmp_path: Path) -> None:
    """Two processes on the loopback interface train one model, and one log with the whole run comes out."""
    done = run_mlperf(
        *["train", "recommendation", "--data", str(tiny_data), "--output", "out", "--system", "here"],
        *["--workers", "2", "--format", "json", *tiny_settings(max_epochs=30, target=0.8)],
        folder=tmp_path,
    )
    (run,) = json.loads(done.stdout)["runs"]
    assert (run["status"], run["quality"] >= 0.8) == ("success", True)
    logs = list((tmp_path / "out" / "reference").rglob("*.txt"))
    assert logs == [result_logs(tmp_path / "out") / "result_0.txt"]
    events = read_events(logs[0])
    assert count_keys(events, "run_start", "run_stop", "eval_accuracy") == [1, 1, run["epochs"]]


WAITING = """case $TF_CONFIG in
*'"index": 0'*) echo $$ > $3.pid; exec sleep 600 ;;
*) until [ -s $3.pid ]; do :; done; exit 2 ;;
esac"""
"""The first process of a run waits, the second one fails once the first has told its number."""


@pytest.mark.parametrize(
    ("script", "workers", "error"),
    [
        ("exit 2", 1, TrainerError),
        ("exit 130", 1, KeyboardInterrupt),
        ("kill -TERM $$", 1, KeyboardInterrupt),
        (WAITING, 2, TrainerError),
    ],
    ids=["failed", "interrupted", "terminated", "one of two failed"],
)
def test_run_that_fails_is_reported(
    script: str, workers: int, error: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How a run's process ends is how launching it ends; when one of several fails, the others are ended."""
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(launching, "sys", SimpleNamespace(executable=str(program)))
    request = replace(REQUEST, work=str(tmp_path / "work"))

    with pytest.raises(error, match="exited with 2" if error is TrainerError else None):
        launching.launch_run(request, tmp_path / "result.json", workers)

    waiting = list((tmp_path / "work").glob("*.pid"))
    assert len(waiting) == workers - 1
    for file in waiting:
        with pytest.raises(ProcessLookupError):
            os.kill(int(file.read_text()), 0)
