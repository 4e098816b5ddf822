"""Offline exports to Weights & Biases, read back with its own records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip(
    "wandb", reason="Weights & Biases is not installed, and too large for the tests' environment"
)

from mlperf_logging.exports.exporting import NEW, UNCHANGED, UPDATED, Exported, Exporter
from mlperf_logging.exports.reading import read_exports
from mlperf_logging.exports.writers.wandb import STEP, Writer
from tests.exports_read_back import read_wandb
from tests.unit.exports.conftest import read_logged, write_hostile_log


@pytest.fixture(autouse=True)
def no_reporting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library reports nothing of the tests."""
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")


def export(log: Path, place: Path) -> Exported:
    """Export the only run of a log."""
    (run,) = read_exports(str(log))
    writer = Writer(str(place))
    try:
        return Exporter(writer).export(run)
    finally:
        writer.close()


def read_run(place: Path) -> tuple[list[dict[str, Any]], Any, int]:
    """The rows, the record of the run, and the exit code of the only run of a place."""
    (folder,) = (place / "wandb").glob("offline-run-*")
    records = list(read_wandb(folder))
    rows = [
        {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
        for record in records
        if record.HasField("history")
    ]
    (run,) = [record.run for record in records if record.HasField("run")]
    return rows, run, next(record.exit.exit_code for record in records if record.HasField("exit"))


def test_rows_are_what_the_log_says(log: Path, tmp_path: Path) -> None:
    """Values, steps and times of an evaluation are those of its records, to the last digit."""
    done = export(log, tmp_path)
    rows, run, code = read_run(tmp_path)

    assert done.outcome == NEW
    assert [
        (row["eval_accuracy"], round(row["_timestamp"] * 1000), row[STEP])
        for row in rows
        if "eval_accuracy" in row
    ] == read_logged(log, "eval_accuracy")
    config = {item.key: json.loads(item.value_json) for item in run.config.update}
    assert (run.project, run.display_name.rpartition("/")[2], code) == ("resnet", "run", 0)
    assert config | {"opt_name": "lars", "verdict": "pass"} == config


def test_a_run_is_there_once(log: Path, tmp_path: Path) -> None:
    """The same content is not exported again; a log that has changed replaces its former export, but nobody else's file."""
    assert export(log, tmp_path).outcome == NEW
    assert export(log, tmp_path).outcome == UNCHANGED
    (former,) = (tmp_path / "wandb").glob("offline-run-*")
    (former / "notes.txt").write_text("not ours")
    log.write_text(log.read_text().replace('"lars"', '"sgd"'))

    assert export(log, tmp_path).outcome == UPDATED
    assert [path.name for path in former.iterdir()] == ["notes.txt"]


def test_hostile_names_and_values_are_taken(log: Path, tmp_path: Path) -> None:
    """Whatever a log calls itself and its values, each number is in a row."""
    done = export(write_hostile_log(log), tmp_path / "place")
    rows, _, _ = read_run(tmp_path / "place")
    found = {name: value for row in rows for name, value in row.items()}

    assert done.outcome == NEW
    assert (
        found
        | {"eval_accuracy/_/_/x": 1, "eval_accuracy/a_b-2": 3, "log/mlperf/step": 2, "log/_timestamp": 3}
        == found
    )
