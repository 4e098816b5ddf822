"""The exception family. Every message says what is wrong, where, and what to do about it."""

from __future__ import annotations

import os

FAILED_ON_LOG = "the checker itself failed on this log"

MAX_MESSAGE = 1_000
"""Longest message on a rule file, in characters."""


MAX_REASON = 200
"""Longest text of a foreign library's error that is shown, in characters."""


class MLPerfLoggingError(Exception):
    """Base of every exception that this package raises on purpose."""


class UsageError(MLPerfLoggingError):
    """The caller asked for something that cannot be done: an argument, a name, a combination."""


class UnreadableLogError(MLPerfLoggingError):
    """A log cannot be opened or its compression is broken.

    Attributes:
        path: the file as the caller named it.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


class RuleError(MLPerfLoggingError):
    """A rule file is wrong; never the submitter's fault.

    Attributes:
        path: the rule file.
        line: line in the rule file, counted from 1, or None if there is none.
        rule: id of the rule, where it is known.
    """

    def __init__(
        self, message: str, *, path: str | None = None, line: int | None = None, rule: str | None = None
    ) -> None:
        if len(message) > MAX_MESSAGE:  # it quotes what a stranger wrote
            message = f"{message[:MAX_MESSAGE]}…"
        place = f"{path}:{line}" if path and line else path or ""
        named = f"rule {rule}: " if rule else ""
        super().__init__(f"{place}: {named}{message}" if place else f"{named}{message}")
        self.path = path
        self.line = line
        self.rule = rule


class WaiverError(MLPerfLoggingError):
    """A waiver file is wrong, or one of its waivers has expired."""


class ArchiveError(MLPerfLoggingError):
    """An archive of a submission is unsafe or damaged, or is not what its manifest says."""


class StoreError(MLPerfLoggingError):
    """A store of logs cannot be opened, read or written, or a query of it is wrong."""


def describe_reason(error: Exception) -> str:
    """What a foreign library says about a failure, in one line that is not too long."""
    text = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    line = str(text).partition("\n")[0]
    return line if len(line) <= MAX_REASON else f"{line[:MAX_REASON]}…"


def describe_fault(error: Exception, what: str) -> str:
    """One sentence about an error of this package's own: what failed, the error, and the line that raised it."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    code = last.tb_frame.f_code if last is not None else None
    place = f"{os.path.basename(code.co_filename)}:{last.tb_lineno}" if code and last else "unknown place"
    return f"{what}: {type(error).__name__}: {error} ({place})"
