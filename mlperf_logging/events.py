"""Events: the frozen values that every part of the toolkit shares. No I/O, no policy."""

import sys
from typing import Any, NamedTuple

if sys.version_info >= (3, 11):
    from enum import StrEnum
else:
    from enum import Enum

    class StrEnum(str, Enum):
        """An enumeration whose members are their text, as the standard library has it from Python 3.11 on."""

        __str__ = str.__str__


class EventKind(StrEnum):
    """What an event says about time, under the names that the log lines use."""

    POINT_IN_TIME = "POINT_IN_TIME"
    INTERVAL_START = "INTERVAL_START"
    INTERVAL_END = "INTERVAL_END"


class Division(StrEnum):
    """The divisions that a result can be submitted to."""

    CLOSED = "closed"
    OPEN = "open"


DIVISIONS = tuple(str(division) for division in Division)
"""The names of the divisions, as logs and command lines write them."""


class Severity(StrEnum):
    """How much a finding or a problem weighs: an error makes a log not compliant, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Outcome(StrEnum):
    """What judging a log came to; unjudged: the tool could not do it."""

    PASSED = "pass"
    FAILED = "fail"
    UNJUDGED = "error"


MS_PER_MINUTE = 60_000


def minutes_between(start_ms: float, stop_ms: float) -> float:
    """The minutes from one time to another, negative where the second is the earlier one."""
    return to_minutes(stop_ms - start_ms)


def to_minutes(duration_ms: float) -> float:
    """A duration in minutes, divided in the two steps of the public tools, so that scores are equal to the last digit."""
    return duration_ms / 60 / 1_000


class Position(NamedTuple):
    """A place in a log file.

    Attributes:
        line: number of the line, counted from 1; line feeds end lines.
        column: byte offset within the line, counted from 1.
    """

    line: int
    column: int


class Event(NamedTuple):
    """One logged event, whatever dialect it was written in.

    Attributes:
        key: what was logged, for example ``"run_start"``.
        value: the logged value, decoded from JSON; None where nothing was logged.
        metadata: the event's metadata object (the oldest dialect has none: empty).
        time_ms: time of the event in milliseconds since the Unix epoch.
        line: number of the line in the file, counted from 1.
        column: byte offset of the record's marker within its line, counted from 1.
        raw: the record's bytes, from the marker to the end of the record.
        event_type: one of the `EventKind` values as text, or None if the log has none.
        namespace: the logged namespace (any JSON value occurs in real logs).
        benchmark: the word after the marker in the oldest dialect, else None.
        dialect: name of the log dialect that the record is written in.
    """

    key: str
    value: Any
    metadata: dict[str, Any]
    time_ms: int | float
    line: int
    column: int
    raw: bytes
    event_type: str | None = None
    namespace: Any = ""
    benchmark: str | None = None
    dialect: str = ""

    @property
    def position(self) -> Position:
        """Where the event is in its file."""
        return Position(self.line, self.column)


class Problem(NamedTuple):
    """A place in a log that could not be read as written, or only with a doubt.

    Attributes:
        code: ``MLP0xx``, the kind of problem.
        label: short stable name, for example ``"metadata-not-an-object"``.
        severity: ``"error"`` (the log is not compliant) or ``"warning"``.
        line: line number counted from 1.
        column: byte offset of the error within the line, counted from 1.
        message: one sentence: what is wrong and, where it helps, how to fix it.
        raw: the record's bytes from its marker on, cut at a bounded length.
        key: the key of the record where it is known.
        dialect: name of the log dialect of the record.
        found: what the record contains there, in short; empty where the message says it all.
        occurrences: how many problems of its kind it stands for; those beyond a number are not told one by one.
    """

    code: str
    label: str
    severity: Severity
    line: int
    column: int
    message: str
    raw: bytes
    key: str | None = None
    dialect: str = ""
    found: str = ""
    occurrences: int = 1
