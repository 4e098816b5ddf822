"""The helpers for tests of training scripts."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from mlperf_logging import mllog
from mlperf_logging.mllog.testing import capture_events


@pytest.mark.usefixtures("shared_logger")
def test_captured_events_go_nowhere_else(capsys: pytest.CaptureFixture[str]) -> None:
    """Inside the block events are in the list, complete; before and after they are printed."""
    mllog.event("before")
    with capture_events() as events:
        mllog.start("inside", {"a": 1}, metadata={"b": 2}, time_ms=5, namespace="n")
        assert len(events) == 1
    mllog.event("after")
    (event,) = events
    assert (event.key, event.value, event.metadata["b"], event.time_ms) == ("inside", {"a": 1}, 2, 5)
    assert (event.event_type, event.namespace, event.line) == ("INTERVAL_START", "n", 1)
    assert event.raw.startswith(b':::MLLOG {"namespace": "n"')
    out = capsys.readouterr().out
    assert ("before" in out, "inside" in out, "after" in out) == (True, False, True)


def test_capture_of_a_logger_of_ones_own(recorder: Any) -> None:
    """An MLLogger or its logging.Logger can be captured, and gets everything back as it was."""
    recorder.target.setLevel(logging.ERROR)
    recorder.target.propagate = True
    for target in (recorder.logger, recorder.target):
        with capture_events(target) as events:
            recorder.logger.event("key", clear_line=True)
        assert [event.key for event in events] == ["key"]
    assert (recorder.target.level, recorder.target.propagate) == (logging.ERROR, True)
    assert recorder.sink in recorder.target.handlers
    assert recorder.sink.events == []


def test_capture_ends_on_exceptions(recorder: Any) -> None:
    """The handlers come back also when the block fails."""
    with pytest.raises(ZeroDivisionError), capture_events(recorder.logger):
        raise ZeroDivisionError
    recorder.logger.event("key")
    assert [event.key for event in recorder.sink.events] == ["key"]
