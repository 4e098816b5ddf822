"""Reference points in use: means, pruning, matching."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlperf_logging.scoring.rcp.points import ReferencePoint
from mlperf_logging.scoring.rcp.references import (
    BELOW,
    CHECK,
    EXACT,
    INTERPOLATED,
    MISSING,
    RULES,
    Reference,
    match_batch_size,
    prune,
    show_amount,
    summarize_point,
    summarize_points,
)

SIZES = [64, 128, 256, 512, 1024, 2048]


def make(*means: float) -> list[Reference]:
    """References of growing batch size."""
    return [Reference(size, mean, 1.0, 8) for size, mean in zip(SIZES, means, strict=False)]


def sizes(references: list[Reference]) -> list[float]:
    """Their batch sizes."""
    return [reference.batch_size for reference in references]


@st.composite
def references(draw: st.DrawFn) -> list[Reference]:
    """Some references of different batch sizes."""
    chosen = sorted(draw(st.sets(st.integers(1, 10_000), min_size=1, max_size=9)))
    return [Reference(size, draw(st.floats(1, 100)), draw(st.floats(0, 5)), 8) for size in chosen]


def test_deviation_of_all_runs_or_of_the_kept_ones() -> None:
    """The public checks take the deviation of all runs, the rules as written that of the runs that are kept."""
    point = ReferencePoint(128, (1.0, 2.0, 4.0, 9.0))

    assert summarize_point(point, 1, CHECK) == Reference(128, 3.0, pytest.approx(3.082207), 2)
    assert summarize_point(point, 1, RULES) == Reference(128, 3.0, 1.0, 2)


def test_points_with_too_few_runs_are_left_out() -> None:
    """A point whose runs are all dropped has no mean; the others are sorted by batch size."""
    points = [
        ReferencePoint(64, (3.0, 3.0, 3.0)),
        ReferencePoint(32, (1.0, 2.0)),
        ReferencePoint(16, (2.0,) * 3),
    ]

    assert sizes(summarize_points(points, 1)) == [16, 64]


def test_smaller_batches_than_the_fastest_are_pruned() -> None:
    """A smaller batch that converges slower than a larger one is no reference for anything."""
    assert sizes(prune(make(12, 10, 11, 13))) == [128, 256, 512]


def test_points_above_the_line_of_their_neighbors_are_pruned() -> None:
    """A point that is slower than the line between its neighbors goes; one on the line stays."""
    assert sizes(prune(make(10, 14, 13))) == [64, 256]
    assert sizes(prune([Reference(1, 1, 0, 8), Reference(2, 2, 0, 8), Reference(3, 3, 0, 8)])) == [1, 2, 3]


def test_rules_repeat_the_pruning() -> None:
    """As written, pruning continues until no point is too slow; the public checks look at each point once."""
    points = [
        Reference(100, 10, 0, 8),
        Reference(200, 11, 0, 8),
        Reference(300, 13, 0, 8),
        Reference(400, 12.5, 0, 8),
    ]

    assert sizes(prune(points, CHECK)) == [100, 200, 400]
    assert sizes(prune(points, RULES)) == [100, 400]


@given(references())
def test_written_pruning_leaves_a_convex_line(found: list[Reference]) -> None:
    """What is left grows with the batch size, ever steeper, and keeps the fastest and the largest point."""
    kept = prune(found, RULES)
    slopes = [
        (right.mean - left.mean) / (right.batch_size - left.batch_size) for left, right in pairwise(kept)
    ]

    assert all(left <= right + 1e-9 for left, right in pairwise(slopes))
    assert kept[0].mean == min(each.mean for each in found)
    assert kept[-1] == found[-1]


@given(references())
def test_pruning_is_idempotent_by_the_rules(found: list[Reference]) -> None:
    """Pruning what was pruned changes nothing, and what the check keeps is never less."""
    kept = prune(found, RULES)

    assert prune(kept, RULES) == kept
    assert set(kept) <= set(prune(found, CHECK))


def test_nothing_to_prune() -> None:
    """No points stay none, and one stays one."""
    assert prune([]) == []
    assert prune(make(3)) == make(3)


def test_exact_match() -> None:
    """A batch size that was measured is judged against its own runs."""
    found = match_batch_size(make(10, 11, 12), 128, 5)

    assert (found.kind, found.reference) == (EXACT, make(10, 11)[1])


def test_interpolation_is_linear_in_batch_size() -> None:
    """Between two points mean and deviation lie on the line, and count as twice the required runs."""
    found = match_batch_size([Reference(100, 10, 1, 8), Reference(200, 20, 3, 8)], 125, 5)

    assert found.kind == INTERPOLATED
    assert found.reference == Reference(125, 12.5, 1.5, 10)


def test_batch_sizes_beyond_the_points() -> None:
    """Larger than all: missing. Smaller than all: judged against the smallest."""
    points = make(10, 11)

    assert match_batch_size(points, 129, 5) == (MISSING, None)
    assert match_batch_size(points, 8, 5) == (BELOW, points[0])


@given(references(), st.floats(1, 10_000))
def test_interpolated_reference_lies_between_its_neighbors(found: list[Reference], batch_size: float) -> None:
    """Neither mean nor deviation leaves the range of the two points that it lies between."""
    match = match_batch_size(found, batch_size, 5)
    if match.kind == INTERPOLATED:
        assert match.reference is not None
        means = [each.mean for each in found]
        assert min(means) - 1e-9 <= match.reference.mean <= max(means) + 1e-9
        assert 0 <= match.reference.deviation <= max(each.deviation for each in found) + 1e-9


@pytest.mark.parametrize(
    ("amount", "shown"), [(1234567.4, "1,234,567"), (35.0, "35"), (0.8289863, "0.828986")]
)
def test_amounts_read_well(amount: float, shown: str) -> None:
    """Samples are whole numbers, epochs keep what tells them apart."""
    assert show_amount(amount) == shown
