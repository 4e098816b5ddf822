"""Charts of tables: their data are the tables' values, and what cannot be drawn is said in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_tables import make_evaluations, make_power, make_runs, make_sized_runs

from mlperf_logging.analysis.charts import (
    chart_amounts,
    chart_breakdown,
    chart_comparison,
    chart_convergence,
    chart_power,
    chart_reference,
    chart_scaling,
    chart_spread,
)
from mlperf_logging.analysis.comparison import compare_systems
from mlperf_logging.analysis.parameters import BootstrapParameters
from mlperf_logging.analysis.scaling import describe_scaling
from mlperf_logging.errors import UsageError
from mlperf_logging.scoring.rcp.points import ReferencePoint, ReferenceTable
from mlperf_logging.scoring.rcp.test import check_convergence
from mlperf_logging.scoring.requirements import Requirement

pytest.importorskip("altair", reason="needs altair")
FEW = BootstrapParameters(resamples=50)
POINTS = ReferenceTable(
    "knitting",
    "epochs",
    0,
    tuple(
        ReferencePoint(size, (mean - 1, mean, mean, mean, mean + 1))
        for size, mean in ((32, 12), (64, 10), (128, 14), (256, 15))
    ),
)
CHECK = check_convergence((11, 12, 12, 12, 13), 96, POINTS, Requirement(5))


def read_layer(spec: dict[str, Any], mark: str, place: int = 0) -> list[dict[str, Any]]:
    """The data of a layer, by its kind of mark."""
    layers = [layer for layer in spec["layer"] if layer["mark"]["type"] == mark]
    return list(spec["datasets"][layers[place]["data"]["name"]])


def test_spread_holds_every_run_and_the_quartiles() -> None:
    """Each run is a point with its value; a box has the quartiles of its group, and no group of three has one."""
    runs = make_runs(11, systems=2).assign(benchmark="a")
    runs = pd.concat([runs, make_runs(3, systems=1).assign(benchmark="b")], ignore_index=True)

    spec = chart_spread(runs).to_dict()

    points = read_layer(spec, "point")
    assert sorted(each["value"] for each in points) == pytest.approx(sorted(runs["run_minutes"]), rel=1e-6)
    boxes = read_layer(spec, "bar")
    groups = [rows["run_minutes"] for _, rows in runs[runs["benchmark"] == "a"].groupby("system")]
    assert [box["median"] for box in boxes] == pytest.approx([rows.median() for rows in groups], rel=1e-6)
    assert [box["first"] for box in boxes] == pytest.approx(
        [rows.quantile(0.25) for rows in groups], rel=1e-6
    )


def test_spread_of_shares_shows_the_value_as_well() -> None:
    """As a share of the median, the middle run is at 100 %, and a pointer shows its own value too."""
    runs = make_runs(5, systems=1)

    points = read_layer(chart_spread(runs, relative=True).to_dict(), "point")

    assert points[2]["value"] == 100
    assert points[2]["own"] == pytest.approx(runs["run_minutes"].median(), rel=1e-6)


def test_breakdown_adds_up() -> None:
    """The parts of each run follow each other from 0 on, and initialization ends there."""
    parts = read_layer(chart_breakdown(make_runs(3)).to_dict(), "bar")

    first = [part for part in parts if part["row"] == parts[0]["row"]]
    assert [part["part"] for part in first] == [
        "initialization, not timed",
        "training",
        "evaluation",
        "neither of the two",
    ]
    assert [(part["start"], part["stop"]) for part in first][:2] == [(-2, 0), (0, 25)]
    assert first[2]["stop"] == first[3]["start"]
    assert sum(part["share"] for part in first[1:]) == pytest.approx(1, abs=1e-3)


def test_breakdown_of_many_runs_is_by_system() -> None:
    """Of more than sixty runs a bar is the mean of a system's, which is noted."""
    runs = make_runs(61, systems=2)

    spec = chart_breakdown(runs).to_dict()

    evaluation = [part["minutes"] for part in read_layer(spec, "bar") if part["part"] == "evaluation"]
    means = runs.groupby("system", sort=False)["eval_minutes"].mean()
    assert evaluation == pytest.approx(means.tolist(), rel=1e-6)
    assert spec["usermeta"]["notes"] == [
        "each bar is the mean of the runs of a system; their number is in brackets"
    ]


def test_scaling_holds_the_table() -> None:
    """Each size has the efficiency of the table of scaling."""
    table = describe_scaling(make_sized_runs(), parameters=FEW)

    spec = chart_scaling(table).to_dict()

    points = read_layer(spec, "circle")
    assert [point["size"] for point in points] == [8, 32]
    assert [point["efficiency"] for point in points] == [1, 0.5]
    assert [point["learning_efficiency"] for point in points] == [1, 0.8]


def test_comparison_says_who_is_faster() -> None:
    """A row is B's, A's, or nobody's where its interval holds 1 or there is none."""
    runs = make_runs(12, systems=1)
    half = runs.assign(run_minutes=runs["run_minutes"] / 2)
    single = runs.iloc[:1].assign(benchmark="single")
    table = compare_systems(
        pd.concat([runs, single, half.assign(benchmark="sewing")]),
        pd.concat([half, single, runs.assign(benchmark="sewing")]),
        parameters=FEW,
    )

    spec = chart_comparison(table, "old", "new").to_dict()

    rows = read_layer(spec, "point")
    assert {row["row"]: row["verdict"] for row in rows} == {
        "knitting": "B is faster",
        "sewing": "A is faster",
        "single": "not certain",
    }
    assert [row["speedup"] for row in rows] == pytest.approx(table["speedup"].tolist(), rel=1e-6)
    assert spec["usermeta"]["notes"][:2] == ["A: old", "B: new"]


