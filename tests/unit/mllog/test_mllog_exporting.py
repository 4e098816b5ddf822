"""Exporting a run while it is logged, without ever holding up or ending the training."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlperf_logging import mllog
from mlperf_logging.exports.reading import read_exports
from mlperf_logging.exports.writers.tensorboard import Session
from mlperf_logging.mllog import exporting
from mlperf_logging.mllog.callbacks.loop import TrainingRun
from mlperf_logging.mllog.exporting import ExportSink
from tests.exports_read_back import read_hparams, read_tensorboard

pytestmark = pytest.mark.usefixtures("shared_logger")
SUBMISSION = {
    "benchmark": "resnet",
    "org": "Example Lab",
    "division": "open",
    "platform": "x",
    "status": "cloud",
}
SUCCESS, FAILURE, UNKNOWN = 1, 2, 0


@pytest.fixture(autouse=True)
def end_exports() -> Iterator[None]:
    """Ends what a test has left open."""
    yield
    end_export()


def end_export() -> None:
    """Wait for all exports to be complete."""
    for option in ("tensorboard_dir", "mlflow_uri", "wandb_dir"):
        mllog.config(**{option: ""})


def train(qualities: tuple[float, ...] = (0.5, 0.6, 0.8), **options: Any) -> None:
    """Log a run with an evaluation of each quality, and losses."""
    found = iter(qualities)
    with TrainingRun(
        submission=SUBMISSION,
        seed=7,
        hyperparameters={"opt_name": "lars", "global_batch_size": 64},
        train_samples=512,
        target=0.7,
        **options,
    ) as run:
        for epoch in run.epochs(len(qualities)):
            for step in range(4):
                mllog.event("train_loss", 1 / (epoch + step), metadata={"epoch_num": epoch})
            mllog.event("tracked_stats", {"throughput": 100 + epoch}, metadata={"epoch_num": epoch})
            run.evaluate(lambda: next(found))


def find_runs(place: Path) -> list[Path]:
    """The folders of the runs that were exported, oldest first."""
    return sorted(path.parent for path in place.rglob("events.out.tfevents.*"))


def test_a_live_export_is_that_of_the_log(tmp_path: Path) -> None:
    """Names, steps, times and values are those that the log gives afterwards; so are the parameters."""
    log, place = tmp_path / "run.txt", tmp_path / "place"
    mllog.config(filename=log, stdout=False, tensorboard_dir=place)
    train()
    end_export()
    (folder,) = find_runs(place)
    (of_log,) = read_exports(str(log))
    params, status = read_hparams(folder)
    wanted = [each for each in of_log.points if each.name in ("eval_accuracy", "train_loss", "throughput")]

    assert len(wanted) == 18
    assert sorted(
        (each.name, each.step, round(each.time_ms), round(each.value, 6))
        for each in read_tensorboard(folder)
        if not each.name.startswith("summary/")
    ) == sorted((each.name, each.step, round(each.time_ms), round(each.value, 6)) for each in wanted)
    assert status == SUCCESS
    assert folder.relative_to(place).parts[:3] == ("resnet", "Example Lab", "x")
    assert params == {
        **of_log.head.params,
        "benchmark": "resnet",
        "submitter": "Example Lab",
        "system": "x",
        "division": "open",
        "seed": 7,
    }


def test_what_is_logged_shows_while_the_run_goes_on(tmp_path: Path) -> None:
    """An evaluation is in the folder soon after it was logged."""
    mllog.config(stdout=False, tensorboard_dir=tmp_path)
    mllog.start("run_start")
    mllog.event("eval_accuracy", 0.5, metadata={"epoch_num": 1})
    wait_for(lambda: [each.value for each in read_all(tmp_path)] == [0.5])

    assert read_hparams(find_runs(tmp_path)[0])[1] is None


def read_all(place: Path) -> list[Any]:
    """The scalars of all runs of a place."""
    return [point for folder in find_runs(place) for point in read_tensorboard(folder)]


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so, and fail if it never is."""
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("it never came")


