"""Stretches of time as ``with`` blocks, and the events that every submission logs, by name."""

from __future__ import annotations

import os

from mlperf_logging.mllog import constants, termination

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Any, Required, Self, TypedDict

    from mlperf_logging.mllog.mllog import MLLogger

    class IntervalOptions(TypedDict, total=False):
        """Options of an `Interval`, with the meanings given there."""

        stop: str | None
        namespace: str | None

    class SubmissionFacts(TypedDict, total=False):
        """Who submits what.

        Attributes:
            benchmark: name of the benchmark.
            org: the submitting organization.
            division: ``"closed"`` or ``"open"``.
            platform: the system that runs.
            status: availability of the system: ``"onprem"``, ``"cloud"`` or ``"research"``.
            poc_name: a person to ask.
            poc_email: the person's address.
            entry: a description of the entry.
        """

        benchmark: Required[str]
        org: Required[str]
        division: Required[str]
        platform: Required[str]
        status: Required[str]
        poc_name: str | None
        poc_email: str | None
        entry: object


START, STOP = "_start", "_stop"
CALLER = 2  # of the function here that calls the logger: the script's line
OUTER_CALLER = 3
REQUIRED_FACTS = ("benchmark", "org", "division", "platform", "status")


class Interval:
    """Logs the beginning and the end of a ``with`` block.

    The end is logged however the block is left; where that is by an exception, its metadata say
    ``"status": "aborted"``. A process that was forked inside the block logs no end.

    Args:
        logger: the logger to use.
        key: key of the beginning (``"epoch_start"``) or the common part of both keys (``"epoch"``).
        value: value of the beginning.
        metadata: metadata of both events.
        stop: key of the end, where it is not that of the beginning with ``stop`` for ``start``.
        namespace: overrides the default namespace.

    Attributes:
        value: value of the end; the block may set it.
        metadata: metadata of the end; the block may add to it.
    """

    def __init__(
        self,
        logger: MLLogger,
        key: str,
        value: object = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        stop: str | None = None,
        namespace: str | None = None,
    ) -> None:
        stem = key.removesuffix(START)
        self._logger = logger
        self._start_key = stem + START
        self._stop_key = stop or stem + STOP
        self._start_value = value
        self._namespace = namespace
        self.value: object = None
        self.metadata: dict[str, Any] = dict(metadata or {})

    def __enter__(self) -> Self:
        self._owner = os.getpid()
        self._logger.start(self._start_key, self._start_value, self.metadata, self._namespace, None, CALLER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if os.getpid() != self._owner:
            return
        if kind is not None:
            self.metadata.setdefault(constants.STATUS, constants.ABORTED)
        self._logger.end(self._stop_key, self.value, self.metadata, self._namespace, None, CALLER)


class Run:
    """Logs ``run_start`` at the beginning of a ``with`` block and ``run_stop`` at its end.

    The status of ``run_stop`` is ``"success"``, or ``"aborted"`` when the block is left by an exception, when
    `abort` was called, or when the process is told to stop or exits before the block ends. A process that was
    forked inside the block logs no ``run_stop``.

    Args:
        parent: the logger whose settings it takes over.
        metadata: fields that every event of the run carries.

    Attributes:
        logger: the logger of the run; its methods for events are the run's own too.
        status: how the run ended; set it to say so before the block ends.
    """

    def __init__(self, parent: MLLogger, metadata: Mapping[str, Any]) -> None:
        self.logger = parent.bind(**metadata)
        self.event, self.start, self.end = self.logger.event, self.logger.start, self.logger.end
        self.interval, self.bind = self.logger.interval, self.logger.bind
        self.status: str | None = None
        self._watch: termination.EndWatch | None = None

    def __enter__(self) -> Self:
        self.start(constants.RUN_START, stack_offset=CALLER)
        self._watch = termination.EndWatch(self._stop_early)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.abort()
        self._stop(CALLER + 1)

    def abort(self) -> None:
        """Let the run end as ``"aborted"``, for example because it did not reach its target."""
        self.status = constants.ABORTED

    def _stop_early(self) -> None:
        self.abort()
        self._stop(CALLER)

    def _stop(self, stack_offset: int) -> None:
        with termination.held_back():
            watch, self._watch = self._watch, None
            if watch is not None and watch.is_own:
                watch.cancel()
                metadata = {constants.STATUS: self.status or constants.SUCCESS}
                self.end(constants.RUN_STOP, metadata=metadata, stack_offset=stack_offset)


def log_submission(
    logger: MLLogger, facts: Mapping[str, object], *, stack_offset: int = OUTER_CALLER
) -> None:
    """Log who submits what: an event for each of the given facts.

    Args:
        logger: the logger to use.
        facts: those of `SubmissionFacts`, and more of the kind; None: not given.
        stack_offset: which caller is the call site.

    Raises:
        TypeError: a required fact is missing.
    """
    missing = [name for name in REQUIRED_FACTS if name not in facts]
    if missing:
        raise TypeError(f"submission needs {', '.join(missing)}")
    for name, value in facts.items():
        if value is not None:
            logger.event(f"submission_{name}", value, stack_offset=stack_offset)


def log_hyperparameters(
    logger: MLLogger, values: Mapping[str, object], *, stack_offset: int = OUTER_CALLER
) -> None:
    """Log an event for each hyperparameter.

    Args:
        logger: the logger to use.
        values: values by log key, see `constants`.
        stack_offset: which caller is the call site.
    """
    for key, value in values.items():
        logger.event(key, value, stack_offset=stack_offset)
