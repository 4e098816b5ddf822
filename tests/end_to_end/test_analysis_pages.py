"""What is shipped about analysis: the page's columns, the pictures, the example."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import PROJECT

from mlperf_logging.analysis.columns import EVALUATION_COLUMNS, RUN_COLUMNS, SERIES_COLUMNS
from mlperf_logging.analysis.comparison import COMPARISON_COLUMNS
from mlperf_logging.analysis.hyperparameters import HYPERPARAMETER_COLUMNS
from mlperf_logging.analysis.power_table import POWER_COLUMNS
from mlperf_logging.analysis.scaling import SCALING_COLUMNS
from mlperf_logging.analysis.seeds import SEED_COLUMNS
from mlperf_logging.analysis.variance import VARIANCE_COLUMNS

PAGE = PROJECT / "docs" / "analysis.md"
PICTURES = PROJECT / "docs" / "pictures"
TABLES = {
    "Runs": RUN_COLUMNS,
    "Evaluations": EVALUATION_COLUMNS,
    "Series": SERIES_COLUMNS,
    "Variance": VARIANCE_COLUMNS,
    "Comparison": COMPARISON_COLUMNS,
    "Seeds": SEED_COLUMNS,
    "Scaling": SCALING_COLUMNS,
    "Hyperparameters": HYPERPARAMETER_COLUMNS,
    "Power": POWER_COLUMNS,
}


@pytest.mark.parametrize("name", TABLES)
def test_page_describes_every_column(name: str) -> None:
    """The page lists each column of each table in its order, with its meaning as the code has it."""
    section = PAGE.read_text("utf-8").partition(f"### {name}\n")[2].partition("\n### ")[0]
    listed = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE))
    wanted = {column: getattr(each, "meaning", each) for column, each in TABLES[name].items()}

    assert list(listed.items()) == list(wanted.items())


def test_pictures_are_small_and_explained() -> None:
    """Seven pictures, each below 150 kB, each on the page with a sentence below it that begins with what it shows."""
    text = PAGE.read_text("utf-8")
    shown = re.findall(r"^!\[[^\]]+\]\(pictures/(\S+)\)\n\n\*\*[^*]+\.\*\*", text, re.MULTILINE)

    assert len(shown) == len(re.findall(r"^!\[", text, re.MULTILINE)) == 7
    assert {name for name in shown if (PICTURES / name).stat().st_size > 150_000} == set()


def test_example_runs(tmp_path: Path) -> None:
    """The notebook-style example runs from any folder, prints its figures and draws its picture."""
    (script,) = (PROJECT / "examples").glob("*_analyze_runs.py")
    answer = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 0, answer.stderr
    assert "26 runs, 130 evaluations" in answer.stdout
    assert "speedup 1.66 (1.49 to 1.84)" in answer.stdout
    assert (tmp_path / "curves.png").stat().st_size > 10_000
