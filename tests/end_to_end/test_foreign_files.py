"""The package after the public one was installed over it, below it, or has been removed with our files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from checkout import PROJECT

LOG = PROJECT / "examples" / "logs" / "compliant" / "6.1.0_llama31_8b.txt"


def install_over(package: Path) -> None:
    """The public package's files last: its own ``__init__.py`` is empty."""
    (package / "__init__.py").write_text("")
    install_below(package)


def install_below(package: Path) -> None:
    """Ours last: the folders that only the public package has remain."""
    (package / "compliance_checker" / "mlp_parser").mkdir()


def uninstall(package: Path) -> None:
    """The public package removed: what both have is gone."""
    (package / "__init__.py").unlink()


@pytest.mark.parametrize("change", [install_over, install_below, uninstall])
@pytest.mark.parametrize("command", ["mlperf_logging", "mlperf_logging.cli.check", "mlperf_logging.cli.main"])
def test_commands_refuse_a_mixed_package(
    command: str, change: Callable[[Path], None], built: Path, tmp_path: Path
) -> None:
    """One sentence names the folder and both distributions, and the exit code is 2, whatever was installed first."""
    package = Path(shutil.copytree(built / "mlperf_logging", tmp_path / "mlperf_logging"))
    change(package)
    arguments = [LOG] if command.endswith("check") else ["score", LOG.parent]
    answer = subprocess.run(
        [sys.executable, "-m", command, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (answer.returncode, answer.stdout) == (2, "")
    (sentence,) = answer.stderr.splitlines()
    assert f"not all files of {package} are those that mlperf-log-toolkit installed" in sentence
    assert "pip uninstall mlperf-logging and mlperf-log-toolkit" in sentence


@pytest.mark.parametrize(
    "command", ["compliance_checker", "package_checker", "result_summarizer.compute_score"]
)
def test_public_commands_refuse_a_package_with_leftovers(command: str, built: Path, tmp_path: Path) -> None:
    """Where ours were installed last, the commands named as the public ones end with the sentence and 2, not with 1."""
    package = Path(shutil.copytree(built / "mlperf_logging", tmp_path / "mlperf_logging"))
    install_below(package)
    arguments = {
        "compliance_checker": [LOG],
        "package_checker": [LOG.parent, "training", "6.1.0"],
        "result_summarizer.compute_score": [
            *("--usage", "training", "--ruleset", "6.1.0", "--system", "x"),
            *("--benchmark", "llama31_8b", "--benchmark_folder", LOG.parent),
        ],
    }[command]
    program = f"mlperf_logging.{command}"
    answer = subprocess.run(
        [sys.executable, "-m", program, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 2
    assert f"{program}: not all files of {package} are those" in answer.stderr
