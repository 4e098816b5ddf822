"""`mlperf package` on the layouts of HPC and of the oldest round, and on whole rounds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from checkout import PROJECT
from commands import run_mlperf

LOGS = PROJECT / "examples" / "logs" / "compliant"


def lay_out(log: str, *places: Path) -> None:
    """Copy an example log to places."""
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(LOGS / log, place)


def check(folder: Path, *options: object) -> tuple[list[dict[str, Any]], set[str]]:
    """The rows of the results, and the rules that are broken."""
    document = json.loads(run_mlperf("package", "--format", "json", *options, folder).stdout)
    rules = {finding["rule"] for file in document["files"] for finding in file["findings"]}
    return document["results"], rules


def test_high_performance_computing(tmp_path: Path) -> None:
    """Strong and weak scaling are results of their own; a benchmark below neither is an error."""
    results = tmp_path / "Org" / "results" / "box"
    lay_out(
        "hpc_3.0.0_deepcam.txt", *[results / kind / "deepcam" / "result_0.txt" for kind in ("strong", "weak")]
    )

    rows, rules = check(tmp_path, "--partial", "--ignore", "MLP7,MLP641")

    assert [(row["scaling"], row["verdict"], row["runs_required"]) for row in rows] == [
        ("strong", "in progress", 5),
        ("weak", "in progress", 5),
    ]
    assert "scaling-folder" not in rules
    lay_out("hpc_3.0.0_deepcam.txt", results / "deepcam" / "result_0.txt")
    rows, rules = check(tmp_path, "--partial", "--ignore", "MLP7,MLP641")
    assert "scaling-folder" in rules
    assert [row["scaling"] for row in rows if row["verdict"] == "not acceptable"] == [None]


def test_oldest_round(tmp_path: Path) -> None:
    """The oldest round's entries are submissions, with the system's description beside its benchmarks."""
    entry = tmp_path / "v0.5.0" / "Org" / "entry" / "results" / "box"
    lay_out("0.5.0_resnet.txt", *[entry / "resnet" / f"result_{number}.txt" for number in range(5)])

    rows, rules = check(tmp_path)
    (row,) = rows
    assert (row["submitter"], row["system"], row["ruleset"], row["runs"]) == (
        "Org",
        "box",
        "training/0.5.0",
        5,
    )
    assert rules == {"description-missing"}
    (entry / "entry.json").write_text("{}")
    assert not check(tmp_path)[1]


def test_jobs_change_nothing(shared: Path) -> None:
    """Several processes give the same document as one, on a real submission."""
    folder = shared / "corpus" / "logs" / "5.1" / "MiTAC"

    texts = [run_mlperf("package", "--format", "json", "--jobs", jobs, folder).stdout for jobs in (1, 2)]

    assert texts[0] == texts[1]


@pytest.mark.parametrize("name", ["0.5", "hpc-3.0"])
def test_real_layouts(name: str, shared: Path) -> None:
    """The corpus' excerpts of rounds in other layouts are found whole, with what they lack."""
    folder = shared / "corpus" / "logs" / name

    rows, rules = check(folder)

    results = {path.parent for path in folder.rglob("result_*.txt") if "pruned_results" not in path.parts}
    assert {row["path"] for row in rows} >= set(map(str, results))
    assert "runs-missing" in rules
    assert "scaling-folder" not in rules
