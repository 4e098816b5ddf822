"""`mlperf train all` with series that train nothing."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlperf_logging import MLPerfLoggingError, UsageError
from mlperf_logging.cli.train_all import split_settings, train_all
from mlperf_logging.tables import Document

NAMES = ("knitting", "sewing", "weaving")


class MissingDataError(MLPerfLoggingError):
    """Stands for the trainers' error about data."""


def describe_run(verdict: str = "pass", minutes: float = 2.0) -> dict[str, Any]:
    """What is told of a run."""
    return {
        "verdict": verdict,
        "status": "success",
        "counts": verdict == "pass",
        "quality_minutes": minutes,
        "minutes": minutes,
    }


class Series:
    """Stands for the runner of a series: its runs are given, or an error in place of one."""

    def __init__(self, name: str, runs: list[Any], problem: Exception | None = None) -> None:
        self.task = SimpleNamespace(name=name, benchmark=name[:4])
        self.submission = Path("out/lab")
        self.results = self.submission / "results" / name
        self.runs, self.problem = runs, problem
        self.is_done = False

    def check(self) -> None:
        """Raise what keeps it from starting."""
        if self.problem is not None:
            raise self.problem

    def do(self) -> Iterator[dict[str, Any]]:
        """The runs."""
        self.is_done = True
        for run in self.runs:
            if isinstance(run, Exception):
                raise run
            yield run


def run_all(*series: Series, settings: tuple[str, ...] = ()) -> tuple[int, Document, dict[str, list[str]]]:
    """Train them all; the exit code, the answer, and the settings that each series got."""
    by_name = {each.task.name: each for each in series}
    tasks = {name: SimpleNamespace(name=name, configs={("mini", "closed"): None}) for name in by_name}
    tasks["felting"] = SimpleNamespace(name="felting", configs={("full", "closed"): None})
    modules = {
        "harness.tasks": SimpleNamespace(list_tasks=lambda: tasks, find_task=lambda name: tasks[name]),
        "harness.errors": SimpleNamespace(DataError=MissingDataError),
    }
    given: dict[str, list[str]] = {}
    written: list[Document] = []

    def make_runner(options: argparse.Namespace) -> Series:
        given[options.benchmark] = options.set
        return by_name[options.benchmark]

    options = argparse.Namespace(
        scale="mini", division="closed", runs=2, data=None, set=list(settings), format="json"
    )
    code = train_all(
        options,
        modules.__getitem__,
        make_runner,
        lambda runner, _: runner.do(),
        lambda document, _: written.append(document),
    )
    (document,) = written
    return code, document, given


def list_verdicts(document: Document) -> dict[str, tuple[int, int, str]]:
    """Runs, compliant runs and verdict of each task."""
    return {
        task["task"]: (task["runs"], task["compliant"], task["verdict"]) for task in document.fields["tasks"]
    }


def test_every_task_of_the_scale_has_a_row() -> None:
    """All runs compliant: code 0, and the time to quality is the median of the runs."""
    runs = [describe_run(minutes=minutes) for minutes in (5.0, 1.0, 2.0)]
    code, document, _ = run_all(*[Series(name, runs) for name in NAMES])

    assert code == 0
    assert list_verdicts(document) == dict.fromkeys(NAMES, (3, 3, "pass"))
    assert {task["quality_minutes"] for task in document.fields["tasks"]} == {2.0}
    assert document.fields["submission"] == "out/lab"


def test_run_that_is_not_compliant_is_counted() -> None:
    """Code 1, and its time is not part of the median."""
    runs = [describe_run(), describe_run("fail", 90.0)]
    code, document, _ = run_all(Series("knitting", runs), Series("sewing", [describe_run()]))

    assert code == 1
    assert list_verdicts(document) == {"knitting": (2, 1, "fail"), "sewing": (1, 1, "pass")}
    assert document.fields["tasks"][0]["quality_minutes"] == 2.0


@pytest.mark.parametrize("problem", [MLPerfLoggingError("its process died"), OSError("disk full")])
def test_task_that_fails_does_not_stop_the_others(
    problem: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    """Code 2; its finished runs stay, the reason is in its row and on standard error, and the others are trained."""
    code, document, _ = run_all(
        Series("knitting", [describe_run(), problem]), Series("sewing", [describe_run()])
    )

    assert code == 2
    assert list_verdicts(document) == {"knitting": (1, 1, "error"), "sewing": (1, 1, "pass")}
    assert document.fields["tasks"][0]["problem"] == str(problem)
    assert f"knitting: {problem}" in capsys.readouterr().err


def test_missing_data_of_one_task_is_said_before_the_others_train(capsys: pytest.CaptureFixture[str]) -> None:
    """Its sentence comes first, with the command for all that is missing; the others are trained; code 2."""
    code, document, _ = run_all(
        Series("knitting", [describe_run()]), Series("sewing", [], MissingDataError("there is no yarn"))
    )
    said = capsys.readouterr().err.splitlines()

    assert code == 2
    assert list_verdicts(document) == {"knitting": (1, 1, "pass"), "sewing": (0, 0, "error")}
    assert said[0] == "mlperf train: there is no yarn"
    assert "mlperf train data all --scale mini --data data" in said[1]
    assert said[2].startswith("knitting, 1 of 2: 2 runs")


def test_without_any_data_nothing_is_trained() -> None:
    """Where no task has data, one sentence names the command."""
    series = [Series(name, [], MissingDataError("none")) for name in NAMES]
    with pytest.raises(UsageError, match="mlperf train data all --scale mini --data data"):
        run_all(*series)


def test_mistake_in_one_series_stops_all_before_they_start() -> None:
    """What is wrong with the command itself, such as results in the way, is found before hours of training."""
    good, bad = Series("knitting", [describe_run()]), Series("sewing", [], MLPerfLoggingError("in the way"))
    with pytest.raises(UsageError, match="sewing: in the way"):
        run_all(good, bad)
    assert not good.is_done


def test_settings_go_to_their_task() -> None:
    """Each series gets its own settings, without the name of the task."""
    _, _, given = run_all(
        *[Series(name, [describe_run()]) for name in NAMES],
        settings=("sewing.needles=2", "sewing.thread=0.5", "knitting.rows=3"),
    )

    assert given == {"knitting": ["rows=3"], "sewing": ["needles=2", "thread=0.5"], "weaving": []}


@pytest.mark.parametrize("setting", ["rows=3", "rows=0.3", "rows"])
def test_setting_without_a_task_is_refused(setting: str) -> None:
    """A setting that does not say whose it is would be guessed at."""
    with pytest.raises(UsageError, match=f"--set {setting}: of all trainers, say whose setting it is"):
        split_settings([setting], SimpleNamespace)
