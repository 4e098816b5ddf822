"""`mlperf analyze`: formats, tables, comparison, and one sentence for each mistake. On the synthetic submission."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from checkout import PROJECT

from mlperf_logging.analysis.columns import RUN_COLUMNS, SERIES_COLUMNS
from mlperf_logging.analysis.tables import tabulate_runs
from mlperf_logging.cli.analyze import main
from mlperf_logging.tables import show_number

ROUND = PROJECT / "examples" / "submission"
RESULTS = ROUND / "Example_Lab" / "results"
SMALL = str(RESULTS / "example_8x" / "llama2_70b_lora")
LARGE = str(RESULTS / "example_16x" / "llama2_70b_lora")
TRAINED = str(PROJECT / "examples" / "logs" / "trained" / "ncf.txt")
FEW = ("--resamples", "49")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process: exit code, output, complaints."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, *FEW])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_text_says_what_there_is(run: Run) -> None:
    """Runs and variance are shown, with what all share said once, and what was left out of the statistics."""
    code, out, err = run(str(ROUND))

    assert (code, err) == (0, "")
    assert "llama2_70b_lora: 20 runs, submitter Example_Lab, batch 8, progress in samples" in out
    assert "[1] no evaluation meets the target" in out
    assert "run-to-run variance of run_minutes, submitter Example_Lab" in out
    assert out.endswith("1 run left out of the statistics: not converged, or not readable\n")


def test_json_holds_every_table(run: Run) -> None:
    """One document with a schema, the parameters, and all tables; what is not known is null."""
    code, out, _ = run(SMALL, "--format", "json", "--seed", "5")
    document = json.loads(out)

    assert code == 0
    assert document["schema"] == "mlperf-analyze/1"
    assert document["parameters"]["seed"] == 5
    assert document["parameters"]["centre"] == "median"
    assert list(document["runs"][0]) == list(RUN_COLUMNS)
    assert document["runs"][0]["staging_minutes"] is None
    assert {name: len(document[name]) for name in ("runs", "variance", "seeds", "scaling")} == {
        "runs": 10,
        "variance": 1,
        "seeds": 1,
        "scaling": 0,
    }
    assert run(SMALL, "--format", "json", "--seed", "5")[1] == out


def test_csv_is_the_table(run: Run) -> None:
    """CSV gives the table of runs, number for number."""
    code, out, _ = run(SMALL, "--format", "csv")
    table = pd.read_csv(io.StringIO(out), float_precision="round_trip")

    assert code == 0
    assert list(table.columns) == list(RUN_COLUMNS)
    assert table["run_minutes"].tolist() == tabulate_runs(SMALL)["run_minutes"].tolist()


def test_parquet_keeps_kinds(run: Run, tmp_path: Path) -> None:
    """Parquet gives the table back as it was, with its kinds of columns."""
    path = tmp_path / "runs.parquet"
    code, out, _ = run(SMALL, "--format", "parquet", "-o", str(path))
    table = pd.read_parquet(path, dtype_backend="numpy_nullable")

    assert (code, out) == (0, "")
    assert table["evaluations"].dtype == "Int64"
    assert table["run_minutes"].tolist() == tabulate_runs(SMALL)["run_minutes"].tolist()


def test_workbook_has_one_sheet_per_table(run: Run, tmp_path: Path) -> None:
    """Excel gets all tables, one sheet each, and no text that it would take for a formula."""
    folder = tmp_path / "=1+1" / "results" / "box" / "resnet"
    folder.mkdir(parents=True)
    shutil.copy(f"{SMALL}/result_0.txt", folder)
    path = tmp_path / "runs.xlsx"
    code, _, _ = run(str(folder), SMALL, "--format", "xlsx", "-o", str(path))
    sheets = pd.read_excel(path, sheet_name=None)

    assert code == 0
    assert list(sheets) == ["runs", "evaluations", "variance", "seeds", "scaling", "hyperparameters"]
    assert sheets["runs"]["submitter"].iloc[0] == "=1+1"


def test_markdown_tables(run: Run) -> None:
    """Several tables have a heading each; one has none."""
    assert "## runs\n\n| path |" in run(SMALL, "--format", "markdown")[1]
    assert run(SMALL, "--format", "markdown", "--table", "variance")[1].startswith("| benchmark |")


def test_tables_are_chosen(run: Run) -> None:
    """--table takes names, several at once, or all."""
    code, out, _ = run(str(ROUND), "--table", "seeds,scaling", "--table", "hyperparameters")

    assert code == 0
    assert "from learning" in out
    assert "scaling of run_minutes over accelerators" in out
    assert "llama2_70b_lora: 2 systems log the same hyperparameters" in out
    assert "flux1: one system only, so there is nothing to compare" in out
    assert "values of evaluations" in run(SMALL, "--table", "all")[1]
    assert "values of evaluations" in run(SMALL, "--table", "evaluations")[1]


def test_series_of_logs(run: Run) -> None:
    """Series are a table of all numbers, or of those that --metric names, where it is asked for, also besides all others."""
    code, out, _ = run(TRAINED, "--table", "series", "--metric", "thr*", "--format", "csv")
    table = pd.read_csv(io.StringIO(out))

    assert code == 0
    assert list(table.columns) == list(SERIES_COLUMNS)
    assert set(table["metric"]) == {"throughput"}
    assert "values of series" in run(TRAINED, "--table", "series")[1]
    assert "no log repeats such a number" in run(TRAINED, "--table", "series", "--metric", "lr")[1]
    assert "series" not in json.loads(run(TRAINED, "--table", "all", "--format", "json")[1])
    both = json.loads(run(TRAINED, "--table", "all,series", "--format", "json")[1])
    assert {"runs", "variance", "series"} <= set(both)


@pytest.mark.parametrize("sides", [("example_8x", "example_16x"), (SMALL, LARGE), (SMALL, "example_16x")])
def test_comparison_by_name_and_by_folder(run: Run, sides: tuple[str, str]) -> None:
    """Two systems are compared by their names among the paths, or as folders of their own."""
    paths = [str(ROUND)] if "example_16x" in sides else []
    code, out, _ = run(*paths, "--compare", *sides)

    assert code == 0
    assert f"A              {sides[0]}, mean 13.01 minutes of 10 runs\n" in out
    assert f"B              {sides[1]}, mean 7.852 minutes of 9 runs\n" in out
    assert "Mann-Whitney   U = 90, p below 0.0001; B is smaller in 100.0% of the pairs" in out


def test_comparison_as_data(run: Run) -> None:
    """A comparison in JSON has its own table."""
    document = json.loads(run(str(ROUND), "--compare", "example_8x", "example_16x", "--format", "json")[1])

    assert document["comparison"][0]["runs_a"] == 10
    assert document["parameters"]["compare"] == ["example_8x", "example_16x"]


def test_other_column_and_groups(run: Run) -> None:
    """Any column of numbers can be described, by any columns."""
    code, out, _ = run(
        str(ROUND), "--table", "variance", "--value", "samples_per_second", "--by", "system,benchmark"
    )

    assert code == 0
    assert "run-to-run variance of samples_per_second" in out


def test_runs_of_no_known_benchmark(run: Run, tmp_path: Path) -> None:
    """A target of your own makes a time to quality; without it a note says what is missing."""
    log = tmp_path / "result_0.txt"
    text = Path(SMALL, "result_0.txt").read_text().replace('"llama2_70b_lora"', '"knitting"')
    log.write_text(text)

    assert "does not know the benchmark 'knitting', so there is no target" in run(str(log))[1]
    document = json.loads(
        run(str(log), "--target", "value <= 0.95", "--format", "json", "--table", "runs")[1]
    )
    assert document["runs"][0]["quality_reached"] is True


def test_several_processes(run: Run) -> None:
    """In two processes the answer is the same."""
    assert run(str(ROUND), "--format", "csv", "--jobs", "2") == run(str(ROUND), "--format", "csv")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name at least one log or folder"),
        (("{nowhere}",), "there is no file or folder called"),
        (("{empty}",), "there are no logs below"),
        ((SMALL, "--table", "mood"), "unknown table 'mood'; choose from runs"),
        ((SMALL, "--metric", "loss"), "add --table series"),
        ((SMALL, "--value", "status"), "unknown numeric column 'status'"),
        ((SMALL, "--by", "planet"), "unknown grouping column 'planet'"),
        ((SMALL, "--confidence", "95"), "the confidence 95.0 is not between 0 and 1"),
        ((SMALL, "--outliers", "eye"), "known: tukey, mad"),
        ((SMALL, "--ruleset", "9"), "unknown ruleset '9'"),
        ((SMALL, "--target", "value is"), "the target is not a formula"),
        (
            (SMALL, "--compare", "example_8x", "nobody"),
            "no run belongs to a system or submitter called 'nobody'",
        ),
        ((SMALL, "--compare", "example_8x", "EXAMPLE_8X"), "refer to the same runs"),
        ((SMALL, "--format", "csv", "--table", "runs,seeds"), "csv holds one table, not runs, seeds"),
        ((SMALL, "--jobs", "many"), "not a number of processes"),
        ((SMALL, "--compere", "a", "b"), "did you mean --compare?"),
    ],
)
def test_mistakes_are_one_sentence(run: Run, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    """A wrong argument is exit code 2 and a sentence on what to do; nothing is printed."""
    (tmp_path / "empty").mkdir()
    places = {"nowhere": str(tmp_path / "nowhere"), "empty": str(tmp_path / "empty")}
    code, out, err = run(*[argument.format(**places) for argument in arguments])

    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_what_can_be_read_is_shown(run: Run, tmp_path: Path) -> None:
    """A log without events and a path that is not there do not hide the others; the exit code tells."""
    noise = tmp_path / "noise.txt"
    noise.write_text("nothing\n")
    code, out, err = run(SMALL, str(noise), str(tmp_path / "nowhere.txt"))

    assert code == 2
    assert "10 runs" in out
    assert "1 log without a benchmark" in out
    assert "the file contains no event in a known log dialect" in out
    assert "nowhere.txt" in err
    assert run(SMALL, str(noise))[0] == 0


def test_unreadable_log_is_exit_code_2(run: Run, tmp_path: Path) -> None:
    """A file with broken compression is named; its row is there all the same."""
    broken = tmp_path / "broken.txt.gz"
    broken.write_bytes(b"\x1f\x8b\x08\x00" + b"junk" * 9)
    code, out, err = run(SMALL, str(broken), "--format", "csv")

    assert code == 2
    assert "compression is broken" in err
    assert len(out.splitlines()) == 12


def test_missing_library_says_how_to_install_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the numerical libraries the command says which extra to install."""
    monkeypatch.setitem(sys.modules, "scipy", None)
    code, _, err = run(SMALL)

    assert code == 2
    assert "needs scipy" in err
    assert "[analysis]" in err


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    """The help page shows commands to copy."""
    assert main(["--help"], "mlperf analyze") == 0
    assert "mlperf analyze round/ --compare SYSTEM_A SYSTEM_B" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (float("nan"), ""),
        (0, "0"),
        (3.0, "3"),
        (1234567.0, "1,234,567"),
        (0.000367, "0.000367"),
        (12.3456, "12.35"),
        (123456.7, "123,457"),
        (0.05, "0.05000"),
        (-4.34567, "-4.346"),
        (1e-12, "0.000000"),
    ],
)
def test_numbers_for_people(value: Any, shown: str) -> None:
    """Four figures, thousands apart, whole numbers whole, nothing for what is not known."""
    assert show_number(value) == shown


