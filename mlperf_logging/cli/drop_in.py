"""What the public package's commands share here: arguments, log files, words and exit codes.

Modules named as the public ones (``compliance_checker``, ``rcp_checker`` …) call this, and otherwise only functions that
our own commands call, too.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, NoReturn

from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, VIOLATION, find_foreign_files, run_guarded
from mlperf_logging.compliance.findings import Finding
from mlperf_logging.compliance.judged_run import JudgedRun, judge_run
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.errors import MLPerfLoggingError, UsageError
from mlperf_logging.events import Event, Outcome, Problem, Severity
from mlperf_logging.parsing import read_batches
from mlperf_logging.parsing.dialects import load_dialects
from mlperf_logging.parsing.dialects.mllog import NAME as MLLOG
from mlperf_logging.reports._escape import show_text
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.rules.rounds import find_round
from mlperf_logging.runs.folders import sort_key
from mlperf_logging.runs.intervals import Progress
from mlperf_logging.scoring.runs import ScoredRun

LOG = logging.getLogger("mlperf_logging")
USAGES = ("training", "hpc")
DIVIDER = "-" * 30
_CONFIG = re.compile(r"(?P<usage>[a-z]+)_(?P<ruleset>\d+(\.\d+)+)[/\\]")


def list_rounds() -> list[str]:
    """Numbers of all rounds of the public usages, oldest first."""
    return sorted({entry.round for entry in open_rules().index() if entry.usage in USAGES}, key=sort_key)


def make_parser(name: str, about: str, *, log_output: bool = True) -> argparse.ArgumentParser:
    """The parser of a public command, with where its log goes."""
    parser = argparse.ArgumentParser(prog=f"mlperf_logging.{name}", description=about)
    if log_output:
        parser.add_argument("--log_output", default=f"{name}.log", help="file that the log is added to")
    return parser


def add_rules(parser: argparse.ArgumentParser, *, required: bool = True, dashed: bool = False) -> None:
    """Add usage and ruleset: in their places, or, dashed, as options, which may be required."""
    for name, choices in (("usage", USAGES), ("ruleset", list_rounds())):
        about = "training or hpc" if name == "usage" else "the round"
        if dashed:
            more = {"required": True} if required else {"default": choices[-1 if name == "ruleset" else 0]}
            parser.add_argument(f"--{name}", choices=choices, help=about, **more)
        else:
            parser.add_argument(name, choices=choices, help=about)


def add_warnings(parser: argparse.ArgumentParser) -> None:
    """Add what warnings are worth."""
    parser.add_argument("--werror", action="store_true", help="warnings are errors")
    parser.add_argument("--quiet", action="store_true", help="no warnings, unless they are errors")


def run_drop_in(
    parser: argparse.ArgumentParser,
    work: Callable[[argparse.Namespace], bool],
    arguments: Sequence[str] | None = None,
    *,
    words: tuple[str, str] = ("", ""),
    failed_level: int = logging.ERROR,
    last: str = "** Logging output also at {log_output}",
) -> int:
    """Run a public command: 0 all is well, 1 it is not or the command could not work, 2 wrong arguments or installation.

    Args:
        parser: of its arguments, which argparse answers for where they are wrong.
        work: what it does; it says whether all is well, and logs why not.
        arguments: the command line; by default this process's.
        words: what is logged at the end where all is well, and where it is not.
        failed_level: level of the latter.
        last: what is printed at the very end, empty for nothing.
    """
    options = parser.parse_args(arguments)

    def run() -> int:
        start_logging(getattr(options, "log_output", None))
        try:
            is_well = work(options)
        except MLPerfLoggingError as error:
            LOG.log(logging.ERROR, "%s", error)
            is_well = False
        if any(words):
            LOG.log(logging.INFO if is_well else failed_level, "%s", words[not is_well])
        if last:
            say(last.format(**vars(options)))
        return COMPLIANT if is_well else VIOLATION

    code = run_guarded(parser.prog, run)
    return VIOLATION if code == CANNOT_WORK and not find_foreign_files() else code


def leave(code: int) -> NoReturn:
    """End the process."""
    sys.exit(code)


def say(line: str) -> None:
    """Print a line, if there is a standard output."""
    if sys.stdout is not None:
        sys.stdout.write(f"{show_text(line)}\n")


def start_logging(path: str | None) -> None:
    """Show what is logged on the error stream, and add it to a file; `UsageError` where that cannot be written."""
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    try:
        handlers += [_LogFile(path)] if path else []
    except OSError as error:
        raise UsageError(
            f"cannot write the log file {path!r}: {error.strerror}; name another with --log_output"
        ) from None
    for handler in handlers:
        handler.setFormatter(_LineFormatter("%(levelname)s - %(message)s"))
    LOG.handlers[:] = handlers
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


class _LogFile(logging.Handler):
    """A file to which lines are added; one that cannot take a line ends the command."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._file = open(path, "a", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115 - until the end

    def emit(self, record: logging.LogRecord) -> None:
        self._file.write(f"{self.format(record)}\n")
        self._file.flush()


