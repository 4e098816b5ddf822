"""Pictures: what is on them, and that nothing on them overlaps at twelve rows or sixty."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from made_tables import make_evaluations, make_runs
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mlperf_logging.analysis.parameters import BootstrapParameters
from mlperf_logging.analysis.plots import (
    ConvergenceStyle,
    draw_breakdown,
    draw_convergence,
    draw_power,
    draw_scaling,
    draw_series,
    draw_spread,
)
from mlperf_logging.analysis.plots.looks import measure_rows
from mlperf_logging.analysis.references import ReferenceRange
from mlperf_logging.analysis.scaling import describe_scaling
from mlperf_logging.errors import UsageError

COUNTS = (1, 12, 60)


@pytest.fixture
def axes() -> Axes:
    """An axes on a figure of its own, without pyplot."""
    return Figure(figsize=(7, 4)).add_subplot()


def legend_of(axes: Axes) -> list[str]:
    """The texts of the legend."""
    legend = axes.get_legend()
    return [text.get_text() for text in legend.get_texts()] if legend is not None else []


def names_of(axes: Axes) -> list[str]:
    """The names of lines, from the top."""
    return [text.get_text() for text in axes.texts]


def find_overlaps(axes: Axes) -> list[tuple[str, str]]:
    """Pairs of texts in and beside the axes and in the legend that lie on one another when the picture is drawn."""
    figure = axes.figure
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    legend = axes.get_legend()
    texts = [
        *axes.get_yticklabels(),
        *axes.get_xticklabels(),
        *axes.texts,
        *(legend.get_texts() if legend is not None else ()),
    ]
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts if text.get_text()]
    return [
        (name, other)
        for index, (name, box) in enumerate(boxes)
        for other, second in boxes[index + 1 :]
        if box.x0 < second.x1 and second.x0 < box.x1 and box.y0 < second.y1 - 0.5 and second.y0 < box.y1 - 0.5
    ]


def make_axes(width: float, height: float) -> Axes:
    """An axes on a figure of this size, rendered by Agg."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure.add_subplot()


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("draw", [draw_spread, draw_breakdown])
def test_names_of_rows_do_not_touch(count: int, draw: Callable[..., Axes]) -> None:
    """At the height that is made for so many rows, no name lies on another."""
    axes = make_axes(8, measure_rows(count))

    assert draw(axes, make_runs(count)) is axes
    assert len([label for label in axes.get_yticklabels() if label.get_text()]) == count
    assert find_overlaps(axes) == []


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("systems", [1, 7, 20])
def test_names_of_curves_do_not_overlap(count: int, systems: int) -> None:
    """Up to twelve runs of one system have a name each; more, or several systems, one for each system."""
    axes = make_axes(7.4, 4.8)
    draw_convergence(axes, make_evaluations(count, systems))
    names = [name for name in names_of(axes) if not name.startswith("target")]

    assert find_overlaps(axes) == []
    if systems == 1 and count <= 12:
        assert len(names) == count
    else:
        assert len(names) == min(count, systems)


def test_curves_by_hand(axes: Axes) -> None:
    """A curve goes through its evaluations, the target is a line, the first to meet it is marked."""
    draw_convergence(axes, make_evaluations(2), ConvergenceStyle(x="minutes"))
    curves = [line for line in axes.lines if len(line.get_xdata()) == 4]
    marks = [line for line in axes.lines if len(line.get_xdata()) == 1]

    assert [line.get_xdata().tolist() for line in curves] == [[5, 10, 15, 20]] * 2
    assert curves[0].get_ydata().tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert [float(line.get_xdata()[0]) for line in marks] == [20, 20]
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "time since run_start (minutes)",
        "eval_accuracy, as logged",
    )
    assert "target: at least 0.8" in names_of(axes)
    assert legend_of(axes) == ["first to meet the target"]
    assert len({(line.get_linestyle(), line.get_marker()) for line in curves}) == 2


@pytest.mark.parametrize(
    ("x", "label"), [("progress", "epochs"), ("epochs", "epochs"), ("samples", "samples trained on")]
)
def test_axis_has_its_unit(axes: Axes, x: str, label: str) -> None:
    """Each axis says what it counts."""
    draw_convergence(axes, make_evaluations(1), ConvergenceStyle(x=x))

    assert axes.get_xlabel() == label


@pytest.mark.parametrize("part", [1.0, 0.5])
def test_whole_epochs_have_whole_ticks(axes: Axes, part: float) -> None:
    """There is no tick at epoch 1.25 where evaluations follow whole epochs; where they do not, there is."""
    evaluations = make_evaluations(1).iloc[:2]
    draw_convergence(
        axes, evaluations.assign(epochs=evaluations["epochs"] * part), ConvergenceStyle(x="epochs")
    )

    assert all(tick % 1 == 0 for tick in axes.get_xticks()) == (part == 1.0)


