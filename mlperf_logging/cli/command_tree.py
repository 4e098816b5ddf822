"""All commands as one parser with sub-commands, for what describes them: completion, the manual page, the reference.

No command line is read with it: a command loads only its own parser. Every command's module has a ``build_parser``; further
words behind a command (``mlperf package pack``) are its module's ``COMMANDS``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import cast

from mlperf_logging.cli.main import COMMANDS, PROGRAM
from mlperf_logging.cli.options import Parser

SubCommands = argparse._SubParsersAction  # argparse has no public name for it


def build_command_tree() -> Parser:
    """The parser of `mlperf`, with those of all commands below it."""
    tree = Parser(PROGRAM, "Emit, read, judge, score and show MLPerf training logs.")
    tree.add_group("about")("--version", "show the version")
    _add_commands(tree, COMMANDS)
    return tree


def list_commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and all those below it, in the order of their commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, SubCommands):
            for below in action.choices.values():
                yield from list_commands(below)


def list_arguments(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """The arguments and options of one command, without those that ask for help or name a further command."""
    return [each for each in parser._actions if not isinstance(each, (SubCommands, argparse._HelpAction))]


def _add_commands(parser: Parser, commands: Mapping[str, str]) -> None:
    build = cast("type[Parser]", _build)  # argparse only calls it
    below = parser.add_subparsers(title="commands", metavar="COMMAND", prog=parser.prog, parser_class=build)
    for name, about in commands.items():
        below.add_parser(name, help=about)
    # The word of a further command comes before the arguments of the command without it.
    parser._actions.insert(0, parser._actions.pop())


def _build(prog: str, **_: object) -> Parser:
    """The parser of the command that these words call."""
    module = import_module(f"mlperf_logging.cli.{'_'.join(prog.split()[1:])}")
    parser: Parser = module.build_parser(prog)
    if commands := getattr(module, "COMMANDS", None):
        _add_commands(parser, commands)
    return parser
