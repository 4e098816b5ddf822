"""What tells of all commands at once: help, the manual page, completion. All of it is made of the commands' parsers."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from commands import run_mlperf

from mlperf_logging.cli.command_tree import build_command_tree, list_arguments, list_commands
from mlperf_logging.cli.completion import SHELLS
from mlperf_logging.cli.main import COMMANDS
from mlperf_logging.cli.package import COMMANDS as PACKAGE_COMMANDS

TREE = {parser.prog: parser for parser in list_commands(build_command_tree())}


def test_tree_has_every_command() -> None:
    """Each command has its parser in the tree, and so have the further words behind one, whatever adds them."""
    assert {f"mlperf {name}" for name in COMMANDS} <= {*TREE}
    assert {f"mlperf package {name}" for name in PACKAGE_COMMANDS} | {"mlperf rules show"} <= {*TREE}


@pytest.mark.parametrize("name", TREE)
def test_every_argument_is_explained(name: str) -> None:
    """No argument is without words on what it does."""
    named = {
        "/".join(each.option_strings) or each.dest: each.help or "" for each in list_arguments(TREE[name])
    }
    assert [each for each, about in named.items() if len(about.split()) < 3] == []


@pytest.mark.parametrize("name", TREE)
def test_tree_is_what_the_command_has(name: str) -> None:
    """The options in the tree are those of the command's own help, and `mlperf help` shows the same."""
    words = name.split()[1:]
    done = run_mlperf(*words, "--help")
    assert done.returncode == 0
    assert run_mlperf("help", *words) == done
    options = {option for each in list_arguments(TREE[name]) for option in each.option_strings}
    if words:  # that of `mlperf` alone is a list of commands
        assert options <= set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", done.stdout))


def test_help_on_no_command_is_an_error() -> None:
    """Help on a command that does not exist says so, with a suggestion."""
    done = run_mlperf("help", "scor")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'score'?" in done.stderr


def test_manual_page_has_every_option() -> None:
    """The manual page holds each command and each option; that of one command holds its own."""
    pytest.importorskip("argparse_manpage")
    page = run_mlperf("help", "--man").stdout.replace(r"\-", "-")
    assert page.startswith('.TH MLPERF "1"')
    for name, parser in TREE.items():
        assert name in page
        assert {
            option for each in list_arguments(parser) for option in each.option_strings if option not in page
        } == set()
    alone = run_mlperf("help", "score", "--man").stdout.replace(r"\-", "-")
    assert "--suite" in alone
    assert "--follow" not in alone
    assert run_mlperf("help", "scor", "--man").returncode == 2


@pytest.mark.parametrize("program", ["mlperf", "mlperf-check"])
@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script(shell: str, program: str) -> None:
    """The script for each shell names the program, an option of its own and a round."""
    pytest.importorskip("shtab")
    done = run_mlperf("completion", shell, program)
    assert (done.returncode, done.stderr) == (0, "")
    for word in (program, "follow", "training/6.1.0"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("mlperf sc", {"score"}),
        ("mlperf package pa", {"pack"}),
        ("mlperf rules show --mea", {"--meaning"}),
        ("mlperf score --ruleset hpc/3", {"hpc/3.0.0"}),
        ("mlperf score --method ol", {"olympic"}),
        ("mlperf train --scale m", {"mini"}),
        ("mlperf convert no", {"notes.txt"}),
        ("mlperf rules docs ", {"pages"}),
    ],
)
def test_bash_completes(line: str, offered: set[str], tmp_path: Path) -> None:
    """Bash, after the script was evaluated, offers commands, further words, options, rounds, choices, files and folders."""
    pytest.importorskip("shtab")
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    (tmp_path / "notes.txt").touch()
    (tmp_path / "pages").mkdir()
    script = run_mlperf("completion", "bash").stdout
    words = line.split(" ")
    ask = (
        f"COMP_WORDS=({' '.join(words[:-1])} '{words[-1]}'); COMP_CWORD={len(words) - 1}\n"
        '_shtab_mlperf mlperf "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"\n'
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "-c", script + ask], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert offered <= {each.strip().rstrip("/") for each in done.stdout.splitlines()}, (
        done.stdout + done.stderr
    )
