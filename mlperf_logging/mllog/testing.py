"""For tests of training scripts: see what they log.

::

    with capture_events() as events:
        train(steps=3)
    assert [event.key for event in events][-1] == "run_stop"
"""

from __future__ import annotations

import logging

from mlperf_logging.mllog.formatter import MARKER
from mlperf_logging.mllog.live import read_event
from mlperf_logging.mllog.mllog import MLLogger
from mlperf_logging.mllog.settings import get_mllogger
from mlperf_logging.mllog.sinks import LineSink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlperf_logging.events import Event


class MemorySink(LineSink):
    """Keeps lines in memory as a file would hold them, and the events in them in the order logged."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.events: list[Event] = []
        self.lines: list[str] = []

    def write_line(self, line: str) -> None:
        """Take a line; text that is not an event is kept only as a line."""
        for text in line.splitlines():
            self.lines.append(text)
            if text.startswith(MARKER):
                self.events.append(read_event(text, len(self.lines)))


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
        logger = self._logger
        self._before = logger.handlers, logger.level, logger.propagate, logger.disabled
        logger.handlers, logger.propagate, logger.disabled = [self._sink], False, False
        logger.setLevel(logging.INFO)
        return self._sink.events

    def __exit__(self, *_: object) -> None:
        self._logger.handlers, level, self._logger.propagate, self._logger.disabled = self._before
        self._logger.setLevel(level)
