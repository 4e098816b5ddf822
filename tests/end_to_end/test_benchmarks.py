"""The benchmarks run without a corpus and without the public package, and count what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from checkout import PROJECT

BENCHMARKS = PROJECT / "benchmarks"


def measure(name: str, folder: Path, *options: str) -> tuple[str, list[dict[str, Any]]]:
    """Run a benchmark where there is neither a corpus nor the public package; its report and its measurements."""
    figures = folder / "figures.json"
    environment = os.environ | {"MLPERF_SHARED": str(folder / "absent")}
    environment.pop("MLPERF_PEER_PYTHON", None)
    command = [sys.executable, BENCHMARKS / name, "--rounds", "1", "--starts", "1", "--json", figures]
    answer = subprocess.run(
        [*command, *options], env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert "the public package is not measured" in answer.stdout
    measurements = json.loads(figures.read_text())["measurements"]
    assert all(seconds > 0 for part in measurements for seconds in part["seconds"].values())
    return answer.stdout, measurements


def test_checking_is_measured_on_copies_of_the_examples(tmp_path: Path) -> None:
    """Without a corpus, copies of the example logs are judged, and the report says so."""
    report, measurements = measure("bench_checking.py", tmp_path, "--files", "5", "--many", "6")

    assert "copies of the example logs" in report
    assert measurements[0]["title"].startswith("folder: 5 logs")
    assert "ours / pass" in measurements[1]["ratios"]


def test_unknown_benchmark_is_refused() -> None:
    """Asking for a benchmark that is not there names those that are."""
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks", "spinning"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 2
    assert "checking" in answer.stderr


def test_scoring_is_measured_on_copies_of_the_example(tmp_path: Path) -> None:
    """Without a corpus, copies of the example submission are scored, and the report says so."""
    report, measurements = measure("bench_scoring.py", tmp_path)

    assert "copies of the example submission" in report
    assert len(measurements) == 2
    assert measurements[0]["title"].startswith("corpus: 3 submitters; 78 logs")


def test_packages_are_measured_on_copies_of_the_example(tmp_path: Path) -> None:
    """Without a round, copies of the example submission are checked; what lacks a description gets one in the copy."""
    figures = tmp_path / "figures.json"
    command = [sys.executable, "benchmarks/bench_packages.py", "--turns", "1", "--json", str(figures)]
    subprocess.run(command, cwd=PROJECT, capture_output=True, check=True)

    measured = json.loads(figures.read_text())
    assert (measured.pop("submitters"), measured.pop("logs")) == (4, 104)
    assert len(measured) == 4 and all(seconds > 0 for seconds in measured.values())


def test_real_results_are_scored_in_a_copy(tmp_path: Path) -> None:
    """The public package writes into what it scores, so nothing of a corpus but its logs is shared with it."""
    results = tmp_path / "corpus" / "6.1" / "Example_Lab"
    results.parent.mkdir(parents=True)
    source = PROJECT / "examples" / "submission" / "Example_Lab"
    subprocess.run(["cp", "-r", str(source), str(results)], check=True)
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import bench_scoring;"
        "found, kind = bench_scoring.list_submitters(Path(sys.argv[2]), Path(sys.argv[3]));"
        "folder = Path(found[0].folder) / 'results/example_8x/llama2_70b_lora';"
        "print(kind, (folder / 'scaling.json').is_symlink(), (folder / 'result_0.txt').is_symlink(), found[0].ruleset)"
    )
    (tmp_path / "work").mkdir()
    answer = subprocess.run(
        [sys.executable, "-c", code, str(BENCHMARKS), str(tmp_path / "corpus"), str(tmp_path / "work")],
        capture_output=True,
        text=True,
        check=True,
    )

    assert answer.stdout.split() == ["real", "results", "False", "True", "6.1.0"]


def test_pages_are_measured_on_copies_of_the_example(tmp_path: Path) -> None:
    """Without a corpus, a page of copies of the example submission is made and, where there is a browser, opened."""
    figures, page = tmp_path / "figures.json", tmp_path / "page.md"
    page.write_text("before\n<!-- figures -->\nold\n<!-- end -->\nafter\n")
    command = [sys.executable, "benchmarks/bench_report.py", "--copies", "1"]
    subprocess.run(
        [*command, "--json", figures, "--page", page], cwd=PROJECT, capture_output=True, check=True
    )

    measured = json.loads(figures.read_text())["example submission"]
    assert measured.pop("runs") == 26
    assert len(measured) in (4, 9) and all(figure > 0 for figure in measured.values())
    assert "| example submission |   26 |" in page.read_text()
    assert "old" not in page.read_text()


def test_forecasts_are_counted(tmp_path: Path) -> None:
    """Each run of a corpus is forecast at a quarter, a half and three quarters, and one is replayed to the command."""
    folder = tmp_path / "corpus" / "6.1" / "Lab" / "results" / "box" / "llama31_8b"
    folder.mkdir(parents=True)
    log = (PROJECT / "examples" / "logs" / "compliant" / "6.1.0_llama31_8b.txt").read_bytes()
    for number in range(2):
        (folder / f"result_{number}.txt").write_bytes(log)
    figures = tmp_path / "figures.json"
    command = [sys.executable, BENCHMARKS / "bench_forecast.py", "--corpus", tmp_path / "corpus"]
    answer = subprocess.run(
        [*command, "--part", "all", "--replays", "1", "--json", figures],
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(figures.read_text())

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("2 runs, 1 benchmarks")
    assert [(row["share"], row["runs"]) for row in told["overall"]["alone"]] == [
        (0.25, 2),
        (0.5, 2),
        (0.75, 2),
    ]
    assert all(0 <= row["amount held"] <= 1 for row in told["benchmarks"])
    assert len(told["replayed"]) == 1


@pytest.mark.slow
def test_stores_are_measured_on_the_example(tmp_path: Path) -> None:
    """Copies of the example submission are ingested, twice, by two at once, and killed; the figures are those of each."""
    figures = tmp_path / "figures.json"
    command = [sys.executable, BENCHMARKS / "bench_store.py", "--corpus", PROJECT / "examples" / "submission"]
    options = ["--copies", "1", "2", "--jobs", "1", "--kills", "2", "--json", figures]
    answer = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    one, two = json.loads(figures.read_text())["measurements"]
    assert two["logs"] == two["added"] == 2 * one["logs"] > 0
    assert "the same tables as of one" in answer.stdout
