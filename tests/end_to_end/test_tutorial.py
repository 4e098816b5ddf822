"""The tutorial, from its first script to the packed submission: each block as a reader would type it."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import PROJECT

BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
DOTS = r"(?:.*\n)*"


def type_command(command: str, folder: Path) -> str:
    """What a command prints in a folder, with the commands of this environment at hand."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())


def make_pattern(shown: list[str]) -> str:
    """The pattern of what a page shows: a line of dots is any lines, dots within a line any text."""
    return "".join(
        DOTS if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + "\n" for line in shown
    )


def test_tutorial_works_as_written(tmp_path: Path) -> None:
    """The script of the page is saved, the commands run in order, and each prints what the page shows."""
    pytest.importorskip("cpuinfo")
    split_block = runpy.run_path(str(PROJECT / "docs" / "run_console_blocks.py"))["split_block"]
    typed = 0
    for kind, text in BLOCK.findall((PROJECT / "docs" / "tutorial.md").read_text("utf-8")):
        if kind == "python":
            (name,) = re.findall(r"^# (\w+\.py)\n", text)
            (tmp_path / name).write_text(text, "utf-8")
            continue
        for command, shown in split_block(text):
            printed = type_command(command, tmp_path)
            assert re.fullmatch(make_pattern(shown), printed), f"$ {command}\n{printed}"
            typed += 1

    assert typed > 10
    assert (tmp_path / "Example_Lab.tar.gz").is_file()
