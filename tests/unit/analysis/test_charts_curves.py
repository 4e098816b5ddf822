"""Charts of curves: their data are the tables' values, held once, and what a pointer and the legend do."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_tables import make_evaluations

from mlperf_logging.analysis.charts import ConvergenceStyle, chart_convergence, chart_series, pack_chart
from mlperf_logging.analysis.columns import SERIES_COLUMNS, make_table
from mlperf_logging.analysis.references import ReferenceRange
from mlperf_logging.errors import UsageError

pytest.importorskip("altair", reason="needs altair")
REFERENCE = ReferenceRange(2.5, 3.0, "epochs", 64.0, "exact")


def find_layers(spec: dict[str, Any], mark: str) -> list[dict[str, Any]]:
    """The layers of a kind of mark."""
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == mark]


def list_tooltips(layer: dict[str, Any]) -> list[str]:
    """What a pointer shows, by the names that people read."""
    return [each["title"] for each in layer["encoding"]["tooltip"]]


def make_series(values: np.ndarray) -> pd.DataFrame:
    """One run's series."""
    return make_table(
        [
            {
                "path": "a/result_0.txt",
                "metric": "loss",
                "key": "loss",
                "value": value,
                "minutes": 0.5 * place,
            }
            for place, value in enumerate(values)
        ],
        SERIES_COLUMNS,
    )


def test_data_are_the_values_of_the_table() -> None:
    """Each run is a row with its points as arrays, which hold what the table holds, and its first that meets the target."""
    table = make_evaluations(3)

    spec = chart_convergence(table).to_dict()

    rows = spec["datasets"]["runs"]
    assert [row["run"] for row in rows] == [f"results/result_{run}.txt" for run in range(3)]
    for row, (_, points) in zip(rows, table.groupby("path", sort=False), strict=True):
        assert row["x"] == points["progress"].tolist()
        assert row["y"] == pytest.approx(points["quality"].tolist(), rel=1e-6)
        assert row["samples"] == points["samples"].tolist()
        assert row["line"] == [101, 102, 103, 104]
        assert (row["met_x"], row["met_y"]) == (4, pytest.approx(points["quality"].iloc[3], rel=1e-6))


def test_pointer_shows_where_a_value_comes_from() -> None:
    """A pointer shows system, run, seed, value, progress and the line in the log."""
    spec = chart_convergence(make_evaluations(2)).to_dict()

    found = find_layers(spec, "circle")[-1]
    shown = [
        "system",
        "run",
        "seed",
        "value",
        "epochs",
        "samples",
        "minutes since run_start",
        "line in the log",
    ]
    assert list_tooltips(found) == shown


def test_pointer_lights_up_no_point_of_very_many() -> None:
    """Beyond six thousand points a pointer still finds each, but none lights up."""
    few, many = (chart_convergence(make_evaluations(runs)).to_dict() for runs in (2, 1501))

    lit, unlit = (find_layers(spec, "circle")[-1]["encoding"]["opacity"] for spec in (few, many))
    assert lit["condition"]["param"] == "pointed"
    assert unlit == {"value": 0}
    assert list_tooltips(find_layers(many, "circle")[-1])


def test_legend_isolates() -> None:
    """A click on a name in the legend fades the lines of the others, and their points cannot be found any more."""
    spec = chart_convergence(make_evaluations(6, systems=2)).to_dict()

    isolated = next(each for each in spec["params"] if each["name"] == "isolated")
    assert (isolated["bind"], isolated["select"]["fields"]) == ("legend", ["curve"])
    (lines,) = find_layers(spec, "line")
    assert lines["encoding"]["opacity"]["condition"]["param"] == "isolated"
    found = find_layers(spec, "circle")[-1]
    assert {"filter": {"param": "isolated"}} in found["transform"]


