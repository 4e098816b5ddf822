"""The second half of the demonstration: trains on real data, minutes in all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import PROJECT

pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
pytest.importorskip("matplotlib", reason="pictures need matplotlib (extra 'analysis')")

from mlperf_logging import check_log
from reference_impls.harness import DataError
from reference_impls.recommendation.download import prepare_ratings


@pytest.mark.slow
def test_demo_trains_checks_scores_and_draws(tmp_path: Path) -> None:
    """Five runs reach the target, are scored, pass the test of convergence, and their pictures are where it says."""
    try:
        prepare_ratings("mini", PROJECT / "data" / "recommendation" / "mini")
    except DataError as error:
        pytest.skip(f"no package index: {error}")
    done = subprocess.run(
        [sys.executable, PROJECT / "examples" / "demo_training.py", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    logs = sorted(tmp_path.glob("reference/results/*/ncf/result_*.txt"))
    assert [check_log(log).verdict for log in logs] == ["pass"] * 5
    assert "PASSED" in done.stdout
    for picture in ("convergence", "rcp"):
        path = tmp_path / f"{picture}.png"
        assert str(path) in done.stdout.splitlines()[-1 if picture == "rcp" else -2]
        assert path.read_bytes().startswith(b"\x89PNG")
    systems = list(tmp_path.glob("reference/systems/*.json"))
    assert json.loads(systems[0].read_text("utf-8"))["submitter"] == "reference"
