"""What the commands say of runs whose records cannot be read, or have no time: the cause, and nothing false."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from checkout import PROJECT

from tests.commands import Done, run_mlperf

SOURCE = PROJECT / "examples/submission/Example_Lab/results/example_8x/llama2_70b_lora"
FALSE = re.compile(
    r"does not know|no run logs|names no benchmark|no run_st|no evaluation was|older one|no seed"
)
"""What is not so: all of that stands in the logs."""
Change = Callable[[str], str]


def drop_times(text: str) -> str:
    """The log without a single time."""
    return re.sub(r'"time_ms": \d+, ', "", text)


def spoil(key: str = "") -> Change:
    """What makes the records of one key, or all, unreadable."""

    def change(text: str) -> str:
        return "".join(
            line.replace('"key"', "'key'") if f'"{key}' in line else line
            for line in text.splitlines(keepends=True)
        )

    return change


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Done]:
    """Runs a command on a copy of a folder of ten runs, the logs of some numbers changed."""
    folder = tmp_path / "llama2_70b_lora"
    shutil.copytree(SOURCE, folder)

    def call(change: Change, *command: str, numbers: range = range(10)) -> Done:
        for number in numbers:
            path = folder / f"result_{number}.txt"
            path.write_text(change((SOURCE / path.name).read_text()))
        name, *options = command
        return run_mlperf(name, *options, folder)

    return call


def test_convergence_needs_no_times(run: Callable[..., Done]) -> None:
    """Logs without times give the same test of convergence as with them."""
    untimed, timed = (
        json.loads(run(change, "rcp", "--format", "json").stdout) for change in (drop_times, str)
    )
    assert untimed == timed
    assert untimed["passed"] is True


@pytest.mark.parametrize(
    "key", ["", "global_batch_size", "eval_accuracy", "run_stop", "submission_benchmark"]
)
def test_convergence_that_cannot_be_read_is_not_tested(key: str, run: Callable[..., Done]) -> None:
    """Where a record that the test needs cannot be read, that is the reason, with the log, the line and the fault."""
    done = run(spoil(key), "rcp", "--format", "json", numbers=range(4))
    answer = json.loads(done.stdout)
    assert (answer["passed"], done.returncode) == (None, 2)
    said = r"not all that the test needs can be read: in result_0.txt, .* in line \d+: .*single quotes.*3 other logs"
    assert re.match(said, answer["reason"])
    assert not FALSE.search(done.stdout + done.stderr)


@pytest.mark.parametrize("key", ["seed", "opt_name", "block_stop"])
def test_convergence_is_tested_where_what_it_needs_is_there(key: str, run: Callable[..., Done]) -> None:
    """A record that cannot be read does not keep the test from being made where it does not matter to it."""
    assert json.loads(run(spoil(key), "rcp", "--format", "json").stdout)["passed"] is True


def test_run_that_says_that_it_failed_is_believed(run: Callable[..., Done]) -> None:
    """An aborted run did not converge, whatever else cannot be read."""

    def change(text: str) -> str:
        return spoil("eval_accuracy")(text).replace('"status": "success"', '"status": "aborted"')

    answer = json.loads(run(change, "rcp", "--format", "json", numbers=range(3)).stdout)
    assert (answer["passed"], answer["reason"]) == (False, "3 runs did not converge; 1 may")


@pytest.mark.parametrize("change", [drop_times, spoil(), spoil("submission_benchmark")])
@pytest.mark.parametrize("command", ["score", "analyze"])
def test_scores_and_analyses_say_the_cause(change: Change, command: str, run: Callable[..., Done]) -> None:
    """Where figures are missing, it is said which records cannot be read and why, not that nothing was logged."""
    done = run(change, command)
    shown = " ".join((done.stdout + done.stderr).split())  # a narrow terminal wraps sentences
    assert re.search(
        r"cannot be read as written,( the first)? in line \d+: the (record has no time|text is in)", shown
    )
    assert not FALSE.search(shown)


def test_curves_need_no_times(run: Callable[..., Done], tmp_path: Path) -> None:
    """Quality over progress is drawn from logs without times."""
    done = run(drop_times, "plot", "convergence", "--format", "json")
    rows = json.loads(done.stdout)["rows"]
    assert rows
    assert all(row["progress"] and row["minutes"] is None and row["meets_target"] is None for row in rows)


def test_missing_curves_are_explained(run: Callable[..., Done]) -> None:
    """Where no evaluation can be read, the message says what is wrong with the first log."""
    done = run(spoil(), "plot", "convergence", "--format", "json")
    assert done.returncode == 2
    assert re.search(r"no curve to draw \(5\d records cannot be read as written", done.stderr)
