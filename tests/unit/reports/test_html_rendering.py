"""The page as HTML: everything from a log is escaped, and the policy names all scripts and styles."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from mlperf_logging.reports.html.model import Cell, Chart, Gallery, Grid, Head, ReportModel, Section
from mlperf_logging.reports.html.rendering import encode_script_data, render_page

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "<!--<script>",
    "{{ 7 * 7 }}",
    "\u202etxt.exe\u202c",
    "a\x00b\x1b[31m",
    "x" * 1_000_000,
)


class _Elements(HTMLParser):
    """What a page consists of: names of its elements, their attributes, and texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def make_model(text: str) -> ReportModel:
    """A page that has the text everywhere."""
    grid = Grid(
        id="table",
        title=text,
        heads=(Head(text, text, text, choices=True),),
        rows=((Cell(text, text, "bad"),),),
        notes=(text,),
        sortable=True,
    )
    short = text[:5_000]  # charts crop their texts themselves
    chart = Chart("chart", text, text, {"spec": {"description": short, short: short}})
    gallery = Gallery(about=text, charts=(chart,), grids=(grid,), notes=(text,))
    return ReportModel(title=text, about=text, made=text, sections=(Section("results", text, gallery),))


@pytest.fixture(scope="module")
def harmless() -> _Elements:
    """The elements of a page of harmless text."""
    pytest.importorskip("itables")
    return _Elements(render_page(make_model("harmless")))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_adds_nothing(text: str, harmless: _Elements) -> None:
    """Whatever a text is, the page has the elements and attributes of a harmless one, and no hidden character."""
    page = render_page(make_model(text))
    found = _Elements(page)

    assert [(tag, sorted(attributes)) for tag, attributes in found.elements] == [
        (tag, sorted(attributes)) for tag, attributes in harmless.elements
    ]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x1b]", page)
    assert len(page) < 3_500_000


def test_the_policy_names_each_script_and_style() -> None:
    """Each inline script and style of the page has its hash in the policy, which allows nothing else."""
    page = render_page(make_model("text"))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    parts = re.findall(r'<(?:script type="module"|style)>(.*?)</(?:script|style)>', page, re.DOTALL)

    assert policy is not None
    assert len(parts) == 6
    for part in parts:
        digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[1]
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]


def test_the_policy_stands_before_all_that_it_governs() -> None:
    """No script and no style stands before the policy."""
    page = render_page(make_model("text"))

    assert page.index("Content-Security-Policy") < min(page.index("<style"), page.index("<script"))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_data_for_scripts_are_json_without_tags(text: str) -> None:
    """Data for scripts hold no character that begins or ends a tag, and mean what they meant."""
    encoded = encode_script_data({"value": text})

    assert not re.search("[<>&]", encoded)
    assert json.loads(encoded) == {"value": text}
