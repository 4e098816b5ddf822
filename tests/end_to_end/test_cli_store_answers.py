"""`mlperf store summary`, `leaderboard` and `compare`: answers that agree with those of the commands that read logs."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from checkout import PROJECT
from commands import Done, run_mlperf

FEW = ("--resamples", 200)
LAB = PROJECT / "examples" / "submission" / "Example_Lab"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two submitters, the second of which has the first one's runs but two, and their store."""
    folder = tmp_path_factory.mktemp("answers")
    for name in ("Example_Lab", "Other_Lab"):
        shutil.copytree(LAB, folder / name, ignore=shutil.ignore_patterns("power", "example_16x"))
    runs = folder / "Other_Lab" / "results" / "example_8x" / "llama2_70b_lora"
    for number in (3, 7):
        (runs / f"result_{number}.txt").unlink()
    done = run_mlperf(
        "store", "ingest", "-q", "--into", "s.duckdb", "Example_Lab", "Other_Lab", folder=folder
    )
    assert done.returncode == 0, done.stderr
    return folder


def ask(place: Path, command: str, *arguments: object) -> Done:
    """The answer of a command, which must have succeeded."""
    done = run_mlperf("store", command, "s.duckdb", *arguments, folder=place)
    assert (done.returncode, done.stderr) == (0, "")
    return done


def test_summary(place):
    """Runs count once however often their log is there, and verdicts are those of the check."""
    answer = json.loads(ask(place, "summary", "--format", "json").stdout)
    checked = json.loads(run_mlperf("check", "--format", "json", "Example_Lab", folder=place).stdout)
    (group,) = answer["groups"]

    assert (group["runs"], group["passed"]) == (checked["totals"]["files"], checked["totals"]["pass"])
    assert (group["folders"], group["submitters"]) == (2, 2)
    assert (answer["totals"]["logs"], answer["totals"]["places"]) == (10, 18)
    assert "places" in ask(place, "summary").stdout


def test_leaderboard_is_the_score(place):
    """The best result has the score that `mlperf score` gives; the submitter with too few runs is not ranked."""
    (row,) = csv.DictReader(ask(place, "leaderboard", "--format", "csv").stdout.splitlines())
    scored = json.loads(run_mlperf("score", "--format", "json", "Example_Lab", folder=place).stdout)

    assert float(row["score_minutes"]) == scored["folders"][0]["score_minutes"]
    assert row["submitter"] == "Example_Lab"
    assert "not ranked" in ask(place, "leaderboard", "--round", "6.1").stdout


def test_compare_is_that_of_analyze(place):
    """Two submitters compare as `mlperf analyze --compare` has it, figure by figure."""
    sides = ("Example_Lab", "Other_Lab")
    answer = json.loads(ask(place, "compare", *sides, "--by", "benchmark", *FEW, "--format", "json").stdout)
    analyzed = run_mlperf("analyze", *sides, "--compare", *sides, *FEW, "--format", "json", folder=place)

    assert answer["comparison"] == json.loads(analyzed.stdout)["comparison"]
    assert answer["comparison"][0]["runs_b"] == 8
    assert "llama2_70b_lora accelerators 8" in ask(place, "compare", *sides, *FEW).stdout


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("compare", "s.duckdb", "Example_Lab", "5.1"), "no converged run of training/5.1.0"),
        (("compare", "s.duckdb", "6.1", "Example_Lab"), "refer to the same runs"),
        (("compare", "s.duckdb", "Example_Lab", "Nobody"), "no run belongs to"),
        (("leaderboard", "s.duckdb", "--benchmark", "llama2"), "unknown benchmark"),
        (("leaderboard", "none.duckdb"), "there is no store"),
        (("summary", "Example_Lab/results/example_8x/llama2_70b_lora/result_0.txt"), "not a DuckDB file"),
    ],
)
def test_mistakes(place, arguments, word):
    """What cannot be answered is one sentence, and exit code 2."""
    done = run_mlperf("store", *arguments, folder=place)
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr
    assert done.stderr.count("\n") == 1
