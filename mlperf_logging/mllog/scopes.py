"""Stretches of time as ``with`` blocks, and the events that every submission logs, by name."""

from __future__ import annotations

from mlperf_logging.mllog import constants, termination
from mlperf_logging.mllog.mllog import MLLogger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Any, Self

START, STOP = "_start", "_stop"
CALLER = 2  # of the function here that calls the logger: the script's line
OUTER_CALLER = 3


class Interval:
    """Logs the begin and the end of a ``with`` block.

    The end is logged however the block is left; where that is by an exception, its metadata say
    ``"status": "aborted"``.

    Args:
        logger: the logger to use.
        key: key of the begin (``"epoch_start"``) or the common part of both keys (``"epoch"``).
        value: value of the begin.
        metadata: metadata of both events.
        stop: key of the end, where it is not that of the begin with ``stop`` for ``start``.
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
        self._logger.start(self._start_key, self._start_value, self.metadata, self._namespace, None, CALLER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.metadata.setdefault(constants.STATUS, constants.ABORTED)
        self._logger.end(self._stop_key, self.value, self.metadata, self._namespace, None, CALLER)


class Run(MLLogger):
    """A logger for one run: ``run_start`` at the begin of a ``with`` block, ``run_stop`` at its end.

    The status of ``run_stop`` is ``"success"``, or ``"aborted"`` when the block is left by an exception, when
    `abort` was called, or when the process is told to stop or exits before the block ends.

    Args:
        parent: the logger whose settings it takes over.
        metadata: fields that every event of this logger carries.

    Attributes:
        status: how the run ended; set it to say so before the block ends.
    """

    def __init__(self, parent: MLLogger, metadata: Mapping[str, Any]) -> None:
        parent._copy_to(self, None, metadata)
        self.status: str | None = None
        self._is_open = False
        self._call_off: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        self.start(constants.RUN_START, stack_offset=CALLER)
        self._is_open = True
        self._call_off = termination.watch_end(self._stop_early)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.status = constants.ABORTED
        self._stop(CALLER + 1)

    def abort(self) -> None:
        """Let the run end as ``"aborted"``, for example because it did not reach its target."""
        self.status = constants.ABORTED

    def _stop_early(self) -> None:
        self.abort()
        self._stop(CALLER)

    def _stop(self, stack_offset: int) -> None:
        if not self._is_open:
            return
        self._is_open = False
        if self._call_off is not None:
            self._call_off()
        metadata = {constants.STATUS: self.status or constants.SUCCESS}
        self.end(constants.RUN_STOP, metadata=metadata, stack_offset=stack_offset)


def log_submission(
    logger: MLLogger,
    *,
    benchmark: str,
    org: str,
    division: str,
    platform: str,
    status: str,
    stack_offset: int = OUTER_CALLER,
    **more: Any,
) -> None:
    """Log who submits what: an event for each of the given facts.

    Args:
        logger: the logger to use.
        benchmark: name of the benchmark.
        org: the submitting organisation.
        division: ``"closed"`` or ``"open"``.
        platform: the system that runs.
        status: availability of the system: ``"onprem"``, ``"cloud"`` or ``"research"``.
        stack_offset: which caller is the call site.
        **more: further facts, such as ``poc_name``, ``poc_email`` or ``entry``.
    """
    facts = {"benchmark": benchmark, "org": org, "division": division, "platform": platform, "status": status}
    for name, value in {**facts, **more}.items():
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
