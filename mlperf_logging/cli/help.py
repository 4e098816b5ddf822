"""`mlperf help`: what a command does, or the manual page."""

from __future__ import annotations

from collections.abc import Sequence

from mlperf_logging import __version__
from mlperf_logging.cli.main import PROGRAM
from mlperf_logging.cli.main import main as run_command
from mlperf_logging.cli.options import Parser
from mlperf_logging.cli.output import Output
from mlperf_logging.cli.running import COMPLIANT, run_guarded
from mlperf_logging.errors import UsageError
from mlperf_logging.installation import DISTRIBUTION, require_libraries

_EXAMPLES = """\
examples:
  {program}                        the commands
  {program} package pack           the options and examples of one: the same as mlperf package pack --help
  {program} --man > mlperf.1       the manual page of all; man ./mlperf.1 shows it
"""


def main(argv: Sequence[str] | None = None, program: str = "mlperf help") -> int:
    """Show the help of a command or of all, or write a manual page; 2 where there is no such command."""
    return run_guarded(program, lambda: _help(argv, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf help`."""
    parser = Parser(program, "Show what a command does, and its options.", _EXAMPLES)
    add = parser.add_group()
    add("words COMMAND", "a command, perhaps with a further word; none: the commands", nargs="*")
    add("--man", "write the manual page, of all commands or of this one")
    return parser


def _help(argv: Sequence[str] | None, program: str) -> int:
    options = build_parser(program).parse(argv)
    if not options.man:
        return run_command([*options.words, "--help"])
    require_libraries("--man", ["argparse_manpage"], "shell")
    from argparse_manpage.manpage import Manpage

    from mlperf_logging.cli.command_tree import build_command_tree, list_commands

    name = " ".join([PROGRAM, *options.words])
    found = [each for each in list_commands(build_command_tree()) if each.prog == name]
    if not found:
        raise UsageError(f"there is no command {name!r} ({PROGRAM} help lists them)")
    page = Manpage(found[0])
    page.description = found[0].description
    page.source, page.manual = f"{DISTRIBUTION} {__version__}", DISTRIBUTION
    with Output(None) as output:
        output.write(str(page))
    return COMPLIANT
