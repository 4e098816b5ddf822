"""Whatever stands in logs, names and descriptions is text on the page: nothing runs, nothing is loaded, nothing is hidden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browsing import PHONE, OpenPage, open_details
from commands import run_mlperf
from hostile import MARKUP, RUN, write_submission

FOREIGN = """() => {
  const elements = document.querySelectorAll(`
    main script:not([type='application/json']), body style, body title, body meta, body base, body link, img:not(.logo),
    iframe, object, embed, math, video, audio, form:not(.vega-bindings), textarea, main .skip,
    a[href^='javascript:' i], a[href^='data:' i]`);
  const isOurs = (element) => element.closest(".drawing, .dt-container, #vg-tooltip-element") !== null;
  const isForeign = (element, name) => /^on|^srcdoc$/.test(name) || (name === "style" && !isOurs(element));
  const hasForeign = (element) => element.getAttributeNames().some((name) => isForeign(element, name));
  const marked = [...document.querySelectorAll("*")].filter(hasForeign);
  return [...elements, ...marked].map((each) => each.outerHTML.slice(0, 300));
}"""
"""Elements and attributes that the page has no use for."""

HIDDEN = (
    r"[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]"
)
"""Characters that cannot be seen, or that turn the text around them."""


@pytest.fixture(scope="module")
def submission(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hostile submission."""
    return write_submission(tmp_path_factory.mktemp("hostile"))


def write_page(submission: Path, kind: str) -> Path:
    """A page about the submission, with a hostile title and logo."""
    target = submission.parent / f"{kind}.html"
    if not target.exists():
        logo = next(submission.parent.glob("*.svg"))
        options = ("--title", MARKUP[1], "--logo", logo, *(["--public"] if kind == "public" else []))
        if kind == "package":
            done = run_mlperf("package", submission, "--report", target, *options)
        else:
            done = run_mlperf("report", submission, "-o", target, *options)
        assert target.is_file(), done.stderr
    return target


def look_everywhere(page: Any) -> None:
    """Open what can be opened, sort, filter and choose columns in every table, point at charts, click legends."""
    open_details(page)
    for figure in page.locator("figure.chart").all():
        figure.scroll_into_view_if_needed()
        figure.locator("[data-drawn]").wait_for()
        for point in figure.locator("svg g.mark-symbol.role-mark path").all()[:3]:
            box = point.bounding_box()
            page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            page.wait_for_timeout(50)
        for label in figure.locator("svg .role-legend-label text").all()[:2]:
            label.click(force=True)
    for table in page.locator("div.dt-container").all():
        for head in table.locator("thead th").all()[:4]:
            head.click()
        for choice in table.locator("select").all():
            for value in choice.locator("option").evaluate_all(
                "(options) => options.map((option) => option.value)"
            )[:3]:
                choice.select_option(value)
            choice.select_option(index=0)
        for search in table.locator("input[type=search]").all():
            search.fill(MARKUP[0])
            search.fill("")
        for menu in table.get_by_role("button", name="Columns").all():
            menu.click()
            items = page.locator("div.dt-button-collection button")
            for item in (items.first, items.last):
                item.click()
                item.click()
            page.keyboard.press("Escape")
            items.first.wait_for(state="detached")


@pytest.mark.parametrize("kind", ["report", "public", "package"])
def test_nothing_foreign_is_more_than_text(open_page: OpenPage, submission: Path, kind: str) -> None:
    """No script runs, no element or handler of a value, name or key is made, and its text is there to be read."""
    page = open_page(write_page(submission, kind))
    look_everywhere(page)
    text = page.evaluate("document.body.innerText + document.title")

    assert page.evaluate(FOREIGN) == []
    assert page.title() == MARKUP[1]
    assert page.evaluate(f"(text) => text.match(/{HIDDEN}/g)", text) is None
    assert text.count(RUN) > 20
    assert page.evaluate("document.querySelectorAll('main, #main').length") == 1


@pytest.mark.parametrize("kind", ["report", "package"])
def test_texts_without_end_do_not_fill_the_page(submission: Path, kind: str) -> None:
    """Texts of a megabyte are cut: the page stays small, and none of them is in it whole."""
    page = write_page(submission, kind).read_text("utf-8")

    assert len(page) < 6_000_000
    assert "A" * 10_000 not in page
    assert r"\u202e" * 2_000 not in page


def test_a_phone_shows_it_without_scrolling_sideways(open_page: OpenPage, submission: Path) -> None:
    """Long words do not widen the page."""
    page = open_page(write_page(submission, "report"), PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
