"""Exports to MLflow, read back by MLflow's client."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from mlperf_logging.exports.exporting import NEW, UNCHANGED, UPDATED, Exported, Exporter
from mlperf_logging.exports.reading import read_exports
from mlperf_logging.exports.writers.mlflow import DATABASE, Writer
from tests.commands import run_mlperf
from tests.exports_read_back import read_mlflow
from tests.unit.exports.conftest import LOGS, read_logged, write_hostile_log


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without runs, which takes seconds to make."""
    place = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        list(Writer(str(place)).list_kept())
    return place / DATABASE


@pytest.fixture
def store(empty_store: Path, tmp_path: Path) -> Path:
    """A folder of its own with an empty database."""
    place = tmp_path / "store"
    place.mkdir()
    (place / DATABASE).write_bytes(empty_store.read_bytes())
    return place


def export(log: Path, place: Path) -> Exported:
    """Export the only run of a log."""
    (run,) = read_exports(str(log))
    return Exporter(Writer(str(place))).export(run)


def list_runs(place: Path) -> tuple[Any, list[Any]]:
    """A client, and the runs that are not deleted."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{place / DATABASE}")
    experiments = [each.experiment_id for each in client.search_experiments()]
    return client, list(client.search_runs(experiments))


def test_metrics_are_what_the_log_says(log: Path, store: Path) -> None:
    """Values, steps and times of an evaluation are those of its records, to the last digit."""
    done = export(log, store)
    client, (run,) = list_runs(store)
    found = [each for each in read_mlflow(client, run) if each.name == "eval_accuracy"]

    assert done.outcome == NEW
    assert [(each.value, each.time_ms, each.step) for each in found] == read_logged(log, "eval_accuracy")


def test_every_point_is_read_back(store: Path) -> None:
    """MLflow gives back each point of an example log of each dialect, of one with many metrics, and of an aborted one."""
    names = ("compliant/0.5.0_resnet", "compliant/0.6.0_resnet", "compliant/4.0.0_stable_diffusion")
    logs = [LOGS / f"{name}.txt" for name in (*names, "trained/ncf", "trained/ncf_interrupted")]
    writer = Writer(str(store))
    exporter = Exporter(writer)
    expected = {}
    for log in logs:
        (run,) = read_exports(str(log))
        exporter.export(run)
        expected[run.head.name] = sorted(
            {(each.name, each.step, round(each.time_ms), each.value) for each in run.points}
        )
    client, runs = list_runs(store)

    assert {
        run.info.run_name: sorted(
            (each.name, each.step, each.time_ms, each.value) for each in read_mlflow(client, run)
        )
        for run in runs
    } == expected


def test_a_run_has_parameters_tags_and_artifacts(log: Path, store: Path) -> None:
    """Who ran what and how it was judged are tags; log and verdict are kept with the run."""
    export(log, store)
    client, (run,) = list_runs(store)
    artifacts = Path(run.info.artifact_uri.removeprefix("file://"))
    wanted = {
        "benchmark": "resnet",
        "submitter": "Example Lab",
        "verdict": "pass",
        "ruleset": "training/4.0.0",
    }
    verdict = json.loads((artifacts / "verdict.json").read_text())

    assert run.info.status == "FINISHED"
    assert client.get_experiment(run.info.experiment_id).name == "resnet"
    assert run.data.params["opt_name"] == "lars"
    assert run.data.tags | wanted == run.data.tags
    assert (artifacts / "run.txt").read_bytes() == log.read_bytes()
    assert verdict["totals"] == {"files": 1, "pass": 1, "fail": 0, "error": 0}
    assert artifacts.is_relative_to(store)
    assert sorted(each.path for each in client.list_artifacts(run.info.run_id)) == ["run.txt", "verdict.json"]


def test_a_run_that_failed_says_so(store: Path) -> None:
    """An aborted run has failed; one whose log has no end was killed."""
    export(LOGS / "trained" / "ncf_interrupted.txt", store)
    export(LOGS / "broken" / "run_stop_missing.txt", store)
    _, runs = list_runs(store)

    assert {run.info.run_name.rpartition("/")[2]: run.info.status for run in runs} == {
        "ncf_interrupted": "FAILED",
        "run_stop_missing": "KILLED",
    }


def test_a_run_is_there_once(log: Path, store: Path, tmp_path: Path) -> None:
    """The same content is not exported again; a log that has changed replaces its former export."""
    copy = tmp_path / "copy.txt"
    copy.write_bytes(log.read_bytes())

    assert export(log, store).outcome == NEW
    assert export(copy, store).outcome == UNCHANGED
    log.write_text(log.read_text().replace('"lars"', '"sgd"'))
    assert export(log, store).outcome == UPDATED
    _, (run,) = list_runs(store)
    assert run.data.params["opt_name"] == "sgd"


def test_an_export_that_was_cut_off_is_replaced(
    log: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that lacks its end is not there yet."""
    from mlflow import MlflowClient

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "set_tag", lambda *_: sys.exit("killed"))
        with pytest.raises(SystemExit):
            export(log, store)

    assert export(log, store).outcome == UPDATED
    assert len(list_runs(store)[1]) == 1


def test_a_server_that_is_gone_is_one_sentence(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command says that it cannot export there, and ends with exit code 2."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    done = run_mlperf("export", "mlflow", log, "-o", "http://127.0.0.1:9")

    assert done.returncode == 2
    assert done.stderr.startswith("mlperf export: cannot export to http://127.0.0.1:9: ")
    assert done.stderr.count("\n") == 1


def test_hostile_names_and_values_are_taken(log: Path, store: Path, tmp_path: Path) -> None:
    """Whatever a log calls itself and its values, MLflow takes it, within its limits and the folder."""
    hostile = write_hostile_log(log)
    outside = {path for path in tmp_path.rglob("*") if not path.is_relative_to(store)}
    done = export(hostile, store)
    _, (run,) = list_runs(store)

    assert done.outcome == NEW
    assert run.data.metrics | {"eval_accuracy/_/_/x": 1, "eval_accuracy/a_b-2": 3} == run.data.metrics
    assert len(run.data.params["opt_name"]) == 6_000
    assert {path for path in tmp_path.rglob("*") if not path.is_relative_to(store)} == outside
