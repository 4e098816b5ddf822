"""How far apart tasks are in what they spend their time on."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("scipy")
figure_module = pytest.importorskip("matplotlib.figure")

from mlperf_logging.analysis.plots.profiles import draw_shares, draw_tree  # noqa: E402
from mlperf_logging.analysis.profiles import join_tasks, measure_distance, order_tasks  # noqa: E402


def test_equal_shares_are_at_no_distance() -> None:
    """Tasks with the same shares are 0 apart, those without a class in common 1, others by the angle between them."""
    assert measure_distance({"a": 0.5, "b": 0.5}, {"a": 0.5, "b": 0.5}) == pytest.approx(0.0)
    assert measure_distance({"a": 1.0}, {"b": 1.0}) == 1.0
    assert measure_distance({"a": 1.0}, {"a": 0.5, "b": 0.5}) == pytest.approx(1 - math.sqrt(0.5))
    assert measure_distance({"a": 0.6, "b": 0.4}, {"b": 1.0}) == measure_distance(
        {"b": 1.0}, {"a": 0.6, "b": 0.4}
    )


def test_task_without_shares_is_refused() -> None:
    """The angle to nothing is not defined."""
    with pytest.raises(ValueError, match="no distance"):
        measure_distance({"a": 0.0}, {"a": 1.0})


def test_most_alike_tasks_are_joined_first() -> None:
    """The tree joins the nearest two, then the groups by the mean of their distances; its leaves keep groups together."""
    shares = [{"a": 1.0}, {"b": 1.0}, {"a": 0.9, "b": 0.1}]

    tree = join_tasks(shares)

    assert sorted(tree[0, :2]) == [0, 2]
    assert tree[0, 2] == pytest.approx(measure_distance(shares[0], shares[2]))
    far = (measure_distance(shares[0], shares[1]) + measure_distance(shares[2], shares[1])) / 2
    assert tree[1, 2] == pytest.approx(far)
    order = order_tasks(tree)
    assert sorted(order) == [0, 1, 2]
    assert abs(order.index(0) - order.index(2)) == 1


def test_bars_stack_to_the_whole_in_the_order_of_parts() -> None:
    """Each task has a bar from 0 to 100 % in the order of its parts, and a part that nobody has is not in the legend."""
    axes = figure_module.Figure().subplots()

    draw_shares(
        axes, [{"a": 0.25, "b": None, "c": 0.75}, {"a": 1.0, "b": 0.0, "c": 0.0}], ["one", "other"], "share"
    )

    bars = [
        [patch.get_x() for patch in bar] + [patch.get_width() for patch in bar] for bar in axes.containers
    ]
    assert bars == [[0.0, 0.0, 25.0, 100.0], [25.0, 100.0, 75.0, 0.0]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "c"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["one", "other"]


def test_tree_joins_at_the_distance_of_its_groups() -> None:
    """Branches end at the rows of their tasks and meet at their distance."""
    axes = figure_module.Figure().subplots()

    draw_tree(axes, join_tasks([{"a": 1.0}, {"a": 0.5, "b": 0.5}]))

    (branch,) = axes.lines
    assert list(branch.get_ydata()) == [0.0, 0.0, 1.0, 1.0]
    assert max(branch.get_xdata()) == pytest.approx(1 - math.sqrt(0.5))
