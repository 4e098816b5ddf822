"""Charts in a browser: drawn without complaint, they answer pointer and legend, and nothing of a log runs in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from browsing import DESKTOP, PHONE, OpenPage
from made_tables import make_evaluations, make_power, make_runs, make_sized_runs

from mlperf_logging.analysis.charts import (
    ConvergenceStyle,
    chart_breakdown,
    chart_comparison,
    chart_convergence,
    chart_power,
    chart_reference,
    chart_scaling,
    chart_series,
    chart_spread,
)
from mlperf_logging.analysis.columns import SERIES_COLUMNS, make_table
from mlperf_logging.analysis.comparison import compare_systems
from mlperf_logging.analysis.parameters import BootstrapParameters
from mlperf_logging.analysis.references import ReferenceRange
from mlperf_logging.analysis.scaling import describe_scaling
from mlperf_logging.cli.chart_files import CaptionedChart, render_chart_page
from mlperf_logging.scoring.rcp.points import ReferencePoint, ReferenceTable
from mlperf_logging.scoring.rcp.test import check_convergence
from mlperf_logging.scoring.requirements import Requirement

FEW = BootstrapParameters(resamples=50)
POINTS = ReferenceTable(
    "knitting",
    "epochs",
    0,
    tuple(ReferencePoint(size, (9.0, 10.0, 10.0, 10.0, 11.0)) for size in (32, 64, 128)),
)
CHECK = check_convergence((9, 10, 10, 10, 11), 64, POINTS, Requirement(5))
HOSTILE = "</script><script>window.__pwned = 1</script><img src=x onerror='window.__pwned = 2'>"

Place = Callable[..., Any]

FIND_POINT = """([id, x, y]) => {
  const view = mlperfCharts.charts.get(id).view;
  const area = view.container().querySelector("svg, canvas").getBoundingClientRect();
  const [left, top] = view.origin();
  const around = view.padding();
  return [area.x + around.left + left + view.scale("x")(x), area.y + around.top + top + view.scale("y")(y)];
}"""


def make_charts() -> dict[str, Any]:
    """A chart of each kind, and of each way to draw many systems."""
    reference = ReferenceRange(2.5, 3.0, "epochs", 64.0, "exact")
    far = make_evaluations(30, 3)
    far.loc[0, "quality"] = -500.0
    comparison = compare_systems(make_runs(6, 1), pd.concat([make_runs(7, 1), make_runs(1)]), parameters=FEW)
    return {
        "curves": chart_convergence(make_evaluations(6, 2), reference=reference),
        "means": chart_convergence(make_evaluations(20, 10)),
        "many": chart_convergence(make_evaluations(60, 30)),
        "far": chart_convergence(far),
        "spread": chart_spread(make_runs(9, 2)),
        "shares": chart_spread(make_runs(9, 2), relative=True),
        "breakdown": chart_breakdown(make_runs(4)),
        "scaling": chart_scaling(describe_scaling(make_sized_runs(), parameters=FEW)),
        "comparison": chart_comparison(comparison, "old", "new"),
        "reference": chart_reference(CHECK, POINTS),
        "power": chart_power(make_power()),
    }


def make_long_series() -> pd.DataFrame:
    """A run's series of more points than stand in a page as elements."""
    rows = [
        {
            "path": "a/result_0.txt",
            "metric": "loss",
            "key": "loss",
            "value": 1 / (1 + place),
            "minutes": place / 60,
        }
        for place in range(6100)
    ]
    return make_table(rows, SERIES_COLUMNS)


@pytest.fixture
def place(open_page: OpenPage, tmp_path: Path) -> Place:
    """Opens a page with charts, and waits until all are drawn."""

    def place_charts(charts: dict[str, Any], size: tuple[int, int] = DESKTOP, **options: Any) -> Any:
        path = tmp_path / "charts.html"
        path.write_bytes(
            render_chart_page(
                "Knitting", "", [CaptionedChart(name, each) for name, each in charts.items()], []
            )
        )
        page = open_page(path, size, **options)
        page.evaluate("mlperfCharts.drawAll()")
        page.wait_for_selector(f"#chart-{len(charts)}[data-drawn=true]")
        return page

    return place_charts


