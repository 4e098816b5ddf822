"""What evaluations gave: one number for each metric of each evaluation, in every dialect."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from mlperf_logging.events import Event
from mlperf_logging.runs.intervals import Progress, read_progress
from mlperf_logging.runs.progress import to_float

EVALUATION_KEYS = ("eval_accuracy", "eval_error", "aggregated_eval_accuracy", "averaged_validation_loss")


class Evaluation(NamedTuple):
    """One value that an evaluation gave. Where several metrics are logged at once, each is one of these.

    Attributes:
        key: the log key ("eval_accuracy", "eval_error", …).
        value: the number; None where none was logged. A number logged as text is a number here.
        metric: name of the metric where the log gives one, else None.
        progress: how far training had come.
        time_ms: when it was logged, in milliseconds since the epoch.
        event: the event that it was logged with.
    """

    key: str
    value: float | None
    metric: str | None
    progress: Progress
    time_ms: float
    event: Event


def read_evaluations(events: Iterable[Event]) -> Iterator[Evaluation]:
    """What evaluations gave, one value for each metric, in the order of their events (of `EVALUATION_KEYS`)."""
    for event in events:
        progress = read_progress(event)
        value = event.value
        if event.benchmark is not None and isinstance(value, dict) and "value" in value:
            value = value["value"]  # the oldest dialect has no metadata: the epoch is next to the value
        metric = read_text(event.metadata.get("metric"))
        for name, number in spread_metrics(value, metric):
            yield Evaluation(event.key, read_number(number), name, progress, event.time_ms, event)


def spread_metrics(value: Any, metric: str | None) -> Iterator[tuple[str | None, Any]]:
    """Name and value of each metric: one, an object of several, a list, or an object around these.

    Args:
        value: what was logged.
        metric: name of a value that is neither an object nor a list.
    """
    if isinstance(value, dict):
        for name, part in value.items():
            if isinstance(part, (dict, list)):
                yield from spread_metrics(part, metric)
            else:
                yield str(name), part
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield str(index), part
    else:
        yield metric, value


def read_text(value: Any) -> str | None:
    """A text, or None for any other JSON value."""
    return value if isinstance(value, str) else None


def read_number(value: Any) -> float | None:
    """A number that fits a float, also one that was logged as text; None for any other JSON value."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value if abs(value) <= sys.float_info.max else to_float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return None