def test_reference_band(axes: Axes) -> None:
    """The band spans from the smallest accepted mean to the reference's, and is in the legend."""
    draw_convergence(axes, make_evaluations(1), reference=ReferenceRange(3.5, 4.5, "epochs", 32.0, "exact"))
    (band,) = axes.patches

    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx((3.5, 4.5))
    assert band.get_hatch() == "///"
    assert any(label.startswith("reference at batch 32:") for label in legend_of(axes))


def test_many_systems_share_a_line_and_a_count(axes: Axes) -> None:
    """Beyond two dozen systems names would say nothing: the runs are counted, and one mean of all is drawn."""
    draw_convergence(axes, make_evaluations(30, 30))

    assert legend_of(axes)[0] == "30 runs of 30 systems"
    assert names_of(axes) == ["mean of all", "target: at least 0.8"]


def test_more_than_eight_systems_are_means_with_bands(axes: Axes) -> None:
    """Up to eight systems show each run; of more, each shows the mean of its runs and the band of most of them."""
    draw_convergence(axes, make_evaluations(16, 8))
    assert (count_curves(axes), len(axes.collections)) == (16, 0)

    axes.clear()
    draw_convergence(axes, make_evaluations(18, 9))
    means = [line.get_ydata()[0] for line in axes.lines if len(line.get_xdata()) == 4]
    assert (count_curves(axes), len(axes.collections)) == (9, 9)
    assert sorted(means) == pytest.approx([0.2 + (run + 4.5) / 999 for run in range(9)])


def count_curves(axes: Axes) -> int:
    """Lines through four evaluations."""
    return sum(len(line.get_xdata()) == 4 for line in axes.lines)


def test_one_evaluation_far_off_does_not_flatten_the_others(axes: Axes) -> None:
    """It lies outside, which the legend says and a triangle shows; the target stays within."""
    evaluations = make_evaluations(20, quality=0.9)
    evaluations["quality"] += np.arange(80) / 1000
    evaluations.loc[5, "quality"] = 0.0
    draw_convergence(axes, evaluations)
    low, high = axes.get_ylim()

    assert (low, high) == pytest.approx((0.8, 0.979), abs=0.02)
    assert legend_of(axes)[-1] == "1 of 80 values lies outside (0)"
    (triangle,) = [line for line in axes.lines if line.get_marker() == "v" and len(line.get_xdata())]
    assert triangle.get_xdata().tolist() == [2.0]


