"""`mlperf completion`: the script by which a shell completes commands, options and values."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mlperf_logging.cli.options import Parser, build_check_parser
from mlperf_logging.cli.output import Output
from mlperf_logging.cli.running import COMPLIANT, run_guarded
from mlperf_logging.installation import require_libraries

PROGRAMS = ("mlperf", "mlperf-check")
SHELLS = ("bash", "zsh", "tcsh", "fish")
_FILES = ("PATH", "FILE", "IN", "OUT", "OLD", "NEW", "ARCHIVE")
_FOLDERS = ("FOLDER", "DIR")

_EXAMPLES = """\
examples:
  eval "$({program} bash)"; eval "$({program} bash mlperf-check)"      in ~/.bashrc; likewise in ~/.zshrc
  {program} fish > ~/.config/fish/completions/mlperf.fish
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf completion") -> int:
    """Print the script for a shell."""
    return run_guarded(program, lambda: _print_script(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf completion`."""
    parser = Parser(program, "Print the script by which a shell completes a command.", _EXAMPLES)
    add = parser.add_group()
    add("shell SHELL", f"one of {', '.join(SHELLS)}", choices=SHELLS)
    about = f"which command: {' (default) or '.join(PROGRAMS)}"
    add("completed PROGRAM", about, nargs="?", choices=PROGRAMS, default=PROGRAMS[0])
    return parser


def _print_script(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    require_libraries("this command", ["shtab"], "shell")
    import shtab

    from mlperf_logging.cli.command_tree import build_command_tree, list_arguments, list_commands

    is_tree = options.completed == PROGRAMS[0]
    tree = build_command_tree() if is_tree else build_check_parser(options.completed)
    for parser in list_commands(tree):
        for argument in list_arguments(parser):
            _complete_values(argument)
    script = shtab.complete(tree, shell=options.shell)
    with Output(None) as output:
        output.write(f"{script}\n")
    return COMPLIANT


def _complete_values(argument: argparse.Action) -> None:
    """Say what completes the values of an argument: files, folders, or the names of rounds."""
    import shtab

    placeholder = argument.metavar if isinstance(argument.metavar, str) else ""
    if placeholder in _FILES:
        argument.complete = shtab.FILE  # type: ignore[attr-defined]
    elif placeholder in _FOLDERS:
        argument.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    elif placeholder == "ROUND":
        from mlperf_logging.rules.repository import open_rules

        argument.choices = ["auto", *[entry.name for entry in open_rules().index()]]
