"""One command run by a fuzzed input, and what must hold of its answer."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from command_inputs import CommandInput
from commands import Done, run_mlperf
from promises import BrokenPromiseError, check_output, check_text

from mlperf_logging.rules import repository

FAULTS = ("Traceback (most recent call last)", "the command itself failed", "the checker itself failed")
EXIT_CODES = {
    "check": {0, 1, 2},
    "package": {0, 1, 2},
    "score": {0, 1, 2},
    "rcp": {0, 1, 2},
    "summary": {0, 1, 2},
    "rules": {0, 1, 2},
}
"""The documented exit codes of commands; those of the others are 0 and 2."""


@contextlib.contextmanager
def standard_input(content: bytes) -> Iterator[None]:
    """Give the commands of this process a standard input."""
    former = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(content))
    try:
        yield
    finally:
        sys.stdin = former


@contextlib.contextmanager
def fresh_rules() -> Iterator[None]:
    """Open folders of rules anew, as a process of its own does; the package's own rules stay open."""
    known = {repository.RULES_FOLDER: repository.open_rules()}

    def open_once(folder: str) -> repository.RuleRepository:
        if folder not in known:
            known[folder] = repository.RuleRepository(folder)
        return known[folder]

    with mock.patch.object(repository, "_open_once", open_once):
        yield


def run_command(given: CommandInput, folder: Path) -> Done:
    """Run the command over the files that are there."""
    with standard_input(given.given), fresh_rules():
        return run_mlperf(*given.arguments, folder=folder)


def check_command(given: CommandInput, done: Done, folder: Path) -> None:
    """What must hold of the exit code and of what was written."""
    for fault in FAULTS:
        if fault in done.stderr or fault.encode() in done.output:
            raise BrokenPromiseError(_find_line(done.stderr + done.output.decode("utf-8", "replace"), fault))
    if "Warning: " in done.stderr:
        raise BrokenPromiseError(_find_line(done.stderr, "Warning: "))
    check_text(done.stderr)
    if done.returncode not in EXIT_CODES.get(given.kind, {0, 2}):
        raise BrokenPromiseError(f"exit code {done.returncode}")
    written = done.output
    if given.output is not None:
        path = folder / given.output.replace("out/../", "")
        if done.output and given.kind != "train":
            raise BrokenPromiseError("standard output holds text though the answer goes to a file")
        written = path.read_bytes() if path.exists() else b""
    if list(folder.glob("*.part")):
        raise BrokenPromiseError("a draft was left")
    if not written:
        if done.returncode != 2 and given.form not in ("github", "jsonl", "concise", "log"):
            raise BrokenPromiseError("nothing was answered")
        if done.returncode == 2 and not done.stderr:
            raise BrokenPromiseError("exit code 2 without a word")
        return
    document = check_output(given.form, written, given.line_counts)
    if given.kind == "check" and document is not None:
        _check_totals(document["totals"], done.returncode)


def _check_totals(totals: dict[str, int], code: int) -> None:
    wanted = 2 if totals["error"] else 1 if totals["fail"] else 0
    if code not in (wanted, 2):
        raise BrokenPromiseError(f"exit code {code} for {totals}")


def _find_line(text: str, part: str) -> str:
    lines = [line for line in text.splitlines() if part in line]
    return lines[0][:2_000] if part != FAULTS[0] else text[-2_000:]
