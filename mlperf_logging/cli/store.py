"""`mlperf store`: many logs in one file of DuckDB, read once and asked many times."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from mlperf_logging.cli.options import Parser
from mlperf_logging.cli.running import run_guarded
from mlperf_logging.errors import UsageError
from mlperf_logging.suggestions import did_you_mean

COMMANDS = {
    "ingest": "puts logs into a store; what is there already is not read again",
    "query": "asks a store by SQL",
    "summary": "shows what is in a store",
    "leaderboard": "ranks its results: the best per benchmark and number of accelerators, and over rounds",
    "compare": "compares two systems, submitters or rounds",
    "check": "looks whether a store is whole",
    "export": "writes the tables of a store as Parquet, CSV or JSON lines",
}
"""Words behind `mlperf store`, each with a module ``store_WORD`` here, and what it does."""


def main(argv: Sequence[str] | None = None, program: str = "mlperf store") -> int:
    """Do what the next word says; the exit codes are those of that command."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in COMMANDS:
        command = import_module(f"mlperf_logging.cli.store_{arguments[0]}")
        code: int = command.main(arguments[1:], f"{program} {arguments[0]}")
        return code
    return run_guarded(program, lambda: _refuse(arguments, program))


def build_parser(program: str) -> Parser:
    """The parser of `mlperf store`."""
    width = max(map(len, COMMANDS))
    words = "\n".join(f"  {name.ljust(width)}  {what}" for name, what in COMMANDS.items())
    about = (
        f"Many logs in one file of DuckDB: read once, judged once, asked many times.\n\ncommands:\n{words}"
    )
    examples = "{program} COMMAND --help shows the options and examples of one command. docs/store.md explains stores.\n"
    return Parser(program, about, examples, usage="%(prog)s COMMAND …")


def _refuse(arguments: Sequence[str], program: str) -> int:
    build_parser(program).parse([each for each in arguments if each in ("-h", "--help")])
    choice = f"choose from {', '.join(COMMANDS)}"
    if not arguments:
        raise UsageError(f"no command; {choice}")
    raise UsageError(f"unknown command {arguments[0]!r}; {did_you_mean(arguments[0], COMMANDS, choice)}")
