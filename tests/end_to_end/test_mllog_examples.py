"""The examples that log: they run, and their logs pass the check."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlperf_logging import check_log


def run_example(project: Path, name: str, log: Path) -> None:
    """Run an example that logs to the given file."""
    done = subprocess.run(
        [sys.executable, str(project / "examples" / name), str(log)],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "needs"),
    [("06_numpy_loop.py", "numpy"), ("07_keras_model.py", "keras"), ("08_tensorflow_loop.py", "tensorflow")],
)
def test_an_examples_log_is_compliant(project: Path, tmp_path: Path, name: str, needs: str) -> None:
    """A log that an example writes passes, also at the strict level, and says that the run was a success."""
    pytest.importorskip(needs, reason=f"{needs} is not installed", exc_type=ImportError)
    run_example(project, name, tmp_path / "log.txt")
    for strict in (False, True):
        verdict = check_log(tmp_path / "log.txt", strict=strict)
        assert (verdict.verdict, verdict.findings, verdict.run.status) == ("pass", (), "success")