def test_reference_shows_the_margin() -> None:
    """The chart holds the points, the runs, the mean, and how far it is above the smallest acceptable one."""
    spec = chart_reference(CHECK, POINTS, title="Knitting").to_dict()

    smallest = CHECK.reference_min
    assert smallest is not None
    (between,) = read_layer(spec, "rule")
    assert (between["y"], between["low"]) == (12, pytest.approx(smallest, rel=1e-6))
    assert len(read_layer(spec, "circle")) == 20
    assert spec["usermeta"]["notes"][-1] == (
        f"margin +{(12 / smallest - 1) * 100:.3g} % to the smallest acceptable mean"
    )


def test_power_is_in_units_of_people() -> None:
    """Watts are shown as kilowatts and kilojoules as megajoules, at the minutes of the readings."""
    kilowatts, megajoules = (
        read_layer(chart_power(make_power(), quantity).to_dict(), "line")
        for quantity in ("watts", "energy_kj")
    )

    assert [(line["curve"], line["x"], line["y"]) for line in kilowatts] == [
        ("a", [0, 1], [1, 1.5]),
        ("b", [0, 2], [2, 2.5]),
    ]
    assert [line["y"] for line in megajoules] == [[0, 0.09], [0, 0.3]]


def make_results() -> pd.DataFrame:
    """Two results with energy and cost, and one without."""
    return pd.DataFrame(
        {
            "benchmark": "knitting",
            "submitter": "Lab",
            "system": ["small", "large", "unknown"],
            "score_minutes": [30.0, 15.0, None],
            "energy_kj": [1500.0, 2000.0, None],
            "cost_of_score": [4.0, 5.5, None],
            "currency": ["USD", "USD", None],
        }
    )


def test_amounts_are_in_units_of_people() -> None:
    """A result's energy is in megajoules, its cost in the currency of the table; a result without either has no bar."""
    energy, cost = (
        chart_amounts(make_results(), value).to_dict() for value in ("energy_kj", "cost_of_score")
    )

    assert [(each["row"], each["amount"]) for each in read_layer(energy, "bar")] == [
        ("small", 1.5),
        ("large", 2),
    ]
    assert [each["amount"] for each in read_layer(cost, "bar")] == [4, 5.5]
    titles = [spec["layer"][0]["encoding"]["x"]["title"] for spec in (energy, cost)]
    assert titles == ["energy of the runs that count (MJ)", "cost of a run as long as the score (USD)"]


CHARTS: dict[str, Callable[[], Any]] = {
    "amounts": lambda: chart_amounts(make_results(), title="Knitting"),
    "breakdown": lambda: chart_breakdown(make_runs(3), title="Knitting"),
    "comparison": lambda: chart_comparison(
        compare_systems(make_runs(6), make_runs(7), parameters=FEW), "a", "b", title="Knitting"
    ),
    "convergence": lambda: chart_convergence(make_evaluations(3), title="Knitting"),
    "power": lambda: chart_power(make_power(), title="Knitting"),
    "reference": lambda: chart_reference(CHECK, POINTS, title="Knitting"),
    "scaling": lambda: chart_scaling(describe_scaling(make_sized_runs(), parameters=FEW), title="Knitting"),
    "spread": lambda: chart_spread(make_runs(6, systems=1), title="Knitting"),
}


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_is_described_and_fits_any_paper(name: str) -> None:
    """Each chart has a title, a description that ends as a sentence, no background, and text in the color of the page's."""
    spec = CHARTS[name]().to_dict()

    assert spec["title"]["text"] == "Knitting"
    assert len(spec["description"]) > 40
    assert spec["description"].endswith(".")
    assert spec["config"]["background"] == "transparent"
    assert spec["config"]["params"] == [{"name": "ink", "value": "currentColor"}]
    assert spec["config"]["axis"]["labelColor"] == {"expr": "ink"}


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda: chart_spread(make_runs(3), relative=True), "no group has two runs"),
        (lambda: chart_breakdown(make_runs(2)[["path"]]), "no column 'submitter'"),
        (lambda: chart_amounts(make_results(), "runs"), "unknown amount 'runs'"),
        (lambda: chart_amounts(make_results().iloc[2:]), "no result has a value of energy_kj"),
        (
            lambda: chart_amounts(make_results().assign(currency=["USD", "EUR", None]), "cost_of_score"),
            "costs in USD and EUR",
        ),
        (lambda: chart_power(make_power(), "volts"), "unknown quantity 'volts'"),
        (lambda: chart_power(make_power().iloc[:0]), "no power readings"),
        (lambda: chart_comparison(compare_nothing(), "a", "b"), "no benchmark has runs on both sides"),
    ],
)
def test_nothing_to_draw_is_an_error_in_words(draw: Callable[[], Any], said: str) -> None:
    """What cannot be drawn is said as for the plots."""
    with pytest.raises(UsageError, match=said):
        draw()


def compare_nothing() -> pd.DataFrame:
    """A comparison without a speedup."""
    return compare_systems(make_runs(3), make_runs(3), parameters=FEW).assign(speedup=np.nan)
