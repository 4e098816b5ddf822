"""The examples that log: they run, and their logs pass the check."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from mlperf_logging import check_log


def assert_compliant(log: Path) -> None:
    """A log passes, also at the strict level, and says that the run was a success."""
    for strict in (False, True):
        verdict = check_log(log, strict=strict)
        assert (verdict.verdict, verdict.findings, verdict.run.status) == ("pass", (), "success")


def test_numpy_example_logs_compliantly(project: Path, tmp_path: Path) -> None:
    """The example without a framework runs as a script of its own, and its log is compliant."""
    pytest.importorskip("numpy", reason="numpy is not installed", exc_type=ImportError)
    command = [sys.executable, project / "examples/06_numpy_loop.py", tmp_path / "log.txt"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert_compliant(tmp_path / "log.txt")


@pytest.mark.usefixtures("shared_logger")
@pytest.mark.parametrize(
    ("name", "needs"), [("07_keras_model.py", "keras"), ("08_tensorflow_loop.py", "tensorflow")]
)
def test_framework_examples_log_compliantly(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, needs: str
) -> None:
    """The examples in a framework, which this process has loaded already, log compliantly."""
    pytest.importorskip(needs, reason=f"{needs} is not installed", exc_type=ImportError)
    monkeypatch.setattr(sys, "argv", [name, str(tmp_path / "log.txt")])
    runpy.run_path(str(project / "examples" / name), run_name="__main__")
    assert_compliant(tmp_path / "log.txt")
