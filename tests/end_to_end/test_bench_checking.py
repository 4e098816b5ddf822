"""The benchmark of judging runs without a corpus and without the public package, and counts what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from checkout import PROJECT

BENCH = PROJECT / "benchmarks" / "bench_checking.py"


def test_benchmark_measures_copies_of_the_examples(tmp_path: Path) -> None:
    """Without a corpus, copies of the example logs are judged, and the report says so."""
    figures = tmp_path / "figures.json"
    environment = os.environ | {"MLPERF_SHARED": str(tmp_path / "absent")}
    environment.pop("MLPERF_PEER_PYTHON", None)
    sizes = ["--files", "5", "--many", "6", "--rounds", "1", "--starts", "1"]
    answer = subprocess.run(
        [sys.executable, BENCH, *sizes, "--json", figures],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    assert "copies of the example logs" in answer.stdout
    assert "the public package is not measured" in answer.stdout
    measurements = json.loads(figures.read_text())["measurements"]
    assert measurements[0]["title"].startswith("folder: 5 logs")
    assert all(seconds > 0 for part in measurements for seconds in part["seconds"].values())
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
