"""The page on logging shows what the commands print, and its Python runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import PROJECT

PAGE = PROJECT / "docs" / "mllog.md"
PYTHON = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def test_shown_output_is_real(project: Path) -> None:
    """Each command on the page prints what the page shows."""
    done = subprocess.run(
        [sys.executable, str(project / "docs" / "run_console_blocks.py"), str(PAGE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_python_on_the_page_runs(number: int) -> None:
    """Each Python block runs by itself, assertions included."""
    exec(compile(PYTHON[number], str(PAGE), "exec"), {})  # noqa: S102 - the page is this project's own


def test_the_table_of_variables_is_whole() -> None:
    """Every environment variable that the package reads is on the page."""
    package = PAGE.parents[1] / "mlperf_logging" / "mllog"
    used = {
        name for path in package.rglob("*.py") for name in re.findall(r'"(MLLOG_[A-Z_]+)"', path.read_text())
    }
    assert used
    assert used <= set(re.findall(r"`(MLLOG_[A-Z_]+)`", PAGE.read_text("utf-8")))
