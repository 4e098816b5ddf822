"""`mlperf summary`: the results tables, ours and as the public tool writes them."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from checkout import PROJECT
from commands import run_mlperf

SUBMISSION = PROJECT / "examples/submission/Example_Lab"
WHOLE = {"MiTAC": "5.1", "Verda": "5.1", "tinycorp": "4.0", "CTuning": "3.1", "Krai": "2.0", "Fujitsu": "1.0"}
"""The whole submissions of the corpus, and their rounds."""


def read_csv(text: str) -> list[dict[str, str]]:
    """The rows of a table."""
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.corpus
@pytest.mark.parametrize("submitter", WHOLE)
def test_public_table_is_the_expected_one_to_the_letter(shared: Path, submitter: str) -> None:
    """Every cell of the public summary, the last digits of the scores included."""
    folder = shared / "corpus/logs" / WHOLE[submitter] / submitter
    rules = ("--usage", "training", "--ruleset", f"{WHOLE[submitter]}.0")
    done = run_mlperf("summary", folder, *rules, "--layout", "public", "--format", "csv")
    assert done.returncode == 0, done.stderr
    expected = (shared / "corpus/expected_summaries" / f"{submitter}.csv").read_text(encoding="utf-8")
    assert done.stdout == expected


def test_a_row_has_the_score_and_what_it_took() -> None:
    """Batch size, convergence, reference test with its margin, scaling factor, energy and cost stand beside the score."""
    done = run_mlperf("summary", SUBMISSION, "--format", "json", "--price", "60 EUR/h")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.output)
    assert answer["schema"] == "mlperf-summary/1"
    rows = {(row["system"], row["benchmark"]): row for row in answer["results"]}
    row = rows["example_8x", "llama2_70b_lora"]
    minutes = row["score_minutes"]
    assert (row["runs"], row["runs_required"], row["batch_size"]) == (10, 10, 8)
    assert (row["converged"], row["converged_unit"], row["rcp"]) == (3024, "samples", "passed")
    tested = run_mlperf("rcp", SUBMISSION / "results/example_8x", "--format", "json")
    smallest = json.loads(tested.output)["reference_min"]
    assert row["rcp_margin"] == pytest.approx(3024 / smallest - 1)
    assert row["scaling_factor"] == pytest.approx(1.05115, abs=1e-5)
    assert row["energy_kj"] == pytest.approx(6876.718, abs=0.001)
    assert (row["cost_of_score"], row["currency"]) == (pytest.approx(minutes), "EUR")
    assert rows["example_16x", "flux1"]["rcp"] == "passed"


def test_detailed_layout_has_six_columns_per_benchmark() -> None:
    """The columns and the words of the public detailed table."""
    done = run_mlperf("summary", SUBMISSION, "--layout", "detailed", "--format", "csv")
    (large, small) = read_csv(done.stdout)
    assert [name.partition(":")[2] for name in small if name.startswith("flux1:")] == [
        "time_to_train",
        "Energy",
        "GBS",
        "samples_to_converge",
        "RCP",
        "rcp_scaling_factor",
    ]
    assert large["system"] < small["system"]
    assert (small["llama2_70b_lora:GBS"], small["llama2_70b_lora:RCP"]) == ("8.0", "Pass")
    assert small["flux1:GBS"] == ""


def test_a_system_without_description_keeps_its_row(tmp_path: Path) -> None:
    """Folder names and logs say what they can where the description is missing or is no JSON."""
    copy = tmp_path / "Example_Lab"
    shutil.copytree(SUBMISSION, copy)
    (copy / "systems/example_8x.json").unlink()
    (copy / "systems/example_16x.json").write_text("{")
    done = run_mlperf("summary", copy, "--layout", "public", "--format", "csv")
    assert done.returncode == 0, done.stderr
    rows = read_csv(done.stdout)
    assert [(row["system"], row["submitter"], row["division"]) for row in rows] == [
        ("example_16x", "Example_Lab", "closed"),
        ("example_8x", "Example_Lab", "closed"),
    ]
    assert {row["accelerators_count"] for row in rows} == {""}


def test_private_ids_are_the_same_each_time() -> None:
    """A private id is a hash of the row, so nothing has to be kept in the submission."""
    command = ("summary", SUBMISSION, "--layout", "public", "--format", "csv", "--private-ids")
    first, second = (read_csv(run_mlperf(*command).stdout) for _ in range(2))
    ids = [row["private_id"] for row in first]
    assert first == second
    assert len(set(ids)) == len(ids)
    assert all(len(each) == 8 for each in ids)


def test_a_folder_without_a_result_is_said(tmp_path: Path) -> None:
    """Too few runs: exit 1, and the reason in the row."""
    copy = tmp_path / "Example_Lab"
    shutil.copytree(SUBMISSION, copy)
    for number in range(2, 10):
        (copy / f"results/example_8x/llama2_70b_lora/result_{number}.txt").unlink()
    done = run_mlperf("summary", copy, "--format", "csv")
    assert done.returncode == 1
    row = next(row for row in read_csv(done.stdout) if row["system"] == "example_8x")
    assert (row["score_minutes"], row["converged"], row["converged_unit"]) == ("", "", "")
    assert "at least 3 are needed" in row["problems"]


def test_models_trained_at_once_have_a_table_of_their_own(tmp_path: Path) -> None:
    """Weak scaling stands in the throughput layout, not among the times."""
    copy = tmp_path / "Example_Lab"
    shutil.copytree(SUBMISSION, copy)
    system = copy / "results/example_8x"
    (system / "weak").mkdir()
    (system / "llama2_70b_lora").rename(system / "weak/llama2_70b_lora")
    for log in (system / "weak/llama2_70b_lora").glob("result_*.txt"):
        line = next(each for each in log.read_text().splitlines() if '"global_batch_size"' in each)
        log.write_text(
            "".join(
                line.replace("global_batch_size", key) + "\n"
                for key in ("number_of_nodes", "accelerators_per_node")
            )
            + log.read_text()
        )
    command = ("summary", copy, "--format", "csv", "--layout")
    throughput = read_csv(run_mlperf(*command, "throughput").stdout)
    assert [row["system"] for row in throughput] == ["example_8x"]
    assert throughput[0]["llama2_70b_lora:number_of_models"] == "10"
    assert throughput[0]["llama2_70b_lora:instance_scale"] == "64"
    assert float(throughput[0]["llama2_70b_lora:time_to_train_all"]) > 0
    assert [row["system"] for row in read_csv(run_mlperf(*command, "public").stdout)] == ["example_16x"]
