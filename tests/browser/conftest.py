"""A real browser and pages in it: nothing that a page does wrong goes unnoticed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from checkout import PROJECT
from commands import run_mlperf

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE = (1440, 900), (390, 844)
WATCH = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.__violations.push(event.violatedDirective + " " + event.blockedURI);
});
"""

OpenPage = Callable[..., Any]


def find_browser() -> str | None:
    """The browser that is installed: the one that MLPERF_CHROMIUM names, or the first of the usual names."""
    return os.environ.get("MLPERF_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands here, and skip it with a reason where it cannot run."""
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    reason = None
    if find_browser() is None:
        reason = f"no browser is installed ({', '.join(BROWSERS)}, or MLPERF_CHROMIUM with its path)"
    for item in here:
        item.add_marker(pytest.mark.browser)
        if reason is not None:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The installed Chromium, without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(), args=ARGUMENTS, chromium_sandbox=os.getuid() != 0
        )
        yield browser
        browser.close()


class Faults:
    """What a page did that no page may do.

    Attributes:
        found: a line for each console message of a fault, uncaught error, dialog, request or download.
        allowed: beginnings of addresses that may be asked for.
    """

    def __init__(self, page: Any, allowed: str) -> None:
        self.found: list[str] = []
        self.allowed = allowed
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.found.append(f"error: {error}"))
        page.on("dialog", self._close)
        page.on("request", self._note)
        page.on("download", lambda download: self.found.append(f"download: {download.url}"))
        page.on("popup", lambda popup: self.found.append(f"window: {popup.url}"))

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning", "assert"):
            self.found.append(f"console: {message.text}")

    def _close(self, dialog: Any) -> None:
        self.found.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _note(self, request: Any) -> None:
        if not request.url.startswith((self.allowed, "data:", "blob:")):
            self.found.append(f"request: {request.url}")


@pytest.fixture
def open_page(browser: Any) -> Iterator[OpenPage]:
    """Opens a file or address in a window of its own; at the test's end, no page may have done anything wrong."""
    opened: list[tuple[Any, Faults]] = []

    def open_one(place: Path | str, size: tuple[int, int] = DESKTOP, **options: Any) -> Any:
        address = place.as_uri() if isinstance(place, Path) else place
        viewport = {"width": size[0], "height": size[1]}
        context = browser.new_context(viewport=viewport, reduced_motion="reduce", **options)
        context.set_default_timeout(10_000)
        context.add_init_script(WATCH)
        page = context.new_page()
        opened.append((page, Faults(page, address.partition("#")[0])))
        page.goto(address)
        return page

    yield open_one
    faults = {}
    for page, watched in opened:
        violations = page.evaluate("window.__violations ?? []")
        faults[page.url] = [
            *watched.found,
            *violations,
            *page.evaluate("window.__pwned ? ['a script ran'] : []"),
        ]
        page.context.close()
    assert {url: found for url, found in faults.items() if found} == {}


def open_details(page: Any) -> None:
    """Open everything that can be opened."""
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")


def make_report(target: Path, *arguments: object) -> Path:
    """The page that `mlperf report` writes for the arguments."""
    done = run_mlperf("report", *arguments, "-o", target)
    assert target.is_file(), done.stderr
    return target


@pytest.fixture(scope="session")
def submission_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the example submission."""
    return make_report(
        tmp_path_factory.mktemp("submission") / "report.html", PROJECT / "examples" / "submission"
    )


@pytest.fixture(scope="session")
def broken_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of logs most of which break a rule."""
    logs = PROJECT / "examples" / "logs"
    return make_report(tmp_path_factory.mktemp("broken") / "report.html", logs / "broken", logs / "compliant")
