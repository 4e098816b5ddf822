"""Means that the rules define: olympic, median, median window, weighted geometric.

Plain Python on purpose: a score is a handful of numbers, and numpy would take longer to load than to score a round.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Trimmed(NamedTuple):
    """What is left when the lowest and the highest values are dropped.

    Attributes:
        mean: mean of the values that are kept; infinite where one of them is.
        kept: positions of the kept values in the sequence, in the order of the values.
    """

    mean: float
    kept: tuple[int, ...]


def trim(values: Sequence[float], dropped: int = 1) -> Trimmed | None:
    """Drop the lowest and the highest values and average the rest (the rules' "olympic" mean); None where nothing is left.

    Infinity stands for a run without a value.
    """
    order = sorted(range(len(values)), key=lambda index: values[index])
    kept = order[dropped : len(values) - dropped] if dropped else order
    if not kept:
        return None
    return Trimmed(sum(values[index] for index in kept) / len(kept), tuple(kept))


def olympic_mean(values: Sequence[float], dropped: int = 1) -> float | None:
    """Mean without the lowest and the highest values, or None where nothing is left.

    Args:
        values: the values; infinity stands for a run without one.
        dropped: how many are dropped on each side.
    """
    trimmed = trim(values, dropped)
    return None if trimmed is None else trimmed.mean


def median(values: Sequence[float]) -> float | None:
    """The middle value, the mean of the two middle ones of an even number, None of none."""
    if not values:
        return None
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def population_deviation(values: Sequence[float]) -> float:
    """Standard deviation with the number of values as divisor."""
    try:
        mean = math.fsum(values) / len(values)
        return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    except OverflowError:  # a log may hold any number
        return math.inf


def find_median_window(scores: Sequence[float]) -> int:
    """Which window of consecutive runs counts when there are more runs than required, by each one's olympic score.

    It is the one whose score is the median of all windows. Of an even number it is the slower of the two middle
    ones, so that at least half of the windows are as fast or faster; of equal ones the first.
    """
    order = sorted(range(len(scores)), key=lambda index: (scores[index], index))
    chosen = scores[order[len(order) // 2]]
    return scores.index(chosen)


def geometric_mean(values: Sequence[float], weights: Sequence[float] | None = None) -> float:
    """Weighted geometric mean.

    Args:
        values: positive numbers.
        weights: one for each value, not negative and not all zero; None weighs all alike.

    Raises:
        ValueError: there are no values, one is not positive, or the weights do not fit.
    """
    if weights is None:
        weights = [1.0] * len(values)
    if not values or len(weights) != len(values):
        raise ValueError("a geometric mean needs at least one value and a weight for each")
    if any(not value > 0 for value in values):
        raise ValueError("a geometric mean needs positive values")
    total = math.fsum(weights)
    if any(not weight >= 0 for weight in weights) or not total > 0:
        raise ValueError("weights must not be negative, and not all zero")
    logs = [weight * math.log(value) for value, weight in zip(values, weights, strict=True)]
    return math.exp(math.fsum(logs) / total)
