"""What the pages show is what the commands print, and what they link to is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
RUN_BLOCKS = PROJECT / "docs" / "run_console_blocks.py"
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/index.md",
    "docs/analysis.md",
    "docs/checking.md",
    "docs/python_api.md",
    "docs/scoring.md",
]
SHOWING = ["README.md", "docs/analysis.md", "docs/checking.md", "docs/scoring.md"]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
PYTHON_BLOCK = re.compile(r"(?<=^```python\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)


def list_python_blocks() -> list[tuple[str, int, str]]:
    """Page, number and text of every Python block."""
    return [
        (page, number, block)
        for page in PAGES
        for number, block in enumerate(PYTHON_BLOCK.findall((PROJECT / page).read_text("utf-8")))
    ]


@pytest.mark.parametrize("page", SHOWING)
def test_page_shows_real_output(page: str) -> None:
    """Each command of a page prints what the page shows."""
    answer = subprocess.run(
        [sys.executable, RUN_BLOCKS, page], cwd=PROJECT, capture_output=True, text=True, check=False
    )

    assert (answer.returncode, answer.stdout) == (0, ""), answer.stderr


@pytest.mark.parametrize("page", SHOWING)
def test_page_shows_commands(page: str) -> None:
    """A page that shows output has commands to run, so that the comparison compares something."""
    assert (PROJECT / page).read_text("utf-8").count("\n$ mlperf") >= 3


@pytest.mark.parametrize(
    ("page", "number", "block"),
    list_python_blocks(),
    ids=[f"{page}-{number}" for page, number, _ in list_python_blocks()],
)
def test_python_block_runs(page: str, number: int, block: str) -> None:
    """The Python code of a page runs from the root of the checkout."""
    answer = subprocess.run(
        [sys.executable, "-c", block], cwd=PROJECT, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Each link of a page to a place in the checkout finds a file or folder."""
    path = PROJECT / page
    links = [link for link in LINK.findall(path.read_text("utf-8")) if "://" not in link]

    assert [link for link in links if not (path.parent / link).exists()] == []


def test_stale_output_is_found(tmp_path: Path) -> None:
    """A page whose output is not what the command prints is named; renewing mends it, and keeps dots."""
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one; echo two\none\n$ seq 5\n0\n...\n```\n")

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(RUN_BLOCKS), *options, str(page)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert run().returncode == 1
    assert run("--write").returncode == 0
    assert run().returncode == 0
    assert page.read_text() == "```console\n$ echo one; echo two\none\ntwo\n$ seq 5\n1\n...\n```\n"
