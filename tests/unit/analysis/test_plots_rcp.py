"""The picture of a submission against the reference points."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from mlperf_logging.scoring.rcp.points import ReferencePoint, ReferenceTable
from mlperf_logging.scoring.rcp.test import ConvergenceCheck, check_convergence
from mlperf_logging.scoring.requirements import Requirement

figure_module = pytest.importorskip("matplotlib.figure")
from mlperf_logging.analysis.plots.rcp import draw_reference_chart  # noqa: E402

TABLE = ReferenceTable(
    "knitting",
    "epochs",
    0,
    tuple(
        ReferencePoint(size, (mean - 1, mean, mean, mean, mean + 1))
        for size, mean in ((32, 12), (64, 10), (128, 14), (256, 15), (300, 17))
    ),
)


def check(batch_size: float, *runs: float) -> ConvergenceCheck:
    """A test against the table."""
    return check_convergence(runs, batch_size, TABLE, Requirement(5))


@pytest.fixture
def axes():
    """Axes without a screen."""
    return figure_module.Figure(figsize=(9, 4.8), layout="constrained").add_subplot()


def labels(axes) -> list[str]:
    """The texts of the legend."""
    return [text.get_text() for text in axes.get_legend().get_texts()]


def line(axes, label: str):
    """What is drawn under a label."""
    return next(each for each in axes.lines if each.get_label().startswith(label))


def test_axes_are_returned_and_labeled_with_units(axes) -> None:
    """The function takes axes and gives them back, with what is counted on both."""
    assert draw_reference_chart(axes, check(96, 11, 12, 12, 12, 13), title="Knitting") is axes
    assert axes.get_xlabel() == "global batch size (samples, logarithmic)"
    assert axes.get_ylabel() == "epochs to converge"
    assert axes.get_title("left") == "Knitting"


def test_points_that_count_and_pruned_ones_differ_in_shape(axes) -> None:
    """Pruned means are hollow, those that count are filled, so no color is needed to tell them apart."""
    draw_reference_chart(axes, check(96, 11, 12, 12, 12, 13))

    assert list(line(axes, "reference mean, pruned").get_xdata()) == [32, 128]
    assert line(axes, "reference mean, pruned").get_markerfacecolor() == "white"
    assert set(axes.lines[1].get_xdata()) == {64, 256, 300}


def test_line_between_points_is_straight_in_the_batch_size(axes) -> None:
    """Between two points the mean is linear in the batch size itself, whatever the axis."""
    draw_reference_chart(axes, check(96, 11, 12, 12, 12, 13))
    drawn = line(axes, "interpolated")
    means = dict(zip(drawn.get_xdata(), drawn.get_ydata(), strict=True))

    assert means[160.0] == pytest.approx(12.5)
    smallest = line(axes, "smallest acceptable mean")
    assert all(low < mean for low, mean in zip(smallest.get_ydata(), drawn.get_ydata(), strict=True))


def test_submission_is_drawn_with_its_runs_and_its_bound(axes) -> None:
    """Every run, the mean with its outcome, and its smallest acceptable mean."""
    found = check(96, 11, 12, 12, 12, math.inf)
    draw_reference_chart(axes, found, TABLE)

    assert "submission: 5 runs, 1 did not converge" in labels(axes)
    assert f"submission: mean {found.submission_mean:.6g}, passes" in labels(axes)
    assert list(line(axes, "submission: 5 runs").get_ydata()) == [11, 12, 12, 12]
    assert line(axes, "smallest mean at").get_ydata()[0] == found.reference_min
    assert len(line(axes, "reference runs").get_xdata()) == 25


def test_batch_size_beyond_all_points_is_drawn(axes) -> None:
    """A missing reference leaves the submission's runs and its mean, with no bound."""
    draw_reference_chart(axes, check(4096, 11, 12, 12, 12, 13))

    assert not any(label.startswith("smallest mean at") for label in labels(axes))
    assert "submission: mean 12, fails" in labels(axes)


def test_one_point_alone_is_drawn(axes) -> None:
    """With one reference point there is nothing to interpolate, and nothing breaks."""
    table = TABLE._replace(points=TABLE.points[1:2])
    draw_reference_chart(axes, check_convergence([10.0] * 5, 64, table, Requirement(5)))

    assert "interpolated" not in labels(axes)


@pytest.mark.parametrize("batch_size", [96, 64, 4096, 8])
def test_tick_labels_do_not_overlap(axes, batch_size: float) -> None:
    """Batch sizes that are close together are not all labeled, the submission's always is."""
    draw_reference_chart(axes, check(batch_size, 11, 12, 12, 12, 13))
    figure = axes.figure
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
    starts = sorted(box.x1 for box in boxes)

    assert batch_size in axes.get_xticks()
    assert all(right - left > 10 for left, right in pairwise(starts))