def test_each_run_of_a_process_is_a_run(tmp_path: Path) -> None:
    """After `run_stop` another run may begin; one that did not reach its target has failed."""
    mllog.config(stdout=False, tensorboard_dir=tmp_path)
    train((0.5,))
    train((0.9,))
    end_export()

    assert sorted(read_hparams(folder)[1] or 0 for folder in find_runs(tmp_path)) == [SUCCESS, FAILURE]


def test_a_run_without_end_has_none(tmp_path: Path) -> None:
    """When the export ends before the run does, nothing is claimed about how it ended."""
    mllog.config(stdout=False, tensorboard_dir=tmp_path)
    mllog.start("run_start")
    end_export()

    assert read_hparams(find_runs(tmp_path)[0])[1] == UNKNOWN


def test_only_rank_zero_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other processes log as they are told to, but export nothing and start no thread."""
    monkeypatch.setenv("RANK", "3")
    before = threading.active_count()
    mllog.config(stdout=False, tensorboard_dir=tmp_path / "place")
    train()

    assert threading.active_count() == before
    assert not (tmp_path / "place").exists()


def test_a_rank_that_is_known_late_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that learns its rank after the configuration and before the run exports nothing either."""
    mllog.config(stdout=False, tensorboard_dir=tmp_path)
    mllog.event("opt_name", "lars")
    monkeypatch.setenv("RANK", "1")
    mllog.start("run_start")
    mllog.event("eval_accuracy", 0.5)
    end_export()

    assert find_runs(tmp_path) == []


def test_a_missing_library_is_one_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The notice says how to install it; everything is logged all the same."""
    monkeypatch.setitem(sys.modules, "tensorboardX.record_writer", None)
    mllog.config(filename=tmp_path / "run.txt", stdout=False, tensorboard_dir=tmp_path / "place")
    train()
    notice = capsys.readouterr().err

    assert notice.count("\n") == 1
    assert "the export to TensorBoard needs tensorboardX, which is not installed; install it with: " in notice
    assert "pip install" in notice
    assert "[tensorboard]" in notice
    assert '"key": "run_stop"' in (tmp_path / "run.txt").read_text()


@pytest.mark.parametrize("method", ["log", "flush", "finish", "__init__"])
def test_a_failing_export_is_one_notice(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk ends the export, whenever it is met, and nothing else."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Session, method, fail)
    mllog.config(filename=tmp_path / "run.txt", stdout=False, tensorboard_dir=tmp_path / "place")
    train()
    train()
    end_export()

    assert capsys.readouterr().err.count("the export to tensorboard ends: No space left on device") == 1
    assert (tmp_path / "run.txt").read_text().count('"key": "run_stop"') == 2


def test_a_place_that_cannot_be_is_one_notice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that cannot be made, a server that no one knows: the training goes on."""
    (tmp_path / "file").write_text("")
    mllog.config(stdout=False, tensorboard_dir=tmp_path / "file" / "place")
    train()

    assert capsys.readouterr().err.count("cannot make the folder") == 1


def test_an_export_that_hangs_holds_up_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While a write hangs, events are logged; when too many wait, the export ends with a notice."""
    gate = threading.Event()
    monkeypatch.setattr(Session, "log", lambda *_: gate.wait(60))
    monkeypatch.setattr(exporting, "MAX_LINES", 50)
    monkeypatch.setattr(exporting, "LOOK_SECONDS", 0.01)
    mllog.config(filename=tmp_path / "run.txt", stdout=False, tensorboard_dir=tmp_path / "place")
    for _ in range(4):
        train()
    gate.set()

    assert (tmp_path / "run.txt").read_text().count('"key": "run_stop"') == 4
    assert capsys.readouterr().err.count("the export to tensorboard ends: 50 events wait") == 1


def test_configuring_the_same_place_again_changes_nothing(tmp_path: Path) -> None:
    """A place is exported to once; another one takes its place, and an empty one ends the export."""
    logger = mllog.get_mllogger().logger

    def list_places() -> list[str]:
        return [each.place for each in logger.handlers if isinstance(each, ExportSink)]

    mllog.config(stdout=False, tensorboard_dir=tmp_path / "one")
    (sink,) = [each for each in logger.handlers if isinstance(each, ExportSink)]
    mllog.config(tensorboard_dir=tmp_path / "one")
    assert sink in logger.handlers
    mllog.config(tensorboard_dir=str(tmp_path / "two"))
    assert list_places() == [str(tmp_path / "two")]
    mllog.config(tensorboard_dir="")
    assert list_places() == []


def test_the_environment_configures_an_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`MLLOG_TENSORBOARD_DIR` needs no change of the script."""
    monkeypatch.setenv("MLLOG_TENSORBOARD_DIR", str(tmp_path))
    monkeypatch.setenv("MLLOG_STDOUT", "0")
    train()
    end_export()

    assert len(find_runs(tmp_path)) == 1


