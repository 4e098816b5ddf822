"""The arguments of `mlperf-check`: names, help, and messages for those that do not exist."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, NoReturn

from mlperf_logging.cli.output import measure_terminal
from mlperf_logging.errors import UsageError
from mlperf_logging.events import DIVISIONS

if TYPE_CHECKING:
    from mlperf_logging.compliance.ruleset_selection import RuleSelection

_WIDEST_HELP = 100
_EXAMPLES = """\
examples:
  {program} result_0.txt                        one log, by the newest round that knows its benchmark
  {program} --ruleset ROUND results/            every *.txt, *.log and *.out below a folder
  {program} 'results/*/*/result_*' --jobs 0     a pattern, on all processor cores
  zcat run.gz | {program} -                     standard input
  {program} --format sarif -o check.sarif results/
  {program} --follow run.log                    say what is wrong while the run goes on
  {program} --select MLP3,MLP4 --statistics results/

exit codes: 0 every log is compliant; 1 at least one violation; 2 the tool could not do its work
(bad arguments, unreadable log, bad rule or waiver file). A folder stands for the logs below it, except
below a power/ folder; a file named by itself is judged whatever its name.
"""


class Parser(argparse.ArgumentParser):
    """An argument parser that answers a mistake with one sentence.

    Attributes:
        mixes: options may stand between the paths (argparse has no such thing where there are sub-commands).
    """

    mixes: ClassVar[bool] = False

    def error(self, message: str) -> NoReturn:
        """Report a mistake.

        Args:
            message: what is wrong.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{message} ({self.prog} --help shows the options)")

    def parse(self, arguments: Sequence[str] | None) -> argparse.Namespace:
        """The options of a command line.

        Args:
            arguments: what follows the program's name; None for those of this process.

        Raises:
            UsageError: an option does not exist or has a wrong value; the message says what was meant.
        """
        parse = self.parse_known_intermixed_args if self.mixes else self.parse_known_args
        options, unknown = parse(arguments)
        if unknown:
            from mlperf_logging.suggestions import suggest_name

            name = unknown[0].partition("=")[0]
            near = suggest_name(name, [each for action in self._actions for each in action.option_strings])
            meant = f"; did you mean {near}?" if near is not None else ""
            self.error(f"there is no option {name}{meant}")
        return options


class CheckParser(Parser):
    """The parser of `mlperf-check`; its help page lists the formats that are there."""

    mixes: ClassVar[bool] = True

    def format_help(self) -> str:
        """The help page."""
        from mlperf_logging.reports import list_formats, load_format

        formats = [load_format(name) for name in list_formats()]
        width = max(len(form.name) for form in formats)
        listed = "".join(f"  {form.name.ljust(width)}  {form.description}\n" for form in formats)
        return f"{super().format_help()}\nformats:\n{listed}\n{_EXAMPLES.format(program=self.prog)}"


def build_check_parser(program: str) -> CheckParser:
    """The parser of `mlperf-check`.

    Args:
        program: name of the command, for its messages.
    """
    parser = CheckParser(
        prog=program,
        description="Judge training logs by the rules of a benchmark round.",
        formatter_class=make_formatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("paths", nargs="*", metavar="PATH", help="logs, folders, patterns, or - for standard input")
    add = add_rule_options(parser)
    add("--strict", action="store_true", help="also what the written rules say and no public check tests")
    add(
        "--level",
        type=int,
        metavar="N",
        help="in rounds that grade: only rules up to this level (default: all)",
    )
    which = parser.add_argument_group("which findings")
    add = which.add_argument
    add(
        "--select",
        action="append",
        default=[],
        metavar="WHAT",
        help="only these: codes or their beginnings (MLP3), rule ids, patterns of ids; comma separated",
    )
    add("--ignore", action="append", default=[], metavar="WHAT", help="all but these, written likewise")
    add("--waivers", metavar="FILE", help="YAML list of accepted findings: rule, path, reason, expires")
    shown = parser.add_argument_group("how it is shown")
    add = shown.add_argument
    add("--format", metavar="NAME", help="text (default), or one of the formats listed below")
    add(
        "--output",
        "-o",
        metavar="FILE",
        help="write the report there; the file is replaced when the report is whole",
    )
    add("--group-by", choices=("file", "rule"), help="blocks of the text report (rule where logs are many)")
    add("--statistics", action="store_true", help="also count by verdict, code and key")
    add("--quiet", "-q", action="store_true", help="no text but the totals")
    add("--verbose", "-v", action="store_true", help="every finding, however many there are of one rule")
    add(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="auto (default): on a terminal, unless NO_COLOR is set",
    )
    add_jobs_option(add, "judge")
    add("--follow", action="store_true", help="judge one log while it is written, to the end of its run")
    about = parser.add_argument_group("about")
    add = about.add_argument
    add("--explain", metavar="ID", help="what a code (MLP304) or the rule of this id means, with examples")
    add("--list-rules", action="store_true", help="the rules of the newest rounds, or of --ruleset")
    add("--version", action="store_true", help="show the version")
    return parser


def make_formatter(prog: str) -> argparse.HelpFormatter:
    """A formatter that knows its width; argparse would load modules to find it.

    Args:
        prog: name of the program.
    """
    return argparse.HelpFormatter(prog, width=min(measure_terminal(os.environ), _WIDEST_HELP))


def add_rule_options(
    parser: argparse.ArgumentParser,
    ruleset: str = "name of a round; auto (default) lets the log choose",
    going: str = "judge by this",
) -> Callable[..., argparse.Action]:
    """Add what says by which rules logs are judged or measured.

    Args:
        parser: of the command.
        ruleset: help of ``--ruleset``.
        going: begin of the help of ``--division`` and ``--benchmark``.

    Returns:
        Adds further options to the same group.
    """
    add = parser.add_argument_group("by which rules").add_argument
    add(
        "--usage",
        metavar="NAME",
        help="training, hpc, or another usage that has rulesets; else the log tells",
    )
    add("--ruleset", default="auto", metavar="ROUND", help=ruleset)
    add("--division", choices=DIVISIONS, help=f"{going} division, whatever is logged")
    add("--benchmark", metavar="NAME", help=f"{going} benchmark, whatever is logged")
    add("--rules", type=read_folder, metavar="FOLDER", help="rule files to use in place of the built-in ones")
    return add


def read_selection(options: argparse.Namespace) -> RuleSelection:
    """By which rules a command judges, from its options; those that it does not have are the defaults.

    Args:
        options: the command line's options.
    """
    from mlperf_logging.compliance.ruleset_selection import RuleSelection

    given = vars(options)
    return RuleSelection(**{name: given[name] for name in RuleSelection._fields if name in given})


def add_jobs_option(add: Callable[..., argparse.Action], verb: str = "read") -> None:
    """Add ``--jobs``.

    Args:
        add: adds an option to a parser or a group.
        verb: what the processes do.
    """
    add(
        "--jobs",
        "-j",
        type=read_jobs,
        default=1,
        metavar="N",
        help=f"{verb} in N processes; 0: one a processor core",
    )


def read_folder(text: str) -> str:
    """The name of a folder that is there.

    Args:
        text: what the user gave.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not os.path.isdir(text):
        raise argparse.ArgumentTypeError(f"there is no folder {text!r}")
    return text


def read_jobs(text: str) -> int:
    """A number of processes; 0 stands for one a processor core.

    Args:
        text: what the user gave.

    Raises:
        argparse.ArgumentTypeError: it is no such number.
    """
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes (0, 1, 2, …)")
    return int(text)
