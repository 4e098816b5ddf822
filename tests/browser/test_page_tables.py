"""Tables of the page in a browser: sorted, searched, filtered, with chosen columns, by mouse and by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browsing import OpenPage

pytest.importorskip("playwright", reason="needs playwright")
from playwright.sync_api import expect


@pytest.fixture
def page(open_page: OpenPage, submission_page: Path) -> Any:
    """The page of the example submission."""
    return open_page(submission_page)


def read_column(page: Any, table: str, title: str) -> list[str]:
    """The texts of a column as they are shown, from top to bottom."""
    heads = page.locator(f"#{table} thead th").all_inner_texts()
    index = next(number for number, head in enumerate(heads, 1) if head.split("\n")[0].startswith(title))
    return [text.strip() for text in page.locator(f"#{table} tbody td:nth-child({index})").all_inner_texts()]


def find_head(page: Any, table: str, title: str) -> Any:
    """What is clicked to sort by a column."""
    return page.locator(f"#{table} thead th", has_text=title).first


def test_a_click_on_a_head_sorts_by_numbers(page: Any) -> None:
    """The first click sorts upwards, the second downwards, by the numbers that are shown, not by their letters."""
    head = find_head(page, "runs-table", "Time")
    head.click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    upwards = [float(text) for text in read_column(page, "runs-table", "Time")]
    head.click()
    expect(head).to_have_attribute("aria-sort", "descending")
    downwards = [float(text) for text in read_column(page, "runs-table", "Time")]

    assert len(set(upwards)) > 5
    assert upwards == sorted(upwards)
    assert downwards == sorted(downwards, reverse=True)


def test_the_keyboard_sorts(page: Any) -> None:
    """A head can be focused, and Enter sorts."""
    head = find_head(page, "runs-table", "Time")
    head.locator("[tabindex='0']").or_(head).last.focus()
    page.keyboard.press("Enter")

    expect(head).to_have_attribute("aria-sort", "ascending")


def test_search_keeps_the_rows_that_have_the_text(page: Any) -> None:
    """What is typed is looked for in all columns; the rows come back when it is deleted."""
    before = page.locator("#runs-table tbody tr").count()
    search = page.locator("div.dt-container", has=page.locator("#runs-table")).locator("input[type=search]")
    search.fill("example_16x")
    systems = read_column(page, "runs-table", "System")
    search.fill("")

    assert 0 < len(systems) < before
    assert set(systems) == {"example_16x"}
    assert page.locator("#runs-table tbody tr").count() == before


def test_a_filter_keeps_the_rows_of_a_value(page: Any) -> None:
    """A filter offers the values of its column, and keeps the rows that have exactly the chosen one."""
    choice = page.locator("div.dt-container", has=page.locator("#runs-table")).get_by_label(
        "Only rows with System"
    )
    options = choice.locator("option").all_inner_texts()
    choice.select_option("example_16x")
    systems = set(read_column(page, "runs-table", "System"))

    assert options == ["System: all", "example_16x", "example_8x"]
    assert systems == {"example_16x"}


def test_columns_are_chosen(page: Any) -> None:
    """A column that is hidden at first is shown and hidden again by its name in the menu of columns."""
    heads = page.locator("#results-table thead th")
    before = heads.all_inner_texts()
    menu = page.locator("div.dt-container", has=page.locator("#results-table")).get_by_role(
        "button", name="Columns"
    )
    menu.click()
    item = page.locator("div.dt-button-collection button", has_text="Framework")
    item.click()
    shown = heads.all_inner_texts()
    item.click()
    page.keyboard.press("Escape")

    assert "Framework" not in "".join(before)
    assert "Framework" in "".join(shown)
    assert heads.all_inner_texts() == before
    page.locator("div.dt-button-collection").wait_for(state="detached")