def run_script(code: str, place: Path) -> subprocess.CompletedProcess[str]:
    """Run a script that exports, to its end."""
    start = f"import os, sys\nfrom mlperf_logging import mllog\nmllog.config(stdout=False, tensorboard_dir={str(place)!r})\n"
    return subprocess.run(
        [sys.executable, "-c", start + code], capture_output=True, text=True, check=False, timeout=120
    )


RUN = "mllog.start('run_start')\nmllog.event('eval_accuracy', 0.5, metadata={'epoch_num': 1})\n"


@pytest.mark.parametrize(
    ("end", "code"), [("", 0), ("raise SystemExit(3)", 3), ("1 / 0", 1), ("os.kill(os.getpid(), 15)", -15)]
)
def test_nothing_is_lost_at_the_end_of_the_process(end: str, code: int, tmp_path: Path) -> None:
    """What was logged is exported before the process ends, however Python ends it, and on SIGTERM."""
    done = run_script(RUN + end, tmp_path)

    assert done.returncode == code
    assert [each.value for each in read_all(tmp_path)] == [0.5]


def test_a_killed_process_leaves_what_was_written(tmp_path: Path) -> None:
    """What was exported before SIGKILL can be read."""
    done = run_script(RUN + "import time\ntime.sleep(2)\nos.kill(os.getpid(), 9)", tmp_path)

    assert done.returncode == -9
    assert [each.value for each in read_all(tmp_path)] == [0.5]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork processes")
def test_a_forked_process_exports_nothing(tmp_path: Path) -> None:
    """Workers that are forked amid a run log, but the run and its export are their parent's."""
    code = RUN + (
        "pid = os.fork()\n"
        "if not pid:\n    mllog.event('eval_accuracy', 9.5)\n    mllog.end('run_stop')\n    os._exit(0)\n"
        "os.waitpid(pid, 0)\nmllog.event('eval_accuracy', 0.75, metadata={'epoch_num': 2})\n"
    )
    run_script(code, tmp_path)

    assert [each.value for each in read_all(tmp_path)] == [0.5, 0.75]


def test_no_export_loads_nothing() -> None:
    """Without an export neither the sink's module nor a library of a tool is loaded."""
    code = "import sys\nfrom mlperf_logging import mllog\nmllog.config(stdout=False)\nmllog.event('seed', 1)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not [
        name
        for name in done.stdout.split()
        if name.partition(".")[0] in ("tensorboardX", "mlflow", "wandb", "numpy")
        or name.startswith(("mlperf_logging.exports", "mlperf_logging.mllog.exporting"))
    ]


def test_a_live_export_to_mlflow_is_complete(tmp_path: Path) -> None:
    """The same for MLflow: parameters, metrics, tags and status."""
    from mlflow import MlflowClient

    mllog.config(stdout=False, mlflow_uri=tmp_path)
    train()
    end_export()
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    (run,) = client.search_runs([each.experiment_id for each in client.search_experiments()])

    assert run.info.status == "FINISHED"
    assert run.data.params == {
        "cache_clear": "True",
        "opt_name": "lars",
        "global_batch_size": "64",
        "train_samples": "512",
    }
    assert [each.value for each in client.get_metric_history(run.info.run_id, "eval_accuracy")] == [
        0.5,
        0.6,
        0.8,
    ]
    assert run.data.tags | {"benchmark": "resnet", "status": "success"} == run.data.tags
