"""Charts of the page in a browser: what a pointer says of a point, and what a click on a legend does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from browsing import PHONE, OpenPage
from checkout import PROJECT

pytest.importorskip("playwright", reason="needs playwright")
from playwright.sync_api import expect

RESULTS = PROJECT / "examples" / "submission" / "Example_Lab" / "results"
FAINT = 0.1
"""Curves that are not isolated are fainter than this."""


def find_chart(page: Any, title: str) -> Any:
    """The figure of convergence that has a text in its title, drawn."""
    figure = page.locator("#convergence figure.chart", has=page.locator("figcaption", has_text=title)).first
    figure.scroll_into_view_if_needed()
    figure.locator("[data-drawn] svg").wait_for()
    return figure


def point_at(page: Any, figure: Any, number: int) -> dict[str, str]:
    """Move the pointer to one of a chart's points; gives what is said of it, by name."""
    box = figure.locator("svg g.mark-symbol.role-mark").first.locator("path").nth(number).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    keys = tooltip.locator("td.key").all_inner_texts()
    return dict(
        zip(
            [key.strip().rstrip(":") for key in keys],
            tooltip.locator("td.value").all_inner_texts(),
            strict=True,
        )
    )


def count_strong_curves(figure: Any) -> int:
    """How many curves are not faint."""
    script = """(lines, faint) => lines.filter((line) => {
      const value = (name) => Number(line.getAttribute(name) ?? 1);
      return line.getAttribute("d") && value("opacity") * value("stroke-opacity") > faint;
    }).length"""
    return int(figure.locator("svg g.mark-line.role-mark path").evaluate_all(script, FAINT))


@pytest.mark.parametrize("number", [0, 7])
def test_a_pointer_finds_run_seed_value_and_line(
    open_page: OpenPage, submission_page: Path, number: int
) -> None:
    """What stands at a point is what the named line of the named log holds."""
    page = open_page(submission_page)
    said = point_at(page, find_chart(page, "flux1"), number)
    log = next(path for path in RESULTS.rglob(Path(said["run"]).name) if path.parent.name == "flux1")
    lines = log.read_text("utf-8").splitlines()
    event = json.loads(lines[int(said["line in the log"]) - 1].partition(":::MLLOG ")[2])

    assert event["key"] == "eval_accuracy"
    assert float(said["value"]) == pytest.approx(event["value"], rel=1e-4)
    assert any(f'"seed", "value": {said["seed"]},' in line for line in lines)
    page.mouse.move(1, 1)
    page.locator("#vg-tooltip-element.visible").wait_for(state="detached")


def test_a_click_on_a_legend_isolates_a_curve(open_page: OpenPage, submission_page: Path) -> None:
    """The curve whose name is clicked stays, the others become faint; a double click beside the curves brings all back."""
    page = open_page(submission_page)
    figure = find_chart(page, "flux1")
    before = count_strong_curves(figure)
    figure.locator("svg text", has_text="result_2").click()
    page.wait_for_timeout(300)
    isolated = count_strong_curves(figure)
    figure.locator("svg .background").first.dblclick(position={"x": 200, "y": 10})
    page.wait_for_timeout(300)

    assert (before, isolated) == (6, 1)
    assert count_strong_curves(figure) == 6


def test_a_legend_isolates_the_runs_of_a_system(open_page: OpenPage, submission_page: Path) -> None:
    """Where a name stands for several runs, all of them stay."""
    page = open_page(submission_page)
    figure = find_chart(page, "llama2_70b_lora")
    assert count_strong_curves(figure) == 20
    figure.locator("svg text", has_text="example_8x").click()
    page.wait_for_timeout(300)
    assert count_strong_curves(figure) == 10


def test_charts_are_told_in_words(open_page: OpenPage, submission_page: Path) -> None:
    """Each chart is an image with a name and a description for those who do not see it."""
    page = open_page(submission_page)
    for place in page.locator("figure.chart .drawing").all():
        assert place.get_attribute("role") == "img"
        for attribute in ("aria-labelledby", "aria-describedby"):
            assert page.locator(f"#{place.get_attribute(attribute)}").inner_text().strip()


def test_charts_fit_a_phone_and_take_its_colors(open_page: OpenPage, submission_page: Path) -> None:
    """Every chart is drawn, no wider than the screen, with text in the color of the text around it."""
    page = open_page(submission_page, PHONE, color_scheme="dark")
    for figure in page.locator("figure.chart").all():
        figure.scroll_into_view_if_needed()
        figure.locator("[data-drawn]").wait_for()
        box = figure.locator("svg, canvas").first.bounding_box()
        assert box["width"] <= PHONE[0]
    text = page.locator("figure.chart svg text").first
    assert text.evaluate("(text) => getComputedStyle(text).fill") == page.evaluate(
        "getComputedStyle(document.body).color"
    )


def test_charts_below_are_drawn_for_a_print(open_page: OpenPage, submission_page: Path) -> None:
    """What was never scrolled to is drawn as well, after a moment."""
    page = open_page(submission_page)
    expect(page.locator("figure.chart .drawing:not([data-drawn])")).to_have_count(0)
    assert (
        page.locator("figure.chart .drawing svg, figure.chart .drawing canvas").count()
        == page.locator("figure.chart").count()
    )
