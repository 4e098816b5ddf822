"""For tests of training scripts: see what they log.

::

    with capture_events() as events:
        train(steps=3)
    assert [event.key for event in events][-1] == "run_stop"
"""

from __future__ import annotations

import json
import logging

from mlperf_logging.events import Event
from mlperf_logging.mllog.mllog import MARKER, MLLogger
from mlperf_logging.mllog.settings import get_mllogger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


class MemorySink(logging.Handler):
    """Keeps events in memory.

    Attributes:
        events: the events, in the order logged; ``line`` counts the lines that came here.
        lines: the lines as a file would hold them.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.events: list[Event] = []
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record; text that is no event is kept as a line only."""
        for line in self.format(record).splitlines():
            self.lines.append(line)
            marker, _, payload = line.partition(" ")
            if marker != MARKER:
                continue
            entry = json.loads(payload)
            self.events.append(
                Event(
                    entry["key"],
                    entry["value"],
                    entry["metadata"],
                    entry["time_ms"],
                    len(self.lines),
                    1,
                    line.encode(),
                    entry["event_type"],
                    entry["namespace"],
                    None,
                    "mllog",
                )
            )


class capture_events:  # noqa: N801 - read as a phrase: with capture_events() as events: …
    """Context in which events go to a list instead of the logger's handlers.

    Args:
        logger: the logger to capture; default: the shared one.
    """

    def __init__(self, logger: MLLogger | logging.Logger | None = None) -> None:
        self._target = logger
        self._sink = MemorySink()

    def __enter__(self) -> list[Event]:
        target = self._target or get_mllogger()
        self._logger = target.logger if isinstance(target, MLLogger) else target
        self._before = (
            self._logger.handlers,
            self._logger.level,
            self._logger.propagate,
            self._logger.disabled,
        )
        self._logger.handlers = [self._sink]
        self._logger.setLevel(logging.INFO)
        self._logger.propagate = False
        self._logger.disabled = False
        return self._sink.events

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._logger.handlers, level, self._logger.propagate, self._logger.disabled = self._before
        self._logger.setLevel(level)
