"""Where log lines go: standard output and files, as ordinary `logging` handlers with a short cut.

A sink is a `logging.Handler`, so scripts may find it in ``logger.handlers``, remove it, give it a level, a
formatter or filters. As long as nobody does, the logger skips `logging.LogRecord` and hands whole lines to
`write_line`.

What a sink promises:

* a line is written whole, with one system call at the end of the file (``O_APPEND``), so lines of many
  threads and processes never mix;
* when writing fails (disk full, closed pipe, missing rights) the training goes on: the event goes to standard
  error, one warning says so, and one more when writing works again;
* a line that the system wrote only in part is blanked, so that no later line is glued to half of another.
"""

from __future__ import annotations

import logging

from mlperf_logging.mllog.files import FileSink
from mlperf_logging.mllog.streams import StdoutSink

__all__ = ["PRINTS", "SINK_TYPES", "FileSink", "StdoutSink", "pass_record", "set_stdout"]

PRINTS = "mllog_prints"
"""Attribute under which a logger remembers whether it is to print to standard output."""

SINK_TYPES = (StdoutSink, FileSink)
"""Handlers that take whole lines."""


def pass_record(logger: logging.Logger, sink: logging.Handler, line: str) -> None:
    """Hand a line to a sink that was given a level, a formatter or filters."""
    if sink.level <= logging.INFO:
        sink.handle(logger.makeRecord(logger.name, logging.INFO, __file__, 0, line, (), None))


def set_stdout(logger: logging.Logger, wanted: bool) -> None:
    """Let a logger print to standard output, once, or not at all."""
    printing = [handler for handler in logger.handlers if isinstance(handler, StdoutSink)]
    if wanted and not printing:
        logger.addHandler(StdoutSink())
    if not wanted:
        for handler in printing:
            logger.removeHandler(handler)
    setattr(logger, PRINTS, wanted)
