"""`mlperf score` on the example submission and on the folders that people make of it."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from checkout import PROJECT
from commands import run_mlperf

SUBMISSION = PROJECT / "examples" / "submission"
LAB = SUBMISSION / "Example_Lab" / "results"
SMALL = LAB / "example_8x" / "llama2_70b_lora"
LARGE = LAB / "example_16x" / "llama2_70b_lora"
UNFINISHED = LAB / "example_16x" / "flux1"


def score(*arguments: object, code: int = 0, form: str = "json") -> Any:
    """Run the command; give its document, or its text, once the exit code is the expected one."""
    done = run_mlperf("score", "--format", form, *arguments)

    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    if form == "json" and code != 2:
        return json.loads(done.stdout)
    return done.stdout if form not in ("parquet", "xlsx") else done.output


def refuse(*arguments: object) -> str:
    """Run the command on a mistake; give its one sentence."""
    done = run_mlperf("score", *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of one result folder that a test may change."""
    folder = tmp_path / "results" / "box" / "llama2_70b_lora"
    shutil.copytree(SMALL, folder)
    return folder


def test_document_of_one_folder() -> None:
    """The document holds the score, what it is made of, and every run; for one folder also at the top."""
    document = score(SMALL)
    (folder,) = document["folders"]

    assert document["schema"] == "mlperf-score/1"
    assert {key: document[key] for key in folder} == folder
    assert (document["benchmark"], document["runs"], document["non_compliant"]) == ("llama2_70b_lora", 10, 0)
    assert (document["submitter"], document["system"]) == ("Example_Lab", "example_8x")
    minutes = sorted(document["run_minutes"])
    assert document["unscaled_minutes"] == pytest.approx(sum(minutes[1:-1]) / 8)
    assert document["scaling_factor"] == 1.0511463844797177
    assert document["score_minutes"] == document["unscaled_minutes"] * document["scaling_factor"]
    assert document["energy_kj"] > 6_000
    assert [each["kept"] for each in document["results"]].count(True) == 8
    assert document["results"][0]["converged_samples"] == 3072


def test_run_that_does_not_count() -> None:
    """An aborted run counts as the slowest, and the text says why it does not count."""
    document = score(LARGE)
    text = score(LARGE, form="text")

    assert document["non_compliant"] == 1
    assert document["results"][4]["status"] == "aborted"
    assert "1 run: status aborted; breaks MLP403 eval_accuracy" in text
    assert "does not count" in text


def test_tree_has_a_line_for_each_folder() -> None:
    """A whole round, a submitter and a system are scored folder by folder."""
    document = score(SUBMISSION)
    text = score(SUBMISSION, form="text")

    assert [(each["system"], each["benchmark"]) for each in document["folders"]] == [
        ("example_8x", "llama2_70b_lora"),
        ("example_16x", "flux1"),
        ("example_16x", "llama2_70b_lora"),
    ]
    assert "benchmark" not in document
    assert "[2] 6 of the 10 runs that a result needs" in text


def test_jobs_change_nothing() -> None:
    """Read in several processes, the document is the same."""
    assert score(SUBMISSION, "--jobs", 2) == score(SUBMISSION)


def test_folder_without_a_result_is_exit_1(copy: Path) -> None:
    """Too many runs that do not count are a violation, not a failure of the tool."""
    for number in range(3):
        path = copy / f"result_{number}.txt"
        path.write_text(path.read_text().replace('"success"', '"aborted"'))
    document = score(copy, code=1)

    assert document["score_minutes"] is None
    assert document["problems"] == ["3 runs do not count; 1 may"]


def test_automatic_round_that_is_too_new_is_said(copy: Path) -> None:
    """Where nothing counts because the newest round requires more, the note names one under which the runs are compliant."""
    for path in copy.glob("result_*.txt"):
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if "lowest_numerical_precision" not in line))
    document = score(copy, code=1)

    said = "the runs that break its rules are compliant under 6.0.0: name your round with --ruleset"
    assert document["notes"][-1].endswith(said)
    assert score(copy, "--ruleset", "5.1.0")["score_minutes"] > 0
    assert score(copy, "--unjudged")["score_minutes"] > 0


