"""The options of commands: the parser, those that commands share, and messages for those that do not exist."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from mlperf_logging.cli.configuration import OWN_FILE, SHARED_FILE, SHARED_SETTINGS, complete_settings
from mlperf_logging.cli.output import measure_terminal
from mlperf_logging.errors import UsageError
from mlperf_logging.events import DIVISIONS

if TYPE_CHECKING:
    from mlperf_logging.compliance.ruleset_selection import RuleSelection

LOCAL, DASK = "local", "dask"
"""Names of the engines."""
_WIDEST_HELP = 100
MAX_INCHES, MAX_DPI = 50, 1_000
_RUNS = {"each": 0, "last": -1}
"""Runs of a file that have no number, as `RuleSelection` has them."""

_EXAMPLES = """\
examples:
  {program} result_0.txt                        one log, by the newest round that knows its benchmark
  {program} --ruleset ROUND results/            every *.txt, *.log and *.out below a folder
  {program} 'results/*/*/result_*' --jobs 0     a pattern, on all processor cores
  zcat run.gz | {program} -                     standard input
  {program} --format text --format sarif -o check.sarif results/
  {program} --follow run.log                    report problems while the run continues
  {program} --select MLP3,MLP4 --statistics results/

exit codes: 0 every log is compliant; 1 at least one violation; 2 the tool could not do its work
(bad arguments, unreadable log, bad rule or waiver file). A folder means the logs below it, except
below a power/ folder; a file named explicitly is judged whatever its name.
"""


class AddOption(Protocol):
    """Adds an argument: its names with the placeholder of its value, such as ``--seed N``, and its help.

    Without placeholder and choices it is a switch; a number as default gives the type of the value.
    """

    def __call__(self, names: str, about: str, /, **more: Any) -> None:
        """Add it; `more` is for `argparse.ArgumentParser.add_argument`."""


class Parser(argparse.ArgumentParser):
    """An argument parser that answers an error with one sentence.

    Attributes:
        settings: the options whose values may come from a file above the logs, see `configuration`.
    """

    settings: tuple[str, ...] = ()

    def __init__(self, prog: str, description: str, examples: str = "", **more: Any) -> None:
        epilog = examples.format(program=prog)
        more |= {"formatter_class": _make_formatter, "allow_abbrev": False}
        super().__init__(prog=prog, description=description, epilog=epilog, **more)

    def error(self, message: str) -> NoReturn:
        """Raise a `UsageError`."""
        raise UsageError(f"{message} ({self.prog} --help shows the options)")

    def add_group(self, title: str | None = None) -> AddOption:
        """What adds arguments to a new group, or to none."""
        group = self if title is None else self.add_argument_group(title)

        def add(names: str, about: str, /, **more: Any) -> None:
            words = names.split()
            flags = [word for word in words if word.startswith("-")]
            values = tuple(words[len(flags or words[:1]) :])
            if values:
                more["metavar"] = values if len(values) > 1 else values[0]
            elif flags and "choices" not in more:
                more.setdefault("action", "store_true")
            if isinstance(more.get("default"), int | float):
                more.setdefault("type", type(more["default"]))
            group.add_argument(*(flags or words[:1]), help=about, **more)

        return add

    def parse(self, arguments: Sequence[str] | None, *, mixed: bool = True) -> argparse.Namespace:
        """The options of a command line, or of this process; an unknown one raises `UsageError`, with a suggestion.

        Options may come between paths unless `mixed` is false (argparse cannot do that where there are sub-commands).
        """
        given = list(sys.argv[1:] if arguments is None else arguments)
        if "--" in given:  # argparse still sees options behind it; no argument begins with NUL
            end = given.index("--")
            given[end:] = [f"\0{each}" if each.startswith("-") else each for each in given[end + 1 :]]
        defaults = {each.dest: each.default for each in self._actions if each.dest in self.settings}
        options = argparse.Namespace(**dict.fromkeys(defaults))  # None: not on the command line
        parse = self.parse_known_intermixed_args if mixed else self.parse_known_args
        options, unknown = parse(given, options)
        for name, value in vars(options).items():
            if isinstance(value, str):
                setattr(options, name, value.removeprefix("\0"))
            elif isinstance(value, list):
                value[:] = [each.removeprefix("\0") if isinstance(each, str) else each for each in value]
        if unknown:
            from mlperf_logging.suggestions import suggest_name

            name = unknown[0].partition("=")[0]
            near = suggest_name(name, [each for action in self._actions for each in action.option_strings])
            meant = f"; did you mean {near}?" if near is not None else ""
            self.error(f"unknown option {name}{meant}")
        if self.settings:
            complete_settings(options, defaults, self.prog)
        return options


class AddReport(argparse.Action):
    """Notes ``--format`` and ``--output`` in pairs, in the order of the command line."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, value: Any, _: str | None = None
    ) -> None:
        """Complete the last pair where it lacks this, or begin one."""
        setattr(namespace, self.dest, value)
        pairs = namespace.reports = list(getattr(namespace, "reports", ()))
        # an output before the only format belongs to it
        if pairs and self.dest not in pairs[-1] and (self.dest == "output" or len(pairs) == 1):
            pairs[-1] = {**pairs[-1], self.dest: value}
        else:
            pairs.append({self.dest: value})


