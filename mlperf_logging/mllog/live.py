"""Judging events while they are logged, with the engine of ``mlperf-check``."""

from __future__ import annotations

import json
import os
import sys
import threading

from mlperf_logging.errors import RuleError, UsageError
from mlperf_logging.events import Event, Severity
from mlperf_logging.mllog import constants
from mlperf_logging.mllog.errors import ConfigError, ViolationError
from mlperf_logging.mllog.formatter import MARKER
from mlperf_logging.mllog.notices import print_notice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MISSING_CODE = "MLP301"
"""Findings of this code name a value that must be logged and is not."""
MAX_EARLY_EVENTS = 10_000
DIALECT = "mllog"


try:
    from orjson import loads as _decode
except ImportError:
    _decode = json.loads  # type: ignore[assignment]


def read_event(line: str, number: int) -> Event:
    """Read a log line that was just written, without its end; its number counts from 1."""
    text = line.lstrip()
    record = text[len(MARKER) + 1 :]
    try:
        fields = _decode(record)
    except ValueError:  # numbers beyond binary floating point, halves of surrogate pairs
        fields = json.loads(record)
    return Event(
        fields["key"],
        fields["value"],
        fields["metadata"],
        fields["time_ms"],
        number,
        1,
        text.encode(),
        fields["event_type"],
        fields["namespace"],
        None,
        DIALECT,
    )


class LiveCheck:
    """Feeds a judge with every logged event and reports what the run breaks, each violation once.

    Args:
        ruleset: usage and round, ``"<usage>/<round>"``; `ConfigError` if there is none.
        rules: folder of other rule files, or rules of an installed package; None for those of this package.
        on_violation: ``"warn"`` prints to standard error, ``"raise"`` raises `ViolationError` after the event
            was written (errors only, and not over an exception that is under way), ``"ignore"`` only keeps
            the findings. It may be changed later.

    Attributes:
        findings: everything found so far.
    """

    def __init__(
        self, ruleset: str, on_violation: str = "warn", rules: str | os.PathLike[str] | None = None
    ) -> None:
        self.ruleset = ruleset
        self.rules = rules
        self.on_violation = on_violation
        self.findings: list[Any] = []
        self._lock = threading.RLock()
        self._count = 0
        self._early: list[Event] = []
        self._is_prepared = False
        self._told: set[tuple[str, str | None]] = set()
        try:
            self._judge = self._start_judge()
        except (UsageError, RuleError) as error:
            raise ConfigError(f"check: {error}") from error

    def judge_line(self, line: str) -> None:
        """Judge the event of a log line that was just written; ``run_stop`` ends the run and its judging."""
        with self._lock:
            if self._judge is None:
                return
            self._count += 1
            event = read_event(line, self._count)
            if type(event.key) is not str:
                return
            try:
                found = self._feed(event)
            except Exception as error:  # noqa: BLE001 - a fault of the rules or of the judge must not stop a training
                self._judge = None
                print_notice(f"mllog: the live check stops because it cannot judge: {error!r}")
                return
            if found:
                self._report(found, f"{event.metadata.get('file')}:{event.metadata.get('lineno')}")

    def _feed(self, event: Event) -> list[Any]:
        found: list[Any] = self._judge.feed(event)
        if len(self._early) < MAX_EARLY_EVENTS and not self._is_prepared:
            self._early.append(event)
            if event.key == constants.INIT_STOP:
                self._tell_missing()
        if event.key == constants.RUN_STOP:
            found = [*found, *self._judge.finish()]
            self._judge = self._start_judge()
            self._early.clear()
            self._is_prepared = False
        return found

    def _start_judge(self) -> Any:
        from mlperf_logging.compliance.live import start_judge

        return start_judge(ruleset=self.ruleset, rules=self.rules)

    def _tell_missing(self) -> None:
        """Before the clock starts, print which values the rules require and were not logged.

        That is not a violation yet, because they may still come; at ``run_stop`` it is, and too late to fix.
        """
        self._is_prepared = True
        if self.on_violation == "ignore":
            return
        judge = self._start_judge()
        for event in self._early:
            judge.feed(event)
        missing = sorted({finding.key for finding in judge.finish() if finding.code == MISSING_CODE})
        self._early.clear()
        if missing:
            print_notice(f"mllog: not logged so far, and required by {self.ruleset}: {', '.join(missing)}")

    def _report(self, found: list[Any], place: str) -> None:
        self.findings += found
        if self.on_violation == "ignore":
            return
        fresh = [finding for finding in found if (finding.rule, finding.key) not in self._told]
        self._told.update((finding.rule, finding.key) for finding in fresh)
        errors = tuple(finding for finding in found if finding.severity == Severity.ERROR)
        if self.on_violation == "raise" and errors and sys.exc_info()[0] is None:
            raise ViolationError(f"{place}: {_describe(errors[0])}", errors)
        for finding in fresh:
            print_notice(f"mllog: {place}: {finding.severity} {_describe(finding)}")


def _describe(finding: Any) -> str:
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"{finding.code} {finding.rule}: {finding.message}{hint}"
