"""What the pages show is what the commands print, and what they link to is there."""

from __future__ import annotations

import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from checkout import PROJECT
from commands import chdir, run_mlperf

RUN_BLOCKS = PROJECT / "docs" / "run_console_blocks.py"
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/index.md",
    "docs/analysis.md",
    "docs/asking_rules.md",
    "docs/checking.md",
    "docs/comparing.md",
    "docs/converting.md",
    "docs/exports.md",
    "docs/packing.md",
    "docs/python_api.md",
    "docs/scoring.md",
    "docs/submissions.md",
    "docs/system_descriptions.md",
    "docs/watch.md",
]
SHOWING = [
    "README.md",
    "docs/analysis.md",
    "docs/asking_rules.md",
    "docs/checking.md",
    "docs/comparing.md",
    "docs/converting.md",
    "docs/exports.md",
    "docs/scoring.md",
    "docs/store.md",
    "docs/submissions.md",
    "docs/system_descriptions.md",
    "docs/watch.md",
]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
MLPERF_COMMAND = re.compile(r"(?:COLUMNS=(\d+) )?mlperf[- ]([^;|&<>`$*]+)([;|].*)?")
"""A command whose first part is ours: the width it is given, its arguments, and what follows it."""
PYTHON_BLOCK = re.compile(r"(?<=^```python\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)


def list_python_blocks() -> list[tuple[str, int, str]]:
    """Page, number and text of every Python block."""
    return [
        (page, number, block)
        for page in PAGES
        for number, block in enumerate(PYTHON_BLOCK.findall((PROJECT / page).read_text("utf-8")))
    ]


@pytest.fixture
def run_blocks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What `run_console_blocks.py` defines, with our own commands run in this process."""
    names = runpy.run_path(str(RUN_BLOCKS))
    renew_page, run_in_shell = names["renew_page"], names["run_command"]

    def run_command(command: str) -> list[str]:
        found = MLPERF_COMMAND.fullmatch(command)
        if found is None:
            return list(run_in_shell(command))
        width, arguments, rest = found.groups()
        with monkeypatch.context() as patch:
            for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "COLUMNS", "FORCE_COLOR"):
                patch.delenv(name, raising=False)
            if width:
                patch.setenv("COLUMNS", width)
            done = run_mlperf(*shlex.split(arguments))
        assert not (done.output and done.stderr), "which of the two comes first only a shell can show"
        shell = f"(cat; exit {done.returncode}) {rest or ''}"
        answer = subprocess.run(
            ["bash", "-c", shell],
            input=done.stdout + done.stderr,
            capture_output=True,
            text=True,
            check=False,
        )
        return [line.rstrip() for line in answer.stdout.splitlines()]

    monkeypatch.setitem(renew_page.__globals__, "run_command", run_command)
    return names


@pytest.mark.parametrize("page", SHOWING)
def test_page_shows_real_output(page: str, run_blocks: dict[str, Any]) -> None:
    """Each command of a page prints what the page shows."""
    _, complaints = run_blocks["renew_page"]((PROJECT / page).read_text("utf-8"))

    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("page", SHOWING)
def test_page_shows_commands(page: str) -> None:
    """A page that shows output has commands to run, so that the comparison compares something."""
    assert re.search(r"^\$ .*mlperf", (PROJECT / page).read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    ("page", "number", "block"),
    list_python_blocks(),
    ids=[f"{page}-{number}" for page, number, _ in list_python_blocks()],
)
@pytest.mark.usefixtures("shared_logger")
def test_python_block_runs(page: str, number: int, block: str) -> None:
    """The Python code of a page runs from the root of the checkout."""
    with chdir(PROJECT):
        exec(compile(block, f"{page}, block {number}", "exec"), {"__name__": "__main__"})  # noqa: S102 - our page's own


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Each link of a page to a place in the checkout finds a file or folder."""
    path = PROJECT / page
    links = [link for link in LINK.findall(path.read_text("utf-8")) if "://" not in link]

    assert [link for link in links if not (path.parent / link).exists()] == []


def test_stale_output_is_found(tmp_path: Path) -> None:
    """A page whose output is not what the command prints is named; renewing fixes it, and keeps dots."""
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one; echo two\none\n$ seq 5\n0\n...\n```\n")

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(RUN_BLOCKS), *options, str(page)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert run().returncode == 1
    assert run("--write").returncode == 0
    assert run().returncode == 0
    assert page.read_text() == "```console\n$ echo one; echo two\none\ntwo\n$ seq 5\n1\n...\n```\n"
