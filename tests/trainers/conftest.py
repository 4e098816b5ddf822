"""What the trainers' tests share: tiny made-up data, and commands run as people run them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from reference_impls.harness import find_task
from reference_impls.harness.data.prepared import write_prepared
from reference_impls.harness.run import launching
from reference_impls.harness.run.process import do_run
from reference_impls.harness.run.requests import RunRequest
from tests.logs import read_records

MLPERF = [sys.executable, "-m", "mlperf_logging.cli.main"]

USERS, ITEMS, SEEN = 60, 40, 8
TINY = {
    "users": USERS,
    "items": ITEMS,
    "train_samples": USERS * (SEEN - 1),
    "eval_samples": USERS,
    "factors": 4,
    "mlp_layers": "8,4",
    "eval_negatives": 20,
    "eval_draws": 1,
    "global_batch_size": 70,
    "eval_batch_size": 20,
    "learning_rate": 0.02,
    "optimizer": "adam",
}
"""Settings with which the recommendation task trains on `write_tiny_ratings` in a second."""


def write_tiny_ratings(folder: Path) -> Path:
    """Made-up ratings: two kinds of users, each seeing one half of the items."""
    rng = np.random.default_rng(1)
    users = np.repeat(np.arange(USERS, dtype=np.int32), SEEN)
    halves = [rng.permutation(ITEMS // 2)[:SEEN] + (user % 2) * (ITEMS // 2) for user in range(USERS)]
    arrays = {"users": users, "items": np.concatenate(halves).astype(np.int32)}
    # All items occur, as in real data, where items are numbered by what occurs.
    assert set(arrays["items"]) == set(range(ITEMS))
    write_prepared(folder, arrays, {"ratings": len(users)})
    return folder


@contextmanager
def compute_in(precision: str) -> Iterator[None]:
    """Layers made meanwhile compute in a precision, as those of a run with that setting do."""
    import keras

    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.fixture(autouse=True)
def usual_precision() -> Iterator[None]:
    """A run in this process sets the precision of what follows it; each test begins with the usual one."""
    yield
    if "keras" in sys.modules:
        sys.modules["keras"].config.set_dtype_policy("float32")


def settings(**more: object) -> list[str]:
    """Arguments for a tiny run, in the open division: the closed one fixes these settings."""
    chosen = [text for key, value in {**TINY, **more}.items() for text in ("--set", f"{key}={value}")]
    return ["--division", "open", *chosen]


def environment() -> dict[str, str]:
    """This process's variables without those by which output would differ."""
    outside = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "TF_CONFIG"}
    return {name: value for name, value in os.environ.items() if name not in outside}


def run_mlperf(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `mlperf` to its end."""
    done = subprocess.run(
        [*MLPERF, *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def read_events(path: Path) -> list[dict[str, Any]]:
    """All events of a log."""
    return read_records(path.read_text())


def read_qualities(path: Path) -> list[tuple[int, float]]:
    """Epoch and quality of each evaluation of a log."""
    found = [event for event in read_events(path) if event["key"] == "eval_accuracy"]
    return [(event["metadata"]["epoch_num"], event["value"]) for event in found]


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with tiny ratings."""
    folder = tmp_path_factory.mktemp("data")
    write_tiny_ratings(folder / "recommendation" / "mini")
    return folder


def result_logs(output: Path) -> Path:
    """Folder of the logs of recommendation's runs on the system `here`, below an output folder."""
    return output / "reference" / "results" / "here" / "ncf"


class EndedRun:
    """Stands in for `subprocess.Popen`: the run is done in this process, and has ended once this is made.

    It shares the load of TensorFlow, most of the time of a tiny run, with the other tests.
    """

    def __init__(self, command: list[str], **_: object) -> None:
        *_, request, result, _parent = command
        self.returncode = do_run(Path(request), Path(result))

    def poll(self) -> int:
        """How the run ended."""
        return self.returncode


@contextmanager
def run_in_this_process() -> Iterator[None]:
    """Within the block, runs are done in the test's process instead of one each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launching, "subprocess", SimpleNamespace(Popen=EndedRun))
        yield


@pytest.fixture
def runs_here() -> Iterator[None]:
    """Runs are done in the test's process instead of one each."""
    with run_in_this_process():
        yield


def make_request(
    task: str, settings: Iterable[str], data: Path, folder: Path, name: str, **options: Any
) -> RunRequest:
    """A run of a task's open variant at mini scale, which logs and works under its name in a folder."""
    return RunRequest(
        task=task,
        benchmark=find_task(task).benchmark,
        scale="mini",
        division="open",
        settings=tuple(settings),
        seed=options.pop("seed", 1),
        data=str(data),
        data_command="get-it",
        log=str(folder / f"{name}.log"),
        work=str(folder / name),
        strategy="single",
        org="o",
        platform="p",
        status="research",
        ruleset="mini/1.0.0",
        **options,
    )