def test_mixed_benchmarks_are_said(copy: Path) -> None:
    """A run of another benchmark in the folder is a reason for no score."""
    shutil.copy(UNFINISHED / "result_0.txt", copy / "result_99.txt")
    document = score(copy, code=1)

    assert document["problems"][0].startswith("the folder mixes benchmarks: flux1 (1), llama2_70b_lora (10)")


def test_one_run_only_is_said(copy: Path) -> None:
    """One run has no olympic mean."""
    for path in list(copy.glob("result_*.txt"))[1:]:
        path.unlink()

    assert "one run gives no mean" in score(copy, code=1)["problems"][0]


def test_more_runs_than_required(copy: Path) -> None:
    """With more runs the median window counts, and the document says which."""
    for number in (10, 11):
        shutil.copy(copy / f"result_{number - 10}.txt", copy / f"result_{number}.txt")
    document = score(copy)

    assert (document["method"], document["runs"]) == ("median-window", 12)
    first, last = document["window"]
    assert last - first == 9


def test_unreadable_log_is_exit_2(copy: Path) -> None:
    """A log whose compression is broken is named; the folder is scored all the same."""
    (copy / "result_0.txt").rename(copy / "result_0.txt.gz")
    (copy / "result_0.txt.gz").write_bytes(b"\x1f\x8b\x08\x00" + bytes(20))
    done = run_mlperf("score", "--format", "json", copy)

    assert done.returncode == 2
    assert "result_0.txt.gz" in done.stderr
    assert json.loads(done.stdout)["non_compliant"] == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "name at least one folder"),
        (("nowhere",), "there is no folder 'nowhere'"),
        ((SMALL / "result_0.txt",), "is a file; name the folder that holds the result logs"),
        ((PROJECT / "docs" / "decisions",), "there are no logs below"),
        ((SMALL, "--ruleset", "6"), "unknown ruleset '6'; did you mean '6.0.0'?"),
        ((SMALL, "--benchmark", "llama2_70b"), "unknown benchmark 'llama2_70b'"),
        ((SMALL, "--price", "cheap"), "'cheap' is not a valid price"),
        ((SMALL, "--suite", "nothing"), "unknown suite 'nothing'; known: mini, original-2018-07"),
        ((SMALL, "--weights", "a=1"), "--weights applies to a suite's benchmarks"),
        ((SMALL, "--suite", "original-2018-07", "--weights", "resnet"), "'resnet' is not a valid weight"),
        ((SMALL, "--speedup"), "a comparison needs scores of at least two"),
        ((SUBMISSION, "--speedup", "nothing"), "unknown baseline 'nothing'"),
        ((SMALL, "--prices", "none.yaml"), "cannot read the price file 'none.yaml'"),
        ((SMALL, "--format", "excel"), "invalid choice: 'excel'"),
        ((SMALL, "--formt", "json"), "unknown option --formt; did you mean --format?"),
    ],
)
def test_mistakes_are_one_sentence(arguments: tuple[object, ...], says: str) -> None:
    """Each mistake is one sentence on the error stream and exit code 2."""
    assert says in refuse(*arguments)


def test_prices_and_energy_are_costs() -> None:
    """The price of the hour and of energy give the costs of the result."""
    document = score(SMALL, "--price", "60 EUR/h", "--energy-price", "0.36/kWh")

    assert document["cost"]["currency"] == "EUR"
    assert document["cost"]["score"] == pytest.approx(document["score_minutes"])
    assert document["cost"]["median_run"] == pytest.approx(document["median_minutes"])
    assert document["cost"]["all_runs"] == pytest.approx(sum(document["run_minutes"]))
    assert document["cost"]["energy"] == pytest.approx(document["energy_kj"] / 10_000)
    assert "EUR of a run as long as the score" in score(SMALL, "--price", "60 EUR/h", form="text")