class CheckParser(Parser):
    """The parser of `mlperf-check` and `mlperf package`; its help page lists the formats that are there.

    Attributes:
        examples: what stands below the formats.
    """

    examples = _EXAMPLES

    def format_help(self) -> str:
        """The help page."""
        from mlperf_logging.reports import list_formats, list_installed_formats, load_format

        formats = {
            name: f"of an installed package: {what}" for name, what in list_installed_formats().items()
        }
        formats = {name: load_format(name).description for name in list_formats()} | formats
        width = max(map(len, formats))
        listed = "".join(f"  {name.ljust(width)}  {about}\n" for name, about in formats.items())
        self.epilog = f"formats:\n{listed}\n{self.examples.format(program=self.prog)}"
        return super().format_help()


def build_check_parser(program: str) -> CheckParser:
    """The parser of `mlperf-check`."""
    # argparse would write the usage of all options at each start
    about, usage = "Judge training logs by the rules of a benchmark round.", "%(prog)s [options] [PATH ...]"
    parser = CheckParser(program, about, usage=usage)
    parser.add_group()("paths PATH", "logs, folders, patterns, or - for standard input", nargs="*")
    add = add_rule_options(parser, each_run=True)
    add("--level N", "in rounds that grade: only rules up to this level (default: all)", type=int)
    add = add_finding_options(parser, add)
    add("--write-waivers FILE", "add waivers for what is found to a file, with --reason and --expires")
    add("--reason TEXT", "why the new waivers are accepted")
    add("--expires DAY", "last day of the new waivers, as in 2030-12-31")
    add = add_report_options(parser)
    add("--statistics", "also count by verdict, code and key")
    add("--follow", "judge one log while it is written, to the end of its run")
    add = parser.add_group("about")
    add("--explain ID", "what a code (MLP304) or a rule id means, with examples")
    add("--list-rules", "the rules of the newest rounds, or of --ruleset")
    add("--version", "show the version")
    return parser


def add_finding_options(parser: Parser, add: AddOption) -> AddOption:
    """Add ``--strict`` to the options on rules, and what says which findings count; returns what adds to the latter."""
    parser.settings = (*SHARED_SETTINGS, "select", "ignore", "waivers", "format")
    add("--strict", "also apply written rules that no public check tests")
    add = parser.add_group("which findings")
    several: dict[str, Any] = {"action": "append", "default": []}
    what = "only these: codes or prefixes of codes (MLP3), rule ids, patterns of ids; comma-separated"
    add("--select WHAT", what, **several)
    add("--ignore WHAT", "all except these, in the same form", **several)
    add("--waivers FILE", "YAML list of accepted findings: rule, path, reason, expires")
    return add


def add_report_options(parser: Parser) -> AddOption:
    """Add what says how findings are shown; returns what adds to the same group."""
    add = parser.add_group("how it is shown")
    about = (
        "text (default), or one of the formats listed below; each with an --output after it, several at once"
    )
    add("--format NAME", about, action=AddReport)
    add(
        "--output -o FILE", "write the report to FILE, replaced once the report is complete", action=AddReport
    )
    add("--group-by", "blocks of the text report (rule where logs are many)", choices=("file", "rule"))
    add("--quiet -q", "print only the totals")
    add("--verbose -v", "every finding, however many there are of one rule")
    colors = ("auto", "always", "never")
    add("--color", "auto (default): on a terminal, unless NO_COLOR is set", choices=colors, default="auto")
    add("--werror", "warnings count as errors")
    add("--exit-zero", "exit code 0 despite violations; 2 stays 2")
    add_engine_options(add, "judge")
    add_store_option(add)
    return add


