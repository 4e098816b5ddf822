"""What every command does with an error of the package's own: one sentence, exit code 2, and the other logs' answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from commands import PROJECT, run_mlperf

from mlperf_logging.compliance import judged_run
from mlperf_logging.compliance.checking import JudgedLog
from mlperf_logging.compliance.held_log import HeldLog

RESULTS = PROJECT / "examples/submission/Example_Lab/results/example_8x/llama2_70b_lora"
COMMANDS = {
    "score": ("score", "--format", "json"),
    "rcp": ("rcp", "--draws", "9", "--format", "json"),
    "analyze": ("analyze", "--resamples", "9", "--format", "json"),
    "plot": ("plot", "spread", "--format", "json"),
}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A result folder."""
    return Path(shutil.copytree(RESULTS, tmp_path / "results/example_8x/llama2_70b_lora"))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_log_that_we_fail_on_does_not_end_the_command(
    command: str, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer for the other logs is there, the fault is named with its place, and the exit code is 2, not 1."""
    judge_items = judged_run.judge_items

    def fail_on_one(log: HeldLog, *more: Any, **options: Any) -> JudgedLog:
        if log.path.endswith("result_3.txt"):
            raise ZeroDivisionError("boom")
        return judge_items(log, *more, **options)

    monkeypatch.setattr(judged_run, "judge_items", fail_on_one)
    done = run_mlperf(*COMMANDS[command], results)

    assert done.returncode == 2
    assert "result_3.txt: the checker itself failed on this log: ZeroDivisionError: boom (" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_log_that_cannot_be_read_does_not_end_the_command(command: str, results: Path) -> None:
    """The answer for the other logs is there, the log is named, and the exit code is 2."""
    (results / "result_3.txt").write_bytes(b"\x1f\x8b broken")
    done = run_mlperf(*COMMANDS[command], results)

    assert done.returncode == 2
    assert "result_3.txt" in done.stderr
    assert json.loads(done.stdout)


def test_a_command_that_fails_is_never_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error where no log is to blame is one sentence with its place, and exit code 2."""
    from mlperf_logging.cli import rules

    def fail(*_: Any) -> None:
        raise KeyError("a\nb")

    monkeypatch.setattr(rules, "describe_rounds", fail)
    done = run_mlperf("rules", "list")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "mlperf rules: the command itself failed: KeyError: 'a\\nb' (test_cli_running.py:"
    )
    assert done.stderr.count("\n") == 1
