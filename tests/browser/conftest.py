"""A real browser and pages in it: nothing that a page does wrong goes unnoticed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import DESKTOP, PATIENCE_MS, WATCH, Faults, OpenPage, make_report
from checkout import PROJECT
from installed_browser import BROWSERS, find_browser, launch_browser


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
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        browser = launch_browser(playwright)
        expect.set_options(timeout=PATIENCE_MS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[OpenPage]:
    """Opens a file or address in a window of its own; at the test's end, no page may have done anything wrong.

    What the test brings about itself is named by a part of its line, as `unless`.
    """
    opened: list[tuple[Any, Faults]] = []

    def open_one(
        place: Path | str, size: tuple[int, int] = DESKTOP, unless: str = "\0", **options: Any
    ) -> Any:
        address = place.as_uri() if isinstance(place, Path) else place
        viewport = {"width": size[0], "height": size[1]}
        context = browser.new_context(viewport=viewport, reduced_motion="reduce", **options)
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(WATCH)
        page = context.new_page()
        opened.append((page, Faults(page, address.partition("#")[0], unless)))
        page.goto(address)
        return page

    yield open_one
    faults = {}
    for page, watched in opened:
        ran = page.evaluate("[...(window.__violations ?? []), ...(window.__pwned ? ['a script ran'] : [])]")
        faults[page.url] = [*watched.found, *ran]
        page.context.close()
    assert {url: found for url, found in faults.items() if found} == {}


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