class _LineFormatter(logging.Formatter):
    """One line per record, without what could steer a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return show_text(super().format(record))


class LogCheck(NamedTuple):
    """How a public checker judges logs: by one round, its warnings told, not told, or taken as errors."""

    selection: RuleSelection
    quiet: bool = False
    werror: bool = False

    def read_config(self, name: str | None) -> LogCheck:
        """The same by the round that a configuration such as ``USAGE_ROUND/common.yaml`` belongs to.

        Raises:
            UsageError: the name is that of none.
        """
        if not name:
            return self
        found = _CONFIG.match(name)
        if found is None:
            raise UsageError(
                f"{name!r} does not name a round, as USAGE_ROUND/common.yaml does; rules of your own are files for "
                "mlperf-check --rules"
            )
        usage, ruleset = found["usage"], found["ruleset"]
        return self._replace(selection=self.selection._replace(usage=usage, ruleset=ruleset))

    def judge(self, path: str) -> tuple[bool, JudgedRun]:
        """Judge a log, log what is found, and say whether it is compliant.

        Raises:
            MLPerfLoggingError: it cannot be read, or not judged.
        """
        LOG.info("Running compliance on file: %s", path)
        judged = judge_run(path, self.selection)
        verdict = judged.verdict
        LOG.info(
            " Compliance checks: %s/%s %s %s",
            verdict.usage,
            verdict.ruleset,
            verdict.division,
            verdict.benchmark,
        )
        found = [(path, finding) for finding in verdict.findings]
        errors = log_findings(found, quiet=self.quiet, werror=self.werror)
        return verdict.verdict == Outcome.PASSED and not errors, judged


def log_findings(
    found: Iterable[tuple[str, Finding]], *, quiet: bool = False, werror: bool = False
) -> list[tuple[str, Finding]]:
    """Log findings on files, but warnings that are not to be told; returns those that count as errors."""
    errors = []
    for path, finding in found:
        is_error = finding.severity == Severity.ERROR or werror
        if is_error or not quiet:
            place = f"{path}:{finding.line}" if finding.line else path
            level = logging.ERROR if is_error else logging.WARNING
            LOG.log(level, " %s: %s %s", place, finding.code, finding.message)
        if is_error:
            errors.append((path, finding))
    return errors


def count_train_samples(run: ScoredRun) -> ScoredRun:
    """The run as one that converged at the samples that it says it trained on in all."""
    if run.converged_at is None or run.trained_samples is None:
        return run
    return run._replace(converged_at=Progress(samples_count=run.trained_samples))


class LogLine(NamedTuple):
    """A record of a log.

    Attributes:
        full_string: the record as written, from its marker on.
        timestamp: as written: milliseconds since the epoch, in old dialects seconds.
        key: what was logged.
        value: ``{"value": …, "metadata": …}``.
        lineno: number of the record, counted from 0.
    """

    full_string: str
    timestamp: float
    key: str
    value: dict[str, Any]
    lineno: int


def read_lines(path: str, ruleset: str | None = None) -> tuple[list[LogLine], list[tuple[str, str]]]:
    """The records of a log in a round's dialect, and those that cannot be read, each with the reason.

    A record that only breaks the form of a result log, as power readings do, is one nevertheless.

    Raises:
        MLPerfLoggingError: the file cannot be read, or there is no such round.
    """
    newest = ruleset or list_rounds()[-1]
    wanted = find_round(open_rules().index(), newest).dialect
    dialects = [dialect for dialect in load_dialects() if dialect.name == wanted]
    items = [item for batch in read_batches(path, dialects=dialects) for item in batch]
    lines: list[LogLine] = []
    errors: list[tuple[str, str]] = []
    for item in items:
        if isinstance(item, Problem) and item.severity != Severity.ERROR:
            continue
        text = item.raw.decode(errors="backslashreplace").rstrip()
        fields = item._asdict() if isinstance(item, Event) else _read_leniently(item.raw)
        if fields is None:
            errors.append((text, item.message if isinstance(item, Problem) else ""))
            continue
        value = {"value": fields["value"], "metadata": fields["metadata"]}
        time = fields["time_ms"] / (1 if wanted == MLLOG else 1_000)
        lines.append(LogLine(text, float(time), fields["key"], value, len(lines) + len(errors)))
    return lines, errors


def _read_leniently(raw: bytes) -> dict[str, Any] | None:
    """The fields of a record that has all that are needed, whatever else is wrong; None where it has not."""
    _, brace, text = raw.partition(b"{")
    try:
        fields = json.loads(brace + text)
    except (ValueError, RecursionError):
        return None
    is_complete = {"key", "value", "metadata", "time_ms"} <= set(fields)
    return fields if is_complete and isinstance(fields["time_ms"], (int, float)) else None
