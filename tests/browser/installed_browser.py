"""The Chromium that is installed on this machine; none is ever downloaded."""

from __future__ import annotations

import os
import shutil
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_browser() -> str | None:
    """The browser that MLPERF_CHROMIUM names, or the first of the usual names; None where there is none."""
    return os.environ.get("MLPERF_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


def launch_browser(playwright: Any) -> Any:
    """Start it without a window; root, whom it would refuse otherwise, has it without its sandbox."""
    return playwright.chromium.launch(
        executable_path=find_browser(), args=list(ARGUMENTS), chromium_sandbox=os.getuid() != 0
    )
