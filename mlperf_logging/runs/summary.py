"""The summary of a run: from the first ``run_start`` to the last ``run_stop``, and how it ended."""

from __future__ import annotations

from math import isnan
from typing import Any, NamedTuple

from mlperf_logging.events import Event, minutes_between

INIT_START, RUN_START, RUN_STOP = "init_start", "run_start", "run_stop"
SUCCESS, ABORTED = "success", "aborted"


class RunSummary(NamedTuple):
    """When a run began and ended, and how, as logged.

    Attributes:
        start_ms: time of the first ``run_start`` in milliseconds since the epoch, or None.
        stop_ms: time of the last ``run_stop``, or None.
        status: status that ``run_stop`` gives ("success", "aborted", …), or None.
        minutes: stop minus start in minutes, or None.
    """

    start_ms: float | None = None
    stop_ms: float | None = None
    status: str | None = None
    minutes: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the run says that it reached its quality target."""
        return self.status == SUCCESS


def make_summary(start_ms: float | None, stop: Event | None) -> RunSummary:
    """The summary of a run, by the time of its first ``run_start`` and its last ``run_stop``; NaN is no time."""
    start_ms = None if start_ms is None or isnan(start_ms) else start_ms
    if stop is None:
        return RunSummary(start_ms)
    if isnan(stop.time_ms):
        return RunSummary(start_ms, None, read_status(stop))
    minutes = minutes_between(start_ms, stop.time_ms) if start_ms is not None else None
    return RunSummary(start_ms, stop.time_ms, read_status(stop), minutes)


def read_status(stop: Event) -> str | None:
    """How a run ended, by its ``run_stop``: the metadata's status, or in the oldest dialect the value's success."""
    status = stop.metadata.get("status")
    if status is None and isinstance(stop.value, dict):
        status = stop.value.get("status")
        if status is None and "success" in stop.value:
            status = SUCCESS if _is_true(stop.value["success"]) else ABORTED
    return None if status is None else str(status)


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")
