"""Each command has one page, which tells of all its options; the page on the command line has those that commands share."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from checkout import PROJECT

from mlperf_logging.cli.command_tree import build_command_tree, list_arguments, list_commands
from mlperf_logging.reports import list_formats

DOCS = PROJECT / "docs"
MAP = (DOCS / "cli.md").read_text("utf-8")
SHARED = set(
    re.findall(r"`(--?[a-z][a-z-]*)[^`]*`(?=[^|]*\|)", "\n".join(re.findall(r"^\| `-.*", MAP, re.MULTILINE)))
)
OPTIONS = {
    parser.prog: {name for each in list_arguments(parser) for name in each.option_strings}
    for parser in list_commands(build_command_tree())
}
PAGES = {
    command: (page or "cli.md")
    for commands, page in re.findall(
        r"^\| (`mlperf .*?) \| .*? \| \[.*?\]\((.*?)(?:#.*)?\) \|$", MAP, re.MULTILINE
    )
    for command in re.findall(r"`(.*?)`", commands)
}
GROUPS = {"mlperf", "mlperf rules", "mlperf store"}
"""Commands that only lead to others."""


def test_every_command_has_a_page() -> None:
    """The map leads each command to one page, and names no command that does not exist."""
    assert {*PAGES} == {*OPTIONS} - GROUPS


@pytest.mark.parametrize("command", PAGES)
def test_every_option_is_on_the_page(command: str) -> None:
    """The page of a command names each of its options that is not a shared one."""
    page = (DOCS / PAGES[command]).read_text("utf-8")
    named = {
        option
        for code in re.findall(r"`[^`]+`|^```.*?^```", page, re.DOTALL | re.MULTILINE)
        for option in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", code)
    }
    assert OPTIONS[command] - SHARED - named == set()


def test_shared_options_are_shared() -> None:
    """Each option in the tables of shared options belongs to several commands; only the page that its row links to has more."""
    users = Counter(option for options in OPTIONS.values() for option in options)
    assert len(SHARED) > 20
    assert {option for option in SHARED if users[option] < 2} == set()
    rows = dict(re.findall(r"^\| `(--[a-z-]+)[^|]*\| (.*) \|$", MAP, re.MULTILINE))
    for page in {*DOCS.glob("*.md")} - {DOCS / "cli.md"}:
        told = set(re.findall(r"^\| `(--[a-z-]+) ", page.read_text("utf-8"), re.MULTILINE)) & SHARED
        assert {option for option in told if f"]({page.name}" not in rows[option]} == set(), page.name


def test_every_format_is_on_the_page() -> None:
    """Each format of findings stands in the table of formats."""
    page = (DOCS / "checking.md").read_text("utf-8")
    assert {name for name in list_formats() if f"| `{name}` |" not in page} == set()
