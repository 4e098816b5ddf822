"""What the commands on stores share: how long to wait for one."""

from __future__ import annotations

import argparse

from mlperf_logging.cli.options import AddOption
from mlperf_logging.store.opening import PATIENCE_S

_LONGEST_WAIT_S = 1e6


def add_wait_option(add: AddOption) -> None:
    """Add ``--wait``."""
    about = f"how long to wait while another process has the store ({PATIENCE_S:.0f})"
    add("--wait SECONDS", about, type=_read_seconds, default=PATIENCE_S)


def _read_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _LONGEST_WAIT_S:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds
