"""Log training runs: ``from mlperf_logging import mllog``.

The names of the public logging API are here with their meaning and line format: `get_mllogger`, `config`,
`MLLogger`, `constants`, and the module `mllog`. Added to them are `event`, `start` and `end` of the shared
logger, `interval`, `run` and `bind`, and the events that every submission needs: `submission`, `seed`,
`hyperparameters`. Sub-packages: `callbacks` for training frameworks, `testing` for tests of training scripts.
"""

from __future__ import annotations

from mlperf_logging.mllog import constants, mllog, termination
from mlperf_logging.mllog.mllog import MLLogger
from mlperf_logging.mllog.settings import config, get_mllogger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from typing_extensions import Unpack

    from mlperf_logging.mllog.facts import SubmissionFacts

    mllogger = get_mllogger()
    bind, interval, run = mllogger.bind, mllogger.interval, mllogger.run
    event, start, end = mllogger.event, mllogger.start, mllogger.end

SHARED_METHODS = frozenset(("bind", "end", "event", "interval", "run", "start"))
"""Methods of the shared logger that are functions of this module, too."""

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


termination.listen()


def __getattr__(name: str) -> Any:
    """What belongs to the shared logger, which is made when it is first asked for."""
    if name == "mllogger":
        return get_mllogger()
    if name in SHARED_METHODS:
        return getattr(get_mllogger(), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def submission(*, logger: MLLogger | None = None, **facts: Unpack[SubmissionFacts]) -> None:
    """Log who submits what: the events that identify a submission.

    Args:
        logger: the logger to use; default: the shared one.
        **facts: those of `facts.SubmissionFacts`; others become events of the same kind.
    """
    from mlperf_logging.mllog.facts import name_facts

    target = logger or get_mllogger()
    for key, fact in name_facts(facts).items():
        target.event(key, fact, stack_offset=2)


def seed(value: int, *, logger: MLLogger | None = None) -> None:
    """Log the seed of the random numbers."""
    (logger or get_mllogger()).event(constants.SEED, value, stack_offset=2)


def hyperparameters(values: Mapping[str, object], *, logger: MLLogger | None = None) -> None:
    """Log an event for each hyperparameter.

    Args:
        values: values by log key, see `constants`.
        logger: the logger to use; default: the shared one.
    """
    target = logger or get_mllogger()
    for key, value in values.items():
        target.event(key, value, stack_offset=2)
