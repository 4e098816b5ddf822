"""Logs and side files with absurd numbers give answers or sentences, never an error of Python's."""

from __future__ import annotations

import math
import re
import shutil
from pathlib import Path

import pytest
from checkout import PROJECT

from mlperf_logging import (
    AnalysisParameters,
    analyze_runs,
    check_log,
    check_results,
    read_run,
    read_tables,
    score_results,
)
from mlperf_logging.analysis.analyses import list_doubts
from mlperf_logging.analysis.plots import ConvergenceStyle, draw_breakdown, draw_series
from mlperf_logging.analysis.reading import ReadingParameters
from tests.logs import mllog

FOLDER = "Example_Lab/results/example_8x/llama2_70b_lora"
HUGE = "1" + "0" * 400
TIMES = {"every": "", "run_start": '"run_start"', "run_stop": '"run_stop"', "evaluations": '"eval_accuracy"'}
VALUES = (HUGE, f"-{HUGE}", "1e308", "Infinity", '"text"', '"1e999"', "[1]", "{}", "null")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A result folder with three runs."""
    shutil.copytree(PROJECT / "examples/submission/Example_Lab", tmp_path / "Example_Lab")
    found = tmp_path / FOLDER
    for log in sorted(found.glob("result_*.txt"))[3:]:
        log.unlink()
    return found


def ask_everything(folder: Path) -> None:
    """Judge, score, test and analyze a folder."""
    log = folder / "result_0.txt"
    check_log(log)
    read_run(log)
    score_results(folder)
    check_results(folder, draws=9)
    tables = read_tables(folder)
    analyze_runs(tables, parameters=AnalysisParameters(resamples=9))
    list_doubts(tables)


@pytest.mark.parametrize("lines", TIMES.values(), ids=TIMES)
@pytest.mark.parametrize("time", [HUGE, f"-{HUGE}", "1e308"], ids=["huge", "negative", "float"])
def test_absurd_times(folder: Path, lines: str, time: str) -> None:
    """A time of 401 digits, wherever it stands, stops no command."""
    log = folder / "result_0.txt"
    changed = [
        re.sub(r'"time_ms": \d+', f'"time_ms": {time}', line) if lines in line else line
        for line in log.read_text().splitlines(keepends=True)
    ]
    log.write_text("".join(changed))

    ask_everything(folder)


@pytest.mark.parametrize("key", ['"value"', '"samples_count"'])
@pytest.mark.parametrize("value", VALUES, ids=[value[:8] for value in VALUES])
def test_absurd_values(folder: Path, key: str, value: str) -> None:
    """A value or a progress of another kind or size than is meant, in every record, stops no command."""
    log = folder / "result_0.txt"
    log.write_text(re.sub(rf"{key}: [^,{{\[}}]+", f"{key}: {value}", log.read_text()))

    ask_everything(folder)


def test_evaluations_of_text(folder: Path) -> None:
    """A text as the accuracy that several evaluations make together is not a number, and no error."""
    log = folder / "result_0.txt"
    text = log.read_text().replace('"eval_accuracy"', '"aggregated_eval_accuracy"')
    log.write_text(re.sub(r'(accuracy", "value": )[^,]+', r'\1"good"', text))

    ask_everything(folder)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"scaling_factor": ' * 50_000, f'{{"scaling_factor": {HUGE}}}']
)
def test_absurd_scaling_files(folder: Path, text: str) -> None:
    """A scaling.json that nests too deep, or holds a number that fits nowhere, is a problem of its folder."""
    (folder / "scaling.json").write_text(text)
    (score,) = score_results(folder)

    assert score.score_minutes is None
    assert "scaling.json" in score.problems[0]


def test_infinite_times_in_a_picture(folder: Path) -> None:
    """A run whose times are beyond all numbers has no bar; the others keep theirs."""
    from matplotlib.figure import Figure

    runs = read_tables(folder).runs
    runs.loc[0, ["train_minutes", "eval_minutes", "idle_minutes"]] = math.inf
    axes = Figure().add_subplot()
    draw_breakdown(axes, runs)

    assert len(axes.get_yticks()) == 2


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("systems", [1, 9])
def test_absurd_numbers_in_a_series(tmp_path: Path, systems: int) -> None:
    """Numbers and places that no axis can show are left out of a picture, which is drawn all the same."""
    from matplotlib.figure import Figure

    numbers = [1.5, int(HUGE), -int(HUGE), math.inf, math.nan, 1e308, -1e308, 2.5, 0.0]
    for run in range(2 * systems):
        lines = [mllog("submission_platform", f"box {run % systems}", 0), mllog("run_start", None, 0)]
        for place in range(72):
            step = int(HUGE) if place == 30 else place
            lines.append(mllog("train_loss", numbers[place % 9], place, step_num=step))
        (tmp_path / f"result_{run}.txt").write_bytes(b"".join(lines))
    tables = read_tables(tmp_path, ReadingParameters(series=("*",)))
    figure = Figure()
    axes = draw_series(figure.add_subplot(), tables.series, ConvergenceStyle("progress", "train_loss"))
    figure.savefig(tmp_path / "picture.png")

    assert axes.get_ylim()[1] < 3
    assert "values lie outside (-inf to inf)" in str(axes.get_legend_handles_labels()[1])


def test_absurd_system_description(folder: Path) -> None:
    """A system description that nests too deep says nothing about the system."""
    (folder.parents[2] / "systems/example_8x.json").write_text("[" * 100_000)

    assert read_tables(folder).runs["accelerator_model"].isna().all()


def test_long_names_are_cropped_in_rows(tmp_path: Path) -> None:
    """A name or a seed of a megabyte, which would be in each of a run's rows, is cropped there."""
    path = tmp_path / "result_0.txt"
    keys = ("submission_benchmark", "submission_org", "submission_platform", "seed")
    lines = [*[mllog(key, f"{key}{'x' * (1 << 20)}", 1) for key in keys], mllog("eval_accuracy", 0.5, 2)]
    path.write_bytes(b"".join(lines))

    (row,) = read_tables(path).evaluations.to_dict("records")

    assert [len(row[name]) for name in ("benchmark", "submitter", "system", "seed")] == [256] * 4
    assert row["seed"].startswith("seedxxx")
    assert row["seed"].endswith("…")
