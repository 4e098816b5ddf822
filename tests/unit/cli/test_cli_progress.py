"""The progress bar."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import pytest

from mlperf_logging.cli import progress
from mlperf_logging.cli.progress import ProgressBar


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture
def terminal(monkeypatch) -> Terminal:
    """A terminal; bars look for silence all the time."""
    monkeypatch.setattr(progress, "_LOOK_EVERY_S", 0.001)
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something holds; the test fails when it does not come."""
    for _ in range(2_000):
        if condition():
            return
        time.sleep(0.005)
    pytest.fail("it did not come")


def test_quick_work_shows_nothing(terminal):
    """Work that ends before the patience does leaves the terminal as it was."""
    with ProgressBar(3, "judging logs", terminal) as bar:
        for _ in range(3):
            bar.advance()
    assert terminal.getvalue() == ""


def test_silence_brings_the_bar(terminal, monkeypatch):
    """After the patience the bar shows what is done, and it goes when the work ends."""
    monkeypatch.setattr(progress, "PATIENCE_S", 0.0)
    with ProgressBar(7, "judging logs", terminal) as bar:
        bar.advance()
        bar.advance()
        wait_for(lambda: "judging logs" in terminal.getvalue() and "/7" in terminal.getvalue())
    assert terminal.getvalue().endswith("\x1b[2K")


def test_hidden_bar_counts_on(terminal, monkeypatch):
    """A bar that made way for text comes back with what was done meanwhile."""
    monkeypatch.setattr(progress, "PATIENCE_S", 0.0)
    with ProgressBar(7, "judging logs", terminal) as bar:
        wait_for(lambda: "0/7" in terminal.getvalue())
        for _ in range(5):
            bar.hide()
            bar.advance()
        wait_for(lambda: "5/7" in terminal.getvalue())