def test_price_file_prices_each_system(tmp_path: Path) -> None:
    """Systems have prices of their own; one without a price has no cost."""
    path = tmp_path / "prices.yaml"
    path.write_text("example_8x: 60/h\n")
    folders = score(SUBMISSION, "--prices", path)["folders"]

    assert [each["cost"] is not None for each in folders] == [True, False, False]


def test_suite_normalizes_and_weighs(tmp_path: Path) -> None:
    """A suite of your own: normalized results, and the score where all of its benchmarks are there."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        "benchmarks:\n  llama2_70b_lora: {reference_seconds: 1200}\n  flux1: {reference_seconds: 7200}\n"
    )
    document = score(SUBMISSION, "--suite", path)
    by_system = {each["system"]: each for each in document["suite"]}
    large, small = by_system["Example_Lab/example_16x"], by_system["Example_Lab/example_8x"]

    assert large["score"] == pytest.approx(
        (large["normalized"]["llama2_70b_lora"] * large["normalized"]["flux1"]) ** 0.5
    )
    assert (small["score"], small["missing"]) == (None, ["flux1"])
    assert document["folders"][1]["normalized"] == pytest.approx(
        120 / document["folders"][1]["score_minutes"]
    )
    weighed = score(SUBMISSION, "--suite", path, "--weights", "llama2_70b_lora=1")
    assert weighed["suite"][0]["score"] == pytest.approx(small["normalized"]["llama2_70b_lora"])
    assert "no result for flux1" in score(SUBMISSION, "--suite", path, form="text")


def test_suite_has_the_energy_and_cost_of_its_results(tmp_path: Path) -> None:
    """A system's sums over the suite: minutes, energy where all of it was measured, and each part of the cost."""
    path = tmp_path / "mine.yaml"
    path.write_text("benchmarks:\n  llama2_70b_lora: {reference_seconds: 1200}\n")
    options = ["--suite", path, "--price", "60 USD/h", "--energy-price", "0.36/kWh"]
    document = score(SUBMISSION, *options)
    by_system = {each["system"]: each for each in document["suite"]}
    (folder,) = [each for each in document["folders"] if each["system"] == "example_8x"]
    small, large = by_system["Example_Lab/example_8x"], by_system["Example_Lab/example_16x"]

    assert (small["division"], small["minutes"]) == ("closed", folder["score_minutes"])
    assert (small["energy_kj"], small["cost"]) == (folder["energy_kj"], folder["cost"])
    assert (large["energy_kj"], large["cost"]["energy"]) == (None, None)
    path.write_text(path.read_text() + "  flux1: {reference_seconds: 1200}\n")
    by_system = {each["system"]: each for each in score(SUBMISSION, *options)["suite"]}
    both = [each for each in score(SUBMISSION, *options)["folders"] if each["system"] == "example_16x"]
    assert by_system["Example_Lab/example_8x"]["cost"] is None
    assert by_system["Example_Lab/example_16x"]["cost"]["score"] == pytest.approx(
        sum(each["score_minutes"] for each in both)
    )