def test_nothing_converged(run: Run, tmp_path: Path) -> None:
    """Where no run converged, that is what the statistics say."""
    log = tmp_path / "result_0.txt"
    log.write_text(Path(SMALL, "result_0.txt").read_text().replace('"success"', '"aborted"'))
    code, out, _ = run(str(log))

    assert code == 0
    assert "no run converged, so there is no spread to describe" in out
    assert "1 run left out of the statistics" in out


def test_logs_are_read_once(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is named in several ways is one run, and patterns are understood."""
    shutil.copy(f"{SMALL}/result_0.txt", tmp_path)
    monkeypatch.chdir(tmp_path)
    out = run("result_0.txt", "./result_0.txt", ".", "result_?.txt", "--format", "csv")[1]

    assert len(out.splitlines()) == 2


def test_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log may come from standard input; it has no place that would name a system."""
    stream = io.TextIOWrapper(io.BytesIO(Path(SMALL, "result_0.txt").read_bytes()))
    monkeypatch.setattr("sys.stdin", stream)
    document = json.loads(run("-", "--format", "json", "--table", "runs")[1])

    assert document["runs"][0]["path"] == "-"
    assert document["runs"][0]["system"] == "example_8x"


def test_texts_from_logs_cannot_fool_a_terminal(run: Run, tmp_path: Path) -> None:
    """Escape codes in a log's names are shown as text."""
    log = tmp_path / "result_0.txt"
    text = Path(SMALL, "result_0.txt").read_text().replace('"example_8x"', '"\\u001b[31mred"')
    log.write_text(text)
    out = run(str(log))[1]

    assert "\x1b" not in out
    assert "\\x1b[31mred" in out


def test_folders_are_compared_whatever_their_logs_are_called(run: Run, tmp_path: Path) -> None:
    """A log whose name is not UTF-8 is one of its folder's runs."""
    sides = [str(shutil.copytree(RESULTS / name, tmp_path / name)) for name in ("example_8x", "example_16x")]
    log = Path(sides[0]) / "llama2_70b_lora" / "result_0.txt"
    log.rename(log.with_name("result_0\udcff.txt"))

    code, out, err = run("--compare", *sides, "--format", "json", "--resamples", "99")

    assert (code, err) == (0, "")
    assert json.loads(out)["comparison"][0]["runs_a"] == 10
