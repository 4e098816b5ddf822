"""Charts in a page: what the page holds, and that it needs neither the network nor compiled expressions."""

from __future__ import annotations

import pytest
from made_tables import make_evaluations

from mlperf_logging.analysis.charts import (
    bundle_libraries,
    chart_convergence,
    pack_chart,
    read_drawing_script,
)

pytest.importorskip("vl_convert", reason="needs vl-convert")


def test_bundle_brings_the_interpreter_of_expressions() -> None:
    """The libraries interpret expressions, so that a page may forbid what compiles texts; no markup ends their script."""
    bundle = bundle_libraries()

    assert "expressionInterpreter" in bundle
    assert "window.vegaEmbed" in bundle
    assert "</script" not in bundle.lower()
    assert len(bundle) < 1_000_000


def test_drawing_script_asks_for_the_interpreter() -> None:
    """The script that draws a page's charts has expressions interpreted, and ends no script element."""
    script = read_drawing_script()

    assert "ast: true" in script
    assert "</" not in script


def test_page_writes_title_and_notes_itself() -> None:
    """A packed chart is as wide as its place and has no title; its notes are beside it."""
    packed = pack_chart(chart_convergence(make_evaluations(2), title="Knitting"))

    assert packed["spec"]["width"] == "container"
    assert "title" not in packed["spec"]
    assert packed["notes"] == ["dashed: target: at least 0.8; hollow markers: first to meet it"]
    assert packed["renderer"] == "svg"


def test_page_has_the_data_of_the_chart() -> None:
    """A packed chart holds what the chart holds, and the chart still has it."""
    chart = chart_convergence(make_evaluations(20, 10))

    packed = pack_chart(chart)["spec"]

    assert packed["datasets"] == chart.to_dict()["datasets"]
    assert packed["layer"] == chart.to_dict()["layer"]


def test_many_points_are_drawn_on_a_canvas() -> None:
    """More than six thousand points are not elements of the page."""
    assert pack_chart(chart_convergence(make_evaluations(1600)))["renderer"] == "canvas"


def test_a_chart_may_have_neither_title_nor_notes() -> None:
    """Runs without a target have nothing to note, and are drawn nevertheless."""
    table = make_evaluations(1).assign(target="", target_value=float("nan"), meets_target=None)
    packed = pack_chart(chart_convergence(table))
    assert packed["notes"] == []
