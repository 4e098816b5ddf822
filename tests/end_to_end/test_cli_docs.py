"""The page on the command line tells of everything that the command line has, and shows what it prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlperf_logging.cli.main import COMMANDS
from mlperf_logging.cli.options import build_check_parser
from mlperf_logging.reports import list_formats


@pytest.fixture(scope="module")
def page(project: Path) -> str:
    """The page."""
    return (project / "docs" / "cli.md").read_text("utf-8")


def test_every_option_is_on_the_page(page):
    """Each option of `mlperf-check` is named."""
    text = build_check_parser("mlperf-check").format_help()
    options = set(re.findall(r"--[a-z][a-z-]+", text)) - {"--version", "--help"}
    assert len(options) > 15
    assert {option for option in options if not re.search(rf"{option}\b", page)} == set()


def test_every_format_and_command_is_on_the_page(page):
    """Each format stands in the table of formats, and each command is named."""
    assert {name for name in list_formats() if f"| `{name}` |" not in page} == set()
    assert {name for name in COMMANDS if f"`mlperf {name}" not in page} == set()


def test_example_shows_what_is_printed(page, project):
    """The page's example is what the command prints."""
    command, shown = re.findall(r"```console\n\$ mlperf-check (.*)\n((?:.*\n)*?)```", page)[0]
    folder = project / "examples" / "logs"
    if not folder.is_dir():
        pytest.skip("the example logs are not here")
    arguments = [sys.executable, "-m", "mlperf_logging.cli.check", "--format", "text", *command.split()]
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == shown
