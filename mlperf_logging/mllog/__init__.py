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
    from typing import Any

    from mlperf_logging.mllog.scopes import Interval, Run

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
    """Log the begin of a stretch of time, with the shared logger; see `MLLogger.event`."""
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
    key: str, value: object = None, metadata: Mapping[str, Any] | None = None, **options: Any
) -> Interval:
    """Log begin and end of a ``with`` block, with the shared logger; see `scopes.Interval`."""
    return get_mllogger().interval(key, value, metadata, **options)


def run(**metadata: Any) -> Run:
    """Log ``run_start`` and ``run_stop`` around a ``with`` block; see `scopes.Run`."""
    return get_mllogger().run(**metadata)


def bind(namespace: str | None = None, **metadata: Any) -> MLLogger:
    """Make a logger whose every event carries some values; see `MLLogger.bind`."""
    return get_mllogger().bind(namespace, **metadata)


def submission(
    *,
    benchmark: str,
    org: str,
    division: str,
    platform: str,
    status: str,
    logger: MLLogger | None = None,
    **more: Any,
) -> None:
    """Log who submits what: the events that identify a submission.

    Args:
        benchmark: name of the benchmark.
        org: the submitting organisation.
        division: ``"closed"`` or ``"open"``.
        platform: the system that runs.
        status: availability of the system: ``"onprem"``, ``"cloud"`` or ``"research"``.
        logger: the logger to use; default: the shared one.
        **more: further facts, such as ``poc_name``, ``poc_email`` or ``entry``.
    """
    from mlperf_logging.mllog.scopes import log_submission

    log_submission(
        logger or get_mllogger(),
        benchmark=benchmark,
        org=org,
        division=division,
        platform=platform,
        status=status,
        **more,
    )


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
