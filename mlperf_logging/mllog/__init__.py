"""Log training runs: ``from mlperf_logging import mllog``.

The names of the public logging API are here with their meaning and line format: `get_mllogger`, `config`,
`MLLogger`, `constants`, and the module `mllog`. On top of them stand `event`, `start` and `end` of the shared
logger, `interval`, `run` and `bind`, and the events that every submission needs: `submission`, `seed`,
`hyperparameters`. Sub-packages: `callbacks` for training frameworks, `testing` for tests of training scripts.
"""

from __future__ import annotations

from mlperf_logging.mllog import constants, mllog
from mlperf_logging.mllog.mllog import MLLogger
from mlperf_logging.mllog.settings import config, get_mllogger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Unpack

    from mlperf_logging.mllog.scopes import Interval, IntervalOptions, Run, SubmissionFacts

    mllogger: MLLogger

__all__ = [
    "MLLogger",
    "bind",
    "config",
    "constants",
    "end",
    "event",
    "get_mllogger",
    "hyperparameters",
    "interval",
    "mllog",
    "mllogger",
    "run",
    "seed",
    "start",
    "submission",
]


def __getattr__(name: str) -> Any:
    if name == "mllogger":  # made when it is first asked for
        return get_mllogger()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def event(
    key: str,
    value: object = None,
    metadata: Mapping[str, Any] | None = None,
    namespace: str | None = None,
    time_ms: float | None = None,
    stack_offset: int | None = None,
    clear_line: bool | None = None,
) -> None:
    """Log something that happens at a moment, with the shared logger; see `MLLogger.event`."""
    logger = get_mllogger()
    offset = (logger.default_stack_offset if stack_offset is None else stack_offset) + 1
    logger.event(key, value, metadata, namespace, time_ms, offset, clear_line)


def start(
    key: str,
    value: object = None,
    metadata: Mapping[str, Any] | None = None,
    namespace: str | None = None,
    time_ms: float | None = None,
    stack_offset: int | None = None,
    clear_line: bool | None = None,
) -> None:
    """Log the beginning of a stretch of time, with the shared logger; see `MLLogger.event`."""
    logger = get_mllogger()
    offset = (logger.default_stack_offset if stack_offset is None else stack_offset) + 1
    logger.start(key, value, metadata, namespace, time_ms, offset, clear_line)


def end(
    key: str,
    value: object = None,
    metadata: Mapping[str, Any] | None = None,
    namespace: str | None = None,
    time_ms: float | None = None,
    stack_offset: int | None = None,
    clear_line: bool | None = None,
) -> None:
    """Log the end of a stretch of time, with the shared logger; see `MLLogger.event`."""
    logger = get_mllogger()
    offset = (logger.default_stack_offset if stack_offset is None else stack_offset) + 1
    logger.end(key, value, metadata, namespace, time_ms, offset, clear_line)


def interval(
    key: str,
    value: object = None,
    metadata: Mapping[str, Any] | None = None,
    **options: Unpack[IntervalOptions],
) -> Interval:
    """Log beginning and end of a ``with`` block, with the shared logger; see `scopes.Interval`."""
    return get_mllogger().interval(key, value, metadata, **options)


def run(**metadata: Any) -> Run:
    """Log ``run_start`` and ``run_stop`` around a ``with`` block; see `scopes.Run`."""
    return get_mllogger().run(**metadata)


def bind(namespace: str | None = None, **metadata: Any) -> MLLogger:
    """Make a logger whose every event carries some values; see `MLLogger.bind`."""
    return get_mllogger().bind(namespace, **metadata)


def submission(*, logger: MLLogger | None = None, **facts: Unpack[SubmissionFacts]) -> None:
    """Log who submits what: the events that identify a submission.

    Args:
        logger: the logger to use; default: the shared one.
        **facts: those of `scopes.SubmissionFacts`; others become events of the same kind.
    """
    from mlperf_logging.mllog.scopes import log_submission

    log_submission(logger or get_mllogger(), facts)


def seed(value: int, *, logger: MLLogger | None = None) -> None:
    """Log the seed of the random numbers."""
    (logger or get_mllogger()).event(constants.SEED, value, stack_offset=2)


def hyperparameters(values: Mapping[str, object], *, logger: MLLogger | None = None) -> None:
    """Log an event for each hyperparameter.

    Args:
        values: values by log key, see `constants`.
        logger: the logger to use; default: the shared one.
    """
    from mlperf_logging.mllog.scopes import log_hyperparameters

    log_hyperparameters(logger or get_mllogger(), values)
