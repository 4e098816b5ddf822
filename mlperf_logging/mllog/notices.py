"""Messages for the person at the terminal: on standard error, and never as an exception."""

from __future__ import annotations

import functools
import sys

SHOWN_CHARACTERS = 60
"""So much of a value that cannot be understood is shown."""


def print_notice(text: str) -> None:
    """Write a line to standard error; where even that is closed, give up silently: training must go on."""
    try:
        sys.stderr.write(text if text.endswith("\n") else text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass


@functools.cache
def print_notice_once(text: str) -> None:
    """Write a line to standard error, if it was not written before."""
    print_notice(text)


@functools.cache
def report_variable(name: str, text: str, reason: str) -> None:
    """Say, once, that an environment variable is left out."""
    shown = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."
    print_notice(f"mllog: {name}={shown!r} is ignored: {reason}")


class Diversion:
    """Sends events to standard error while a sink cannot be written, with one warning for each outage."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.active = False
        self.count = 0

    def take(self, lines: str, error: Exception) -> None:
        """Print the lines, after a warning if they are the first of an outage."""
        if not self.active:
            self.active = True
            reason = getattr(error, "strerror", None) or str(error)
            print_notice(
                f"mllog: cannot write to {self.target}: {reason}; training continues, and events go to "
                "standard error until it can be written again"
            )
        if lines:
            self.count += lines.strip("\n").count("\n") + 1
            print_notice(lines)

    def end(self) -> None:
        """Say that the sink works again."""
        count, self.count, self.active = self.count, 0, False
        stand = "1 event was" if count == 1 else f"{count} events were"
        print_notice(f"mllog: {self.target} can be written again; {stand} written only to standard error")
