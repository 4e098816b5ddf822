"""The page for every reader: findings, keyboard, small and dark screens, print, and what axe says."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from browsing import DESKTOP, PHONE, OpenPage, open_details

SERIOUS = ("serious", "critical")
OUTLINED = """() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const style = getComputedStyle(element);
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  return [element.tagName + "#" + element.id + "." + element.className, outlined || style.boxShadow !== "none"];
}"""

COLORS = """() => ["body", "main", "h1", "#results-table td", ".toolbar select"].map((selector) => {
  const brightness = (color) => color.match(/[0-9.]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3;
  let ground = document.querySelector(selector);
  const ink = getComputedStyle(ground).color;
  const isClear = (element) => getComputedStyle(element).backgroundColor === "rgba(0, 0, 0, 0)";
  while (isClear(ground) && ground.parentElement) ground = ground.parentElement;
  return [brightness(ink), brightness(getComputedStyle(ground).backgroundColor)];
})"""
"""Of parts of the page, how bright their text is and what is behind it, from 0 to 255."""


@pytest.fixture(params=["submission_page", "broken_page"])
def place(request: pytest.FixtureRequest) -> Path:
    """The page of the example submission, and that of broken logs."""
    return Path(request.getfixturevalue(request.param))


def test_what_is_wrong_leads_to_its_finding(open_page: OpenPage, broken_page: Path) -> None:
    """A click on a line of the overview opens its rule, with the log, its line and the fix."""
    page = open_page(broken_page)
    issue = page.locator("ol.issues a[href^='#rule-']").nth(2)
    message, rule = issue.inner_text(), issue.get_attribute("href")
    assert not page.locator(f"{rule} .body").is_visible()
    issue.click()
    page.locator(f"{rule} .body").wait_for(state="visible")

    assert message in page.locator(rule).inner_text()
    assert page.locator(f"{rule} .places").first.inner_text()
    assert page.evaluate(
        "(rule) => document.querySelector(rule).getBoundingClientRect().top < innerHeight", rule
    )


def test_findings_open_and_close_by_keyboard(open_page: OpenPage, broken_page: Path) -> None:
    """Enter on the line of a finding opens it, and closes it again."""
    page = open_page(broken_page)
    finding = page.locator("details.rule").nth(1)
    finding.locator("summary").first.focus()
    page.keyboard.press("Enter")
    opened = finding.locator(".body").is_visible()
    page.keyboard.press("Enter")

    assert (opened, finding.locator(".body").is_visible()) == (True, False)
    finding.locator("summary").first.click()
    finding.locator("details.explanation summary").click()
    assert finding.locator("details.explanation .facts").is_visible()


def test_the_first_tab_skips_to_the_content(open_page: OpenPage, place: Path) -> None:
    """The skip link is the first stop, is seen when it is reached, and leads to the content."""
    page = open_page(place)
    page.keyboard.press("Tab")
    link = page.locator(":focus")
    assert link.inner_text() == "Skip to the content"
    box = link.bounding_box()
    assert box["x"] >= 0 and box["y"] >= 0
    page.keyboard.press("Enter")

    assert page.evaluate("location.hash") == "#main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_every_stop_of_the_keyboard_is_seen(open_page: OpenPage, place: Path) -> None:
    """Whatever Tab reaches is outlined, and Tab goes on to the end of the page."""
    page = open_page(place)
    unseen, stops = [], 0
    while (stop := page.keyboard.press("Tab") or page.evaluate(OUTLINED)) is not None:
        stops += 1
        if not stop[1]:
            unseen.append(stop[0])
        assert stops < 3_000

    assert unseen == []
    assert stops > 20


@pytest.mark.parametrize("size", [PHONE, (320, 600), DESKTOP])
def test_nothing_is_wider_than_the_screen(open_page: OpenPage, place: Path, size: tuple[int, int]) -> None:
    """Only tables and charts scroll sideways, each within itself; the page does not."""
    page = open_page(place, size)
    open_details(page)

    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_dark_and_light(open_page: OpenPage, submission_page: Path) -> None:
    """The page takes the colors that the reader's system asks for, in tables, controls and text."""
    colors = {}
    for scheme in ("light", "dark"):
        page = open_page(submission_page, color_scheme=scheme)
        colors[scheme] = page.evaluate(COLORS)

    assert all(ink < 130 and ground > 230 for ink, ground in colors["light"])
    assert all(ink > 130 and ground < 60 for ink, ground in colors["dark"])


def test_print_shows_everything_on_white(open_page: OpenPage, broken_page: Path) -> None:
    """A print has no controls, all findings open, and black text on white, whatever the screen has."""
    page = open_page(broken_page, color_scheme="dark")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(0, 0, 0)"
    assert not page.locator("nav.sections").is_visible()
    assert not page.locator(".toolbar").first.is_visible()
    assert page.locator("details.rule .body").count() > 5
    assert all(body.is_visible() for body in page.locator("details.rule .body").all())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page: OpenPage, place: Path, scheme: str) -> None:
    """Names, roles, contrast and structure: no finding that keeps somebody out."""
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(place, color_scheme=scheme)
    open_details(page)
    violations = Axe().run(page).response["violations"]
    found = {
        each["id"]: [node["html"][:200] for node in each["nodes"][:3]]
        for each in violations
        if each["impact"] in SERIOUS
    }

    assert found == {}


def test_sections_are_found_by_name(open_page: OpenPage, place: Path) -> None:
    """Each section has a heading, and the list of sections leads to each."""
    page = open_page(place)
    for link in page.locator("nav.sections a").all():
        section = page.locator(link.get_attribute("href"))
        assert section.locator("h2").inner_text() == link.inner_text()
    headings = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4')].map((each) => Number(each.tagName[1]))"
    )
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))


def test_works_without_scripts(open_page: OpenPage, submission_page: Path) -> None:
    """Where scripts are off, all rows of all tables are there, and a sentence says what is missing."""
    page = open_page(submission_page, java_script_enabled=False)
    assert "Scripts are off" in page.locator("noscript").inner_text()
    assert page.locator("#runs-table tbody tr").count() >= 26
