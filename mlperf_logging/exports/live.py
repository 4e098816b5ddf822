"""Exporting a run while it is logged: events in, the same names, steps and values out as from its log afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from mlperf_logging.events import Event, minutes_between
from mlperf_logging.exports.names import LONGEST_TAG, PlainValue, clean_name, clean_values, plain_value
from mlperf_logging.exports.points import Point, PointReader, clean_time
from mlperf_logging.exports.run_export import SUMMARY_FOLDER, UNKNOWN, RunEnd, RunHead
from mlperf_logging.exports.writers import BaseSession, BaseWriter
from mlperf_logging.runs.run import NO_SERIES_KEYS, SEED_KEYS
from mlperf_logging.runs.series import NUMBERS
from mlperf_logging.runs.summary import RUN_START, RUN_STOP, read_status

MOST_PARAMS = 10_000
"""So many parameters are kept."""

_SUBMISSION = "submission_"
_NO_PARAMS = NO_SERIES_KEYS - {"train_samples"}
_TAGS = {
    "submission_benchmark": "benchmark",
    "submission_org": "submitter",
    "submission_platform": "system",
    "submission_division": "division",
}


class LiveExport:
    """Takes the events of one process in their order and exports each run that they tell of.

    A run's export begins at ``run_start``, when all that identifies it has been logged, or at the first number of an
    evaluation before it. It ends at ``run_stop``.

    Args:
        writer: where it goes.
        may_begin: asked when an export is to begin; where it says no, this process exports nothing.
    """

    def __init__(self, writer: BaseWriter, may_begin: Callable[[], bool]) -> None:
        self._writer, self._may_begin = writer, may_begin
        self._is_off = False
        self._begin_again()

    def _begin_again(self) -> None:
        self._reader = PointReader()
        self._session: BaseSession | None = None
        self._params: dict[str, Any] = {}
        self._tags: dict[str, PlainValue] = {}
        self._shown: set[str] = set()
        self._points: list[Point] = []
        self._last_step = 0
        self._start_ms: float | None = None
        self._last_ms = 0.0

    def take(self, event: Event) -> None:
        """Take an event; what goes wrong raises the tool's own errors."""
        if self._is_off or type(event.key) is not str or type(event.time_ms) not in NUMBERS:
            return
        event = event._replace(time_ms=clean_time(event.time_ms, self._last_ms))
        self._last_ms = event.time_ms
        points = self._reader.read(event)
        self._points += points
        if points:
            self._last_step = points[-1].step
        self._note(event)
        if event.key == RUN_START and self._start_ms is None:
            self._start_ms = event.time_ms
        if self._session is None and (event.key == RUN_START or points):
            self._open(event.time_ms)
        if event.key == RUN_STOP:
            self._finish(event)

    def flush(self) -> None:
        """Show what was taken so far."""
        if self._session is not None:
            points, self._points = self._points, []
            if points:
                self._session.log(points)
                self._session.flush()

    def close(self) -> None:
        """End what is open, as a run without an end."""
        if self._session is not None:
            self._end(RunEnd(None, self._last_ms))
        self._writer.close()

    def _note(self, event: Event) -> None:
        key, value = event.key, event.value
        if key in _TAGS:
            self._tags.setdefault(_TAGS[key], plain_value(value, LONGEST_TAG))
        elif key in SEED_KEYS:
            self._tags.setdefault("seed", plain_value(value, LONGEST_TAG))
        elif not (value is None or key in _NO_PARAMS or key.startswith(_SUBMISSION)) and (
            key in self._params or len(self._params) < MOST_PARAMS
        ):
            self._params[key] = value

    def _list_params(self) -> dict[str, Any]:
        params, series = self._params, self._reader.series_keys
        return clean_values({key: value for key, value in params.items() if key not in series})

    def _open(self, time_ms: float) -> None:
        if not self._may_begin():
            self._is_off = True
            return
        listed = clean_name(str(self._tags.get("benchmark") or UNKNOWN))
        moment = datetime.fromtimestamp(time_ms / 1000, timezone.utc).strftime("%Y-%m-%d %H.%M.%S")
        parts = [
            str(self._tags[name]).replace("/", "_") for name in ("submitter", "system") if name in self._tags
        ]
        params = self._list_params()
        self._shown = set(params)
        name = clean_name("/".join([listed, *parts, moment]))
        self._session = self._writer.open(RunHead(name, listed, time_ms, params, dict(self._tags)))

    def _finish(self, stop: Event) -> None:
        if self._start_ms is not None:
            minutes = minutes_between(self._start_ms, stop.time_ms)
            name = f"{SUMMARY_FOLDER}/run_minutes"
            self._points.append(Point(name, self._last_step, stop.time_ms, minutes))
        status = read_status(stop)
        if self._session is not None:
            self._end(RunEnd(status, stop.time_ms, tags={} if status is None else {"status": status}))
        self._begin_again()

    def _end(self, end: RunEnd) -> None:
        assert self._session is not None  # noqa: S101 - who calls has looked
        self.flush()
        late = {key: value for key, value in self._list_params().items() if key not in self._shown}
        self._session.finish(end._replace(params=late))
        self._session = None
