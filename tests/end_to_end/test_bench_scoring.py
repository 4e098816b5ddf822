"""The benchmark of scoring runs without a corpus and without the public package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from checkout import PROJECT

BENCH = PROJECT / "benchmarks" / "bench_scoring.py"


def test_benchmark_scores_copies_of_the_example(tmp_path: Path) -> None:
    """Without a corpus, copies of the example submission are scored, and the report says so."""
    figures = tmp_path / "figures.json"
    environment = os.environ | {"MLPERF_SHARED": str(tmp_path / "absent")}
    environment.pop("MLPERF_PEER_PYTHON", None)
    answer = subprocess.run(
        [sys.executable, BENCH, "--rounds", "1", "--starts", "1", "--json", figures],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    assert "copies of the example submission" in answer.stdout
    assert "the public package is not measured" in answer.stdout
    corpus, cold = json.loads(figures.read_text())["measurements"]
    assert corpus["title"].startswith("corpus: 3 submitters; 78 logs")
    assert all(seconds > 0 for part in (corpus, cold) for seconds in part["seconds"].values())


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
        [sys.executable, "-c", code, str(BENCH.parent), str(tmp_path / "corpus"), str(tmp_path / "work")],
        capture_output=True,
        text=True,
        check=True,
    )

    assert answer.stdout.split() == ["real", "results", "False", "True", "6.1.0"]
