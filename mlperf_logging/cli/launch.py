"""The doors of the console scripts: in and out as quickly as Python allows.

Checking one log takes a few milliseconds, starting and ending Python some twenty more. While the modules
load, there is no garbage to look for; and when the work is done and its output written, there is nothing that
taking every module apart would save.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from typing import NoReturn


def check() -> NoReturn:
    """Run `mlperf-check` with the arguments of this process, and end it."""
    gc.disable()
    from mlperf_logging.cli.check import main

    _run(main)


def mlperf() -> NoReturn:
    """Run `mlperf` with the arguments of this process, and end it."""
    gc.disable()
    from mlperf_logging.cli.main import main

    _run(main)


def _run(main: Callable[[], int]) -> NoReturn:
    gc.freeze()
    gc.enable()
    code = main()
    # Worker processes and whatever else asked to be told of the end are ended in the ordinary way.
    if "multiprocessing" in sys.modules or "threading" in sys.modules or "atexit" in sys.modules:
        sys.exit(code)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(code)
    os._exit(code)