def _make_formatter(prog: str) -> argparse.HelpFormatter:
    """A formatter that knows its width; argparse would load modules to find it."""
    width = min(measure_terminal(os.environ), _WIDEST_HELP)
    return argparse.RawDescriptionHelpFormatter(prog, width=width)


def add_rule_options(
    parser: Parser,
    ruleset: str = "name of a round; auto (default) lets the log choose",
    going: str = "judge by this",
    *,
    each_run: bool = False,
) -> AddOption:
    """Add what says by which rules logs are judged or measured; returns what adds to the same group."""
    add = parser.add_group("by which rules")
    add("--usage NAME", "training, hpc, or another usage that has rulesets; by default, as logged")
    add("--ruleset ROUND", ruleset, default="auto")
    add("--division", f"{going} division, regardless of the log", choices=DIVISIONS)
    add("--benchmark NAME", f"{going} benchmark, regardless of the log")
    runs = partial(_read_run, each=each_run)
    add("--run N", f"of a file with several runs: its number, last{', or each' * each_run}", type=runs)
    add_rules_folder(add)
    add_settings_options(add)
    parser.settings = SHARED_SETTINGS
    return add


def add_settings_options(add: AddOption) -> None:
    """Add what says which file holds settings."""
    add("--config FILE", f"settings, in place of {OWN_FILE} or [tool.mlperf] of {SHARED_FILE} above the logs")
    add("--no-config --isolated", "no settings from files")
    add("--show-config", "print each setting and where it comes from, and end")


def add_rules_folder(add: AddOption) -> None:
    """Add ``--rules``."""
    add(
        "--rules FOLDER",
        "rule files, or rules of an installed package, in place of the built-in",
        type=_read_folder,
    )


def read_selection(options: argparse.Namespace) -> RuleSelection:
    """By which rules a command judges, from its options; those that it does not have are the defaults."""
    from mlperf_logging.compliance.ruleset_selection import RuleSelection

    given = vars(options)
    return RuleSelection(**{name: given[name] for name in RuleSelection._fields if name in given})


def add_format_options(add: AddOption) -> None:
    """Add ``--format`` and ``--output`` of the commands that answer with tables."""
    from mlperf_logging.reports.tables import list_table_formats

    names = ["text", *[name for name in list_table_formats() if name != "text"]]
    add("--format NAME", f"text (default), {', '.join(names[1:])}", choices=names, default="text")
    add("--output -o FILE", "write to FILE, replaced once the output is complete")


def add_engine_options(add: AddOption, verb: str = "read") -> None:
    """Add ``--jobs``, ``--engine`` and ``--scheduler``; `cli.engines` has what they choose."""
    add("--jobs -j N", f"{verb} in N processes; 0: one per processor core", type=_read_jobs, default=1)
    add(
        "--engine",
        f"what works on many logs: {LOCAL} (default), processes of this machine; {DASK}, a Dask cluster",
        choices=(LOCAL, DASK),
        default=LOCAL,
    )
    about = "of a Dask cluster: tcp://HOST:PORT, tls://HOST:PORT or a scheduler file; without it, one of this machine"
    add("--scheduler ADDRESS", about)


def add_store_option(add: AddOption) -> None:
    """Add ``--store``; `cli.keeping` has what it is for."""
    add("--store FILE", "keep in FILE what logs give, and read only those again that have changed")


def split_names(texts: Sequence[str]) -> list[str]:
    """The names in comma-separated lists."""
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


def read_inches(text: str) -> float:
    """The size of a picture."""
    try:
        inches = float(text)
    except ValueError:
        inches = 0
    if not 0 < inches <= MAX_INCHES:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of inches up to {MAX_INCHES}")
    return inches


def read_dpi(text: str) -> int:
    """Dots per inch of a picture."""
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 0 < int(text) <= MAX_DPI):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {MAX_DPI}")
    return int(text)


def _read_folder(text: str) -> str:
    if os.path.isdir(text):
        return text
    from mlperf_logging.rules.repository import find_rules_folder

    try:
        return find_rules_folder(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _read_run(text: str, *, each: bool) -> int:
    words = {name: number for name, number in _RUNS.items() if each or number}
    if text in words:
        return words[text]
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not the number of a run (1, 2, …) or {' or '.join(words)}"
        )
    return int(text)


def _read_jobs(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes (0, 1, 2, …)")
    return int(text)