def point_at(page: Any, x: float, y: float, chart: str = "chart-1") -> str:
    """What the page shows where a pointer is on a value."""
    page.locator(f"#{chart}").scroll_into_view_if_needed()
    page.mouse.move(*page.evaluate(FIND_POINT, [chart, x, y]), steps=3)
    page.wait_for_selector("#vg-tooltip-element.visible")
    return str(page.locator("#vg-tooltip-element").inner_text())


def count_faded(page: Any) -> int:
    """Number of lines that are nearly invisible."""
    return int(
        page.locator("#chart-1 svg path[stroke-width='1.4']").evaluate_all(
            "lines => lines.filter((line) => Number(line.getAttribute('opacity') ?? 1) < 0.1).length"
        )
    )


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "dark")])
def test_every_chart_is_drawn(place: Place, size: tuple[int, int], scheme: str) -> None:
    """Each chart is drawn without a complaint in the console, within its page, with text in the page's color."""
    charts = make_charts()

    page = place(charts, size, color_scheme=scheme)

    assert page.locator(".drawing[data-drawn=true]").count() == len(charts)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= size[0]
    inks = page.locator(".drawing svg text").evaluate_all(
        "texts => texts.map((text) => getComputedStyle(text).fill)"
    )
    assert set(inks) == {page.locator(".drawing").first.evaluate("place => getComputedStyle(place).color")}


def test_pointer_shows_where_a_value_comes_from(place: Place) -> None:
    """A pointer on a value shows system, run, seed, value, progress and the line in the log."""
    table = make_evaluations(6, 2)
    table["quality"] += 0.1 * table["seed"].astype(float)  # apart, so that none covers another
    row = table[(table["path"] == "results/result_3.txt") & (table["evaluation"] == 2)].iloc[0]

    shown = point_at(place({"curves": chart_convergence(table)}), row["progress"], row["quality"])

    for part in ("Lab box 1", "results/result_3.txt", "seed", f"{row['quality']:.4f}", "2,000,000", "102"):
        assert part in shown


def test_click_on_a_name_isolates_its_runs(place: Place) -> None:
    """A click on a name in the legend fades the runs of the others; a click on the empty plot brings them back."""
    page = place({"curves": chart_convergence(make_evaluations(6, 3))})
    before = count_faded(page)
    page.locator("#chart-1 svg text", has_text="box 1").click()
    page.wait_for_timeout(100)
    isolated = count_faded(page)

    assert (before, isolated) == (0, 4)


def test_isolated_system_of_many_shows_its_runs(place: Place) -> None:
    """Where only means are drawn, a click on a name draws the runs of that system."""
    page = place({"means": chart_convergence(make_evaluations(20, 10))})
    lines = page.locator("#chart-1 svg path[stroke-width='1.4']")
    before = lines.count()
    page.locator("#chart-1 svg text", has_text="box 7").click()
    page.wait_for_timeout(100)

    assert (before, lines.count()) == (0, 2)


def test_a_canvas_takes_the_color_of_the_page(place: Place) -> None:
    """A chart of many points, drawn on a canvas, follows the page from light to dark."""
    page = place(
        {"series": chart_series(make_long_series(), ConvergenceStyle("minutes", "loss"))},
        color_scheme="light",
    )
    ink = "mlperfCharts.charts.get('chart-1').view.signal('ink')"
    color = "getComputedStyle(document.getElementById('chart-1')).color"
    light = page.evaluate(f"[{ink}, {color}]")
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(100)
    dark = page.evaluate(f"[{ink}, {color}]")

    assert page.locator("#chart-1 canvas").count() == 1
    assert light[0] == light[1] != dark[0]
    assert dark[0] == dark[1]


def test_hostile_names_are_texts(place: Place) -> None:
    """Markup, a script's end, marks of direction and a megabyte in names are text in chart, legend and tooltip."""
    table = make_evaluations(2, 2)
    table["system"] = [f"{HOSTILE} {system}" for system in table["system"]]
    table["seed"] = "x\u202egnp.exe\x1b[31m" + "s" * 1_000_000
    table["path"] = [f"{path}{HOSTILE}" for path in table["path"]]
    row = table.iloc[1]

    page = place({"curves": chart_convergence(table)})
    shown = point_at(page, row["progress"], row["quality"])

    assert "</script>" in shown
    assert "\u202e" not in shown
    assert len(shown) < 2_000
    assert page.locator("#vg-tooltip-element img, #vg-tooltip-element script").count() == 0
    assert page.locator("#chart-1 svg text", has_text="</script>").count() >= 2