@pytest.mark.parametrize(("systems", "means"), [(8, 0), (9, 9), (25, 1)])
def test_many_systems_show_means(systems: int, means: int) -> None:
    """Beyond eight systems each has a mean, beyond two dozen there is one of all; the data of runs are held once."""
    spec = chart_convergence(make_evaluations(2 * systems, systems)).to_dict()

    names = [layer["data"]["name"] for layer in find_layers(spec, "line") if layer["data"]["name"] != "runs"]
    assert [len(spec["datasets"][name]) for name in names] == ([means] if means else [])
    assert json.dumps(spec).count("results/result_0.txt") == 1


def test_the_axis_reaches_as_far_as_the_reference() -> None:
    """Runs that are done long before the reference, or after it, share the axis with its band."""
    far = ReferenceRange(20.0, 30.0, "epochs", 64.0, "exact")

    spec = chart_convergence(make_evaluations(3), reference=far).to_dict()

    scales = [
        layer["encoding"]["x"]["scale"]["domain"] for layer in spec["layer"] if "x" in layer["encoding"]
    ]
    assert scales
    assert all(scale == [1, 30] for scale in scales)


@pytest.mark.parametrize("systems", [2, 9, 25])
def test_vega_draws_any_number_of_systems(systems: int) -> None:
    """The real library draws the curves of few systems, of many, and of more than are named: no signal is missing."""
    import vl_convert

    chart = chart_convergence(make_evaluations(2 * systems, systems))
    drawn = vl_convert.vegalite_to_svg(pack_chart(chart)["spec"])

    assert drawn.count("<path") > systems


def test_target_and_reference_are_drawn_and_told() -> None:
    """The target is a line and the reference a band; notes and description say what they are."""
    chart = chart_convergence(make_evaluations(2), reference=REFERENCE, title="Knitting")
    spec = chart.to_dict()

    (rule,), (band,) = find_layers(spec, "rule"), find_layers(spec, "rect")
    assert spec["datasets"][rule["data"]["name"]] == [{"y": 0.8, "target": "target: at least 0.8"}]
    (row,) = spec["datasets"][band["data"]["name"]]
    assert (row["x"], row["x2"]) == (2.5, 3)
    note = "dashed: target: at least 0.8; hollow markers: first to meet it; "
    note += "green band: reference at batch 64, smallest accepted mean to mean"
    assert spec["usermeta"] == {"title": "Knitting", "notes": [note]}
    assert spec["title"]["text"] == "Knitting"
    assert spec["description"] == (
        "Curves of 2 runs: eval_accuracy, as logged, over epochs. Target: at least 0.8. 2 of the runs meet it. "
        "The reference is accepted from a mean of 2.5 epochs on, and has a mean of 3."
    )


def test_far_values_do_not_flatten_the_others() -> None:
    """The vertical axis ends where the plots' does; triangles and a note say what lies outside."""
    table = make_evaluations(30)
    table.loc[0, "quality"] = -500.0

    spec = chart_convergence(table).to_dict()

    (lines,) = find_layers(spec, "line")
    low, high = lines["encoding"]["y"]["scale"]["domain"]
    assert -1 < low < high < 1.5
    (triangles,) = find_layers(spec, "point")[:1]
    assert triangles["mark"]["shape"] == "triangle-down"
    assert spec["usermeta"]["notes"][-1] == "1 of 120 values lies outside (-500)"


def test_long_series_are_thinned_and_say_so() -> None:
    """Of a long series the first, last, smallest and largest value stay, and a note says how many points are drawn."""
    values = np.random.default_rng(1).normal(size=100_000)

    spec = chart_series(make_series(values), ConvergenceStyle("minutes", "loss")).to_dict()

    (row,) = spec["datasets"]["runs"]
    assert 10_000 < len(row["y"]) <= 20_000
    assert (min(row["y"]), max(row["y"])) == pytest.approx((values.min(), values.max()), rel=1e-6)
    assert (row["x"][0], row["x"][-1]) == (0, 0.5 * 99_999)
    (note,) = spec["usermeta"]["notes"]
    assert note.startswith("of each run, at most 20,000 of up to 100,000 points are drawn")


def test_nothing_to_draw_is_an_error_in_words() -> None:
    """What cannot be drawn is said as for the plots."""
    with pytest.raises(UsageError, match="there is none"):
        chart_convergence(make_evaluations(0))
