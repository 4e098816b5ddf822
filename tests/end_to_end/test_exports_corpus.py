"""Exports of real logs, read back by the tools' own libraries."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from mlperf_logging.exports.exporting import EMPTY, NEW, UNCHANGED, Exporter
from mlperf_logging.exports.reading import read_exports
from mlperf_logging.exports.writers import BaseWriter
from mlperf_logging.runs.run import Run, read_run
from tests.exports_read_back import ReadPoint, read_mlflow, read_tensorboard, to_single

pytestmark = pytest.mark.corpus
EVERY = 24
"""Of so many logs one is exported to MLflow, whose database takes a tenth of a second a run."""

Number = tuple[float, float]


def list_numbers(run: Run) -> list[Number]:
    """Time and value of all evaluations and series of a run, as its typed view has them."""
    known = [(each.time_ms, each.value) for each in (*run.evaluations, *run.series) if each.value is not None]
    return sorted((round(time_ms), float(value)) for time_ms, value in known if not math.isnan(value))


def sort_read(points: Sequence[ReadPoint]) -> list[Number]:
    """Time and value of points that were read back, but for the summary."""
    return sorted(
        (round(each.time_ms), each.value)
        for each in points
        if not each.name.startswith("summary/") and not math.isnan(each.value)
    )


def export_each(logs: Sequence[Path], writer: BaseWriter) -> Iterator[tuple[Path, str]]:
    """Export logs; each with the name of its run."""
    exporter = Exporter(writer)
    for log in logs:
        (run,) = read_exports(str(log))
        done = exporter.export(run)
        assert done.outcome in (NEW, UNCHANGED, EMPTY)
        if done.outcome == NEW:
            yield log, str(done.name)
    writer.close()


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.slow), 12])
def test_tensorboard_gives_back_every_number(every: int, corpus_logs: list[Path], tmp_path: Path) -> None:
    """Every number of every run, or of every twelfth, with its time, in the single precision of TensorBoard."""
    from mlperf_logging.exports.writers.tensorboard import Writer

    logs = values = 0
    for log, name in export_each(corpus_logs[::every], Writer(str(tmp_path))):
        run = read_run(str(log))
        if run.is_timed:
            expected = sorted((time_ms, to_single(value)) for time_ms, value in list_numbers(run))
            assert sort_read(read_tensorboard(tmp_path / name)) == expected, log
            logs, values = logs + 1, values + len(expected)

    assert logs > 1_500 / every - 10
    assert values > 300_000 / every


def test_mlflow_gives_back_every_number(corpus_logs: list[Path], tmp_path: Path) -> None:
    """Every number of some runs of each round, with its time, to the last digit; equal ones count once."""
    from mlflow import MlflowClient

    from mlperf_logging.exports.writers.mlflow import Writer

    exported = dict(export_each(corpus_logs[::EVERY], Writer(str(tmp_path))))
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    runs = {
        run.data.tags["log"]: run
        for run in client.search_runs(
            [each.experiment_id for each in client.search_experiments()], max_results=2_000
        )
    }
    values = 0
    for log in exported:
        run = read_run(str(log))
        if not run.is_timed:
            continue
        found = {
            (each.time_ms, each.value)
            for each in read_mlflow(client, runs[str(log)])
            if each.name[:8] != "summary/"
        }
        expected = set(list_numbers(run))
        assert found == expected, log
        values += len(expected)

    assert len(exported) > 60
    assert values > 10_000


def test_evaluations_are_those_of_the_lines(corpus_logs: list[Path], tmp_path: Path) -> None:
    """Values, times and steps of the newest round's evaluations are those that its lines say, read without this package."""
    from mlperf_logging.exports.writers.tensorboard import Writer

    logs = [log for log in corpus_logs if "/5.1/" in str(log)]
    compared = 0
    for log, name in export_each(logs, Writer(str(tmp_path))):
        said = set()
        for line in log.read_text("utf-8", "replace").splitlines():
            record = line.partition(":::MLLOG ")[2]
            if '"eval_accuracy"' in record:
                event = json.loads(record)
                place = event["metadata"].get("samples_count", event["metadata"].get("epoch_num"))
                said.add((event["time_ms"], place, to_single(event["value"])))
        if any(place != int(place) for _, place, _ in said):
            continue  # it counts in parts of epochs, so its steps are samples
        found = {
            (round(each.time_ms), each.step, each.value)
            for each in read_tensorboard(tmp_path / name)
            if each.name == "eval_accuracy" or each.name.startswith("eval_accuracy/")
        }
        assert said == found, log
        compared += len(said)

    assert compared > 1_500
