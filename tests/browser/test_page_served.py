"""`mlperf view` in a browser: links to lines of logs, and a page that follows the logs by itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import OpenPage
from checkout import PROJECT
from hostile import MARKUP, NAMES
from viewing import View

pytest.importorskip("playwright", reason="needs playwright")
from playwright.sync_api import expect

LOGS = PROJECT / "examples" / "logs" / "broken"


@pytest.fixture
def view(tmp_path: Path) -> Iterator[View]:
    """A view of a folder with one broken log, and one whose name and content are hostile."""
    folder = tmp_path / "logs"
    folder.mkdir()
    shutil.copy(LOGS / "wrong_hyperparameter.txt", folder)
    event = {
        "namespace": "",
        "time_ms": 1,
        "event_type": "POINT_IN_TIME",
        "key": "cache_clear",
        "value": True,
    }
    lines = [text.encode("utf-8", "surrogatepass") for text in MARKUP]
    record = f":::MLLOG {json.dumps(event | {'value': MARKUP[0], 'metadata': {}})}"
    (folder / f"{NAMES[0]}.txt").write_bytes(b"\n".join([*lines, record.encode(), b"x" * (1 << 20)]))
    view = View(folder)
    yield view
    if view.process.poll() is None:
        view.end()


def test_a_finding_leads_to_its_line(view: View, open_page: OpenPage) -> None:
    """The link at a finding shows the log at the line, marked, and the way back is there."""
    page = open_page(view.address)
    finding = page.locator(
        "details.rule", has=page.locator("a", has_text="wrong_hyperparameter.txt, line")
    ).first
    finding.evaluate("(element) => { element.open = true; }")
    link = finding.locator(".places a").first
    line = link.inner_text().rpartition("line ")[2].replace(",", "")
    link.click()
    marked = page.locator("li:target")

    assert marked.locator("a").inner_text() == line
    assert marked.is_visible()
    assert marked.evaluate("(line) => getComputedStyle(line).backgroundColor") != "rgba(0, 0, 0, 0)"
    record = (LOGS / "wrong_hyperparameter.txt").read_text("utf-8").splitlines()[int(line) - 1]
    assert marked.locator("code").inner_text() == record
    page.get_by_role("link", name="Report").click()
    assert page.locator("h1").is_visible()


def test_a_hostile_log_is_text(view: View, open_page: OpenPage) -> None:
    """A log's page shows names and lines as they are, and nothing of them runs; a phone need not scroll sideways."""
    page = open_page(view.address, (390, 844))
    link = page.locator("#findings .places a", has_text=NAMES[0]).first
    page.goto(f"{view.address.rstrip('/')}{link.get_attribute('href')}")
    shown = page.locator("code").all_inner_texts()

    assert page.title().endswith(f"{NAMES[0]}.txt")
    assert MARKUP[0] in shown
    assert MARKUP[1] in shown
    assert page.locator("script, img, svg, iframe, details, a[href^='javascript:']").count() == 0
    assert "(1,048,576 bytes in all)" in shown[-1]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_page_follows_the_logs(view: View, open_page: OpenPage, tmp_path: Path) -> None:
    """A new log is on the page without a hand, but not while something is typed; what was sorted and searched stays so."""
    page = open_page(view.address)
    runs = page.locator(".figure", has=page.locator("dt", has_text="runs")).locator("dd").first
    expect(runs).to_have_text("2")
    shutil.copy(LOGS / "two_writers.txt", tmp_path / "logs")
    expect(runs).to_have_text("3")

    head = page.locator("#runs-table thead th", has_text="Errors")
    head.click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    search = page.locator("input[type=search]").first
    search.fill("opt")
    shutil.copy(LOGS / "misspelt_key.txt", tmp_path / "logs")
    expect(page.locator("#live")).to_have_text(
        "There is a newer report; it is shown once you leave the field."
    )
    expect(runs).to_have_text("3")
    page.evaluate("document.activeElement.blur()")
    expect(runs).to_have_text("4")
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(search).to_have_value("opt")


def test_a_page_says_that_its_server_has_ended(view: View, open_page: OpenPage) -> None:
    """The page stays as it is, with a line that it is no longer updated."""
    page = open_page(view.address, unless="Failed to load resource")
    view.end()
    expect(page.locator("#live")).to_have_text(
        "The server of this page has ended, so the page is no longer updated."
    )
    assert page.locator("h1").is_visible()
