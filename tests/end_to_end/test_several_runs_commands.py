"""Files that hold several runs, given to each command: named, and no figure is taken from them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.checkout import PROJECT
from tests.commands import run_mlperf

RELAUNCHED = PROJECT / "examples" / "logs" / "broken" / "relaunched.txt"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A result folder whose one log holds two runs."""
    folder = tmp_path / "results" / "system" / "flux1"
    folder.mkdir(parents=True)
    shutil.copy(RELAUNCHED, folder / "result_0.txt")
    return folder


def test_score_names_the_file_and_takes_no_time_from_it(results: Path) -> None:
    """The run does not count; the one that --run names does."""
    shown = run_mlperf("score", results).stdout
    assert "1 run: result_0.txt holds 2 runs; --run says which one counts" in shown
    assert "name the round" not in shown
    lines = run_mlperf("score", "--run", "last", results).stdout.splitlines()
    assert any("43.067  success" in line for line in lines)


def test_rcp_tests_nothing(results: Path) -> None:
    """The reason is the file, not a run that does not converge."""
    done = run_mlperf("rcp", results)
    assert (done.returncode, "result_0.txt holds 2 runs" in done.stderr) == (2, True)


def test_analyze_gives_a_sentence_and_no_figure(results: Path) -> None:
    """Each run has a row of its own when it is asked for."""
    shown = run_mlperf("analyze", "--table", "runs", "--format", "csv", results)
    assert "which begin on lines 2 and 49" in shown.stdout
    assert "43.07" not in shown.stdout
    each = run_mlperf("analyze", "--table", "runs", "--format", "csv", "--run", "each", results).stdout
    assert [line.count("result_0.txt (run ") for line in each.splitlines()] == [0, 1, 1]


def test_plot_says_why_there_is_nothing_to_draw(results: Path, tmp_path: Path) -> None:
    """The message names the runs; the one that --run names is drawn."""
    picture = tmp_path / "curve.svg"
    done = run_mlperf("plot", "convergence", results, "-o", picture)
    assert (done.returncode, "the file holds 2 runs" in done.stderr, picture.exists()) == (2, True, False)
    assert run_mlperf("plot", "convergence", "--run", "last", results, "-o", picture).returncode == 0
    assert picture.exists()


@pytest.mark.parametrize(
    ("run", "code"), [("each", 1), ("last", 0), ("2", 0), ("1", 1), ("3", 2), ("0", 2), ("x", 2)]
)
def test_check_judges_the_runs_that_are_named(run: str, code: int) -> None:
    """By number, the last, or each; what is no run is one sentence."""
    done = run_mlperf("check", "--run", run, RELAUNCHED)
    assert done.returncode == code
    assert len(done.stderr.splitlines()) <= 1