def test_series_are_drawn_like_curves(axes: Axes) -> None:
    """A series has a line for each run, and its name on the axis; no target."""
    rows = make_evaluations(3, 3).rename(columns={"quality": "value"}).assign(metric="lr", key="lr")
    draw_series(axes, rows, ConvergenceStyle("samples", "lr"))

    assert count_curves(axes) == 3
    assert names_of(axes) == ["box 2", "box 1", "box 0"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("samples trained on", "lr, as logged")
    assert legend_of(axes) == []


@pytest.mark.parametrize(
    ("evaluations", "style", "said"),
    [
        (
            make_evaluations(1, epochs=None),
            ConvergenceStyle(x="epochs"),
            "do not say epochs; choose another axis: pro",
        ),
        (make_evaluations(1, metric="BLEU"), ConvergenceStyle(), r"several metrics \(BLEU\); choose one"),
        (make_evaluations(0), ConvergenceStyle(), "there is none"),
        (make_evaluations(1, quality=np.inf), ConvergenceStyle(), "no value can be drawn"),
        (
            pd.concat([make_evaluations(1), make_evaluations(1, progress_unit="samples")]),
            ConvergenceStyle(),
            "count progress in epochs and samples",
        ),
    ],
)
def test_curves_that_cannot_be_drawn(
    axes: Axes, evaluations: pd.DataFrame, style: ConvergenceStyle, said: str
) -> None:
    """What is missing is said, with what to do."""
    with pytest.raises(UsageError, match=said):
        draw_convergence(axes, evaluations, style)


def test_unknown_axis_is_refused() -> None:
    """The message lists the axes."""
    with pytest.raises(UsageError, match="choose one of progress, epochs"):
        ConvergenceStyle(x="steps")


def test_spread_shows_every_run(axes: Axes) -> None:
    """Each run is a point; relative to the median of its group, ± 5 % and ± 10 % are lines."""
    runs = make_runs(12, systems=2)
    draw_spread(axes, runs, relative=True)
    points = np.concatenate([line.get_xdata() for line in axes.lines if line.get_marker() == "o"])
    medians = runs.groupby("system")["run_minutes"].transform("median")

    assert sorted(points) == pytest.approx(sorted(runs["run_minutes"] / medians * 100))
    assert legend_of(axes) == ["± 5 %", "± 10 %"]
    assert axes.get_xlabel() == "run minutes, % of the group's median"


def test_spread_over_orders_of_magnitude(axes: Axes) -> None:
    """Systems that take seconds and hours go on a logarithmic axis, others on an ordinary one."""
    runs = make_runs(4)
    draw_spread(axes, runs)
    assert axes.get_xscale() == "linear"
    draw_spread(axes, runs.assign(run_minutes=[0.5, 40.0, 41.0, 900.0]))
    assert axes.get_xscale() == "log"


def test_spread_without_pairs(axes: Axes) -> None:
    """Single runs are their own median: relative to it there is nothing to see."""
    with pytest.raises(UsageError, match="no group has two runs"):
        draw_spread(axes, make_runs(3), relative=True)
    with pytest.raises(UsageError, match="no group has a run with a value of staging_minutes"):
        draw_spread(axes, make_runs(3), "staging_minutes")


def test_breakdown_adds_up(axes: Axes) -> None:
    """Bars from the clock's start on end where the parts add up; initialization lies before it; hatches differ."""
    runs = make_runs(3)
    draw_breakdown(axes, runs)
    bars = [(patch.get_x(), patch.get_width(), patch.get_hatch()) for patch in axes.patches]
    ends = [x + width for x, width, hatch in bars if hatch == "xxxx"]

    assert ends == pytest.approx(runs[["train_minutes", "eval_minutes", "idle_minutes"]].sum(axis=1).tolist())
    assert [(x, width) for x, width, hatch in bars if hatch == "...."] == [(0, -2.0)] * 3
    assert len({hatch for _, _, hatch in bars}) == 4
    with pytest.raises(UsageError, match="no run shows where its time went"):
        draw_breakdown(axes, runs.assign(train_minutes=np.nan, eval_minutes=np.nan, idle_minutes=np.nan))


def test_scaling_shows_efficiency(axes: Axes) -> None:
    """The line starts at 1 and goes to the efficiency; sizes that are close are labeled once."""
    fixed = {
        "benchmark": "knitting",
        "submitter": "Lab",
        "accelerator_model": "needle",
        "progress_to_quality": 3.0,
    }
    runs = pd.DataFrame(
        [
            {**fixed, "accelerators": size, "run_minutes": time}
            for size, time in ((8, 80.0), (64, 20.0), (66, 19.0))
        ]
    )
    draw_scaling(axes, describe_scaling(runs, parameters=BootstrapParameters(resamples=9)))
    line = axes.containers[0].lines[0]

    assert line.get_ydata().tolist() == pytest.approx([1, 0.5, 80 / 19 / 8.25])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["8", "64"]
    assert axes.get_ylim()[0] == 0
    with pytest.raises(UsageError, match="no scaling to draw"):
        draw_scaling(axes, describe_scaling(runs.iloc[:1], parameters=BootstrapParameters(resamples=9)))


def test_scaling_near_the_ideal_is_not_flattened(axes: Axes) -> None:
    """Where all efficiencies are near 1, the axis does not begin at 0."""
    fixed = {
        "benchmark": "knitting",
        "submitter": "Lab",
        "accelerator_model": "needle",
        "progress_to_quality": 3.0,
    }
    runs = pd.DataFrame(
        [{**fixed, "accelerators": size, "run_minutes": time} for size, time in ((8, 80.0), (16, 44.0))]
    )
    draw_scaling(axes, describe_scaling(runs, parameters=BootstrapParameters(resamples=9)))

    assert 0.8 < axes.get_ylim()[0] < 0.91


def test_power_has_units(axes: Axes) -> None:
    """Watts are drawn in kW, kilojoules in MJ, a line for each part."""
    rows = {"minutes": [0.0, 1.0], "watts": [1000.0, 2000.0], "energy_kj": [0.0, 120.0]}
    power = pd.concat([pd.DataFrame({"run": name, **rows}) for name in ("a", "b")])
    draw_power(axes, power)
    draw_power(axes, power, "energy_kj")
    drawn = [list(line.get_ydata()) for line in axes.lines if line.get_drawstyle() == "steps-pre"]
    drawn += [
        list(line.get_ydata())
        for line in axes.lines
        if len(line.get_ydata()) and line.get_ydata()[-1] == 0.12
    ]

    assert names_of(axes) == ["a", "b"] * 2
    assert drawn == [[1.0, 2.0]] * 2 + [[0.0, 0.12]] * 2
    assert axes.get_ylabel() == "energy since the measurement began (MJ)"
    with pytest.raises(UsageError, match="unknown quantity 'volts'"):
        draw_power(axes, power, "volts")


def test_names_from_logs_are_only_text() -> None:
    """Dollar signs begin no formula and control characters do not reach the picture."""
    axes = make_axes(6, 3)
    runs = make_runs(3).assign(system=["$x_{", "a\nb", "\x1b[31mred"])
    draw_spread(axes, runs)
    axes.figure.canvas.draw()

    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "\ufffd[31mred (1)",
        r"\$x_{ (1)",
        "a\ufffdb (1)",
    ]