def test_suite_without_all_references_says_so(tmp_path: Path) -> None:
    """A reference result that is still to be measured is named, and there is no mean."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        "benchmarks:\n  llama2_70b_lora: {reference_seconds: 1200}\n  flux1: {reference_seconds: null}\n"
    )
    large = score(SUBMISSION, "--suite", path)["suite"][1]

    assert (large["score"], large["missing"], large["unreferenced"]) == (None, [], ["flux1"])
    assert set(large["normalized"]) == {"llama2_70b_lora"}
    assert "the suite has no reference result for flux1 yet" in score(
        SUBMISSION, "--suite", path, form="text"
    )


def test_small_amounts_of_money_are_shown() -> None:
    """What costs less than a tenth is not shown as nothing."""
    text = score(SMALL, "--price", "0.01/h", form="text")

    assert "0.0023 of a run as long as the score" in text


def test_speedups_between_systems_and_paths() -> None:
    """Systems, and the best results below paths, are compared benchmark by benchmark."""
    document = score(SUBMISSION, "--speedup", "example_8x")
    table = document["speedup"]
    small, _, large = (each["score_minutes"] for each in document["folders"])

    assert table["baseline"] == "Example_Lab/example_8x"
    assert table["speedups"]["llama2_70b_lora"]["Example_Lab/example_16x"] == pytest.approx(small / large)
    by_path = score("--speedup", "--by", "path", LAB / "example_16x", LAB / "example_8x")["speedup"]
    assert by_path["columns"] == [str(LAB / "example_16x"), str(LAB / "example_8x")]
    text = score(SUBMISSION, "--speedup", form="text")
    assert f"{small / large:.3f}×" in text


@pytest.mark.parametrize("runs", [False, True])
def test_tables_as_files(runs: bool, tmp_path: Path) -> None:
    """CSV, Markdown, Parquet and Excel hold the same rows, of folders or of runs."""
    openpyxl = pytest.importorskip("openpyxl")
    parquet = pytest.importorskip("pyarrow.parquet")
    options = ["--runs"] if runs else []
    rows = list(csv.DictReader(io.StringIO(score(SUBMISSION, *options, form="csv"))))
    (tmp_path / "table.parquet").write_bytes(score(SUBMISSION, *options, form="parquet"))
    (tmp_path / "table.xlsx").write_bytes(score(SUBMISSION, *options, form="xlsx"))
    table = parquet.read_table(tmp_path / "table.parquet")
    sheet = openpyxl.load_workbook(tmp_path / "table.xlsx").active
    column = "minutes" if runs else "score_minutes"

    assert len(rows) == (26 if runs else 3)
    assert table.num_rows == len(rows) == sheet.max_row - 1
    assert table.column_names == list(rows[0]) == [cell.value for cell in sheet[1]]
    expected = [float(row[column]) for row in rows]
    assert table[column].to_pylist() == pytest.approx(expected)
    assert [
        sheet.cell(index + 2, table.column_names.index(column) + 1).value for index in range(len(rows))
    ] == (pytest.approx(expected))
    markdown = score(SUBMISSION, *options, form="markdown")
    assert markdown.count("\n") == len(rows) + 2
    assert "| currency |" not in markdown


def test_output_goes_to_a_file(tmp_path: Path) -> None:
    """The result is written where it is wanted, whole."""
    assert score(SMALL, "--output", tmp_path / "score.csv", form="csv") == ""
    assert (tmp_path / "score.csv").read_text().startswith("path,submitter,system,benchmark")


def test_text_and_json_load_nothing_heavy(built: Path, tmp_path: Path) -> None:
    """A score starts cold: with compiled rules, no numerical library, parser or YAML is loaded."""
    heavy = {
        "numpy",
        "pandas",
        "scipy",
        "matplotlib",
        "pyarrow",
        "openpyxl",
        "lark",
        "yaml",
        "rich",
        "multiprocessing",
    }
    code = (
        "import sys; from mlperf_logging.cli.main import main; "
        f"main(['score', {str(SMALL)!r}, '--format', sys.argv[1], '--output', sys.argv[2]]); "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    for form in ("text", "json"):
        done = subprocess.run(
            [sys.executable, "-c", code, form, str(tmp_path / "out")],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(built)},
            capture_output=True,
            text=True,
            check=True,
        )

    assert "mlperf_logging" in done.stdout.split()
    assert heavy & set(done.stdout.split()) == set()


def test_help_shows_examples() -> None:
    """The help page shows commands to copy."""
    done = run_mlperf("score", "--help")

    assert "mlperf score results/SYSTEM --price 98.32/h" in done.stdout
    assert "exit codes: 0 every folder has a result" in done.stdout
