"""What tests in a browser share: its windows, the pages they show, and what no page may do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from commands import run_mlperf

DESKTOP, PHONE = (1440, 900), (390, 844)
PATIENCE_MS = 90_000
WATCH = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.__violations.push(event.violatedDirective + " " + event.blockedURI);
});
"""

OpenPage = Callable[..., Any]


class Faults:
    """What a page did that no page may do.

    Attributes:
        found: a line for each console message of a fault, uncaught error, dialog, request or download.
        allowed: the beginning of the addresses that may be asked for.
    """

    def __init__(self, page: Any, allowed: str, unless: str) -> None:
        self.found: list[str] = []
        self.allowed = allowed
        self._unless = unless
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.found.append(f"error: {error}"))
        page.on("dialog", self._close)
        page.on("request", self._note)
        page.on("download", lambda download: self.found.append(f"download: {download.url}"))
        page.on("popup", lambda popup: self.found.append(f"window: {popup.url}"))

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning", "assert") and self._unless not in message.text:
            self.found.append(f"console: {message.text}")

    def _close(self, dialog: Any) -> None:
        self.found.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _note(self, request: Any) -> None:
        if not request.url.startswith((self.allowed, "data:", "blob:")):
            self.found.append(f"request: {request.url}")


def open_details(page: Any) -> None:
    """Open everything that can be opened."""
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")


def make_report(target: Path, *arguments: object) -> Path:
    """The page that `mlperf report` writes for the arguments."""
    done = run_mlperf("report", *arguments, "-o", target)
    assert target.is_file(), done.stderr
    return target
