"""Curves drawn with characters."""

from __future__ import annotations

import pytest

from mlperf_logging.reports._line_plot import Scale, draw_curve, draw_span, draw_sparkline, fit_values

UNIT = Scale(0.0, 1.0)


def test_rising_line_goes_from_corner_to_corner() -> None:
    """A straight line fills the diagonal, from the bottom left to the top right."""
    lines = draw_curve([(0, 0), (1, 1)], UNIT, UNIT, 4, 4, None)

    assert [[cell != " " for cell in line] for line in lines] == [
        [column == 3 - row for column in range(4)] for row in range(4)
    ]


def test_target_is_a_dashed_line_behind_the_curve() -> None:
    """The line of the target is dashed wherever the curve leaves it free."""
    lines = draw_curve([(0, 0.5), (0.4, 0.5)], UNIT, UNIT, 10, 2, 0.6)

    assert lines[0].endswith("┄┄┄┄┄")
    assert lines[0][0] not in " ┄"
    assert "┄" not in lines[1]


def test_points_beyond_the_axes_are_drawn_at_their_ends() -> None:
    """What lies outside is at the edge: every line keeps its width."""
    lines = draw_curve([(-5, -5), (9, 9)], UNIT, UNIT, 6, 3, 7.0)

    assert [len(line) for line in lines] == [6, 6, 6]


def test_span_is_filled_between_its_ends() -> None:
    """A band from a fifth to three fifths, with a mark at its end."""
    assert draw_span(UNIT, 10, 0.2, 0.6, "─", [(0.6, "┤")]) == "  ────┤   "


@pytest.mark.parametrize(
    ("values", "bars"),
    [([], ""), ([1], "▁"), ([1, 2, 3], "▁▅█"), ([3, 3], "▁▁"), (list(range(100)), "▁▂▄▅▇█")],
)
def test_sparkline(values: list[float], bars: str) -> None:
    """From the lowest bar to the highest; of many values the latest of each part."""
    drawn = draw_sparkline(values, 6)

    assert len(drawn) == min(len(values), 6)
    if len(values) < 10:
        assert drawn == bars
    else:
        assert (drawn[-1], sorted(drawn)) == ("█", list(drawn))


def test_few_values_far_off_do_not_flatten_the_others() -> None:
    """One of thirty values is a thousand times as large: the axis ends where the others do. The target is on it."""
    scale = fit_values([1_000.0, *[1 + number / 100 for number in range(30)]], 0.5)

    assert scale == Scale(0.5, 1.29)


def test_axis_of_nothing() -> None:
    """Without values there is an axis all the same."""
    assert fit_values([], None) == Scale(0.0, 1.0)
    assert fit_values([], 3.0) == Scale(3.0, 3.0)
    assert Scale(3.0, 3.0).place(3.0, 10) == 0


def test_largest_numbers_have_places() -> None:
    """An axis from the smallest to the largest number there is has a middle."""
    assert Scale(-1.7e308, 1.7e308).place(0.0, 10) == 5
    assert Scale(0.0, 1.7e308).place(1.7e308, 10) == 9
