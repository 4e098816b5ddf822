"""Student's t distribution for whole degrees of freedom.

For whole numbers the distribution is a finite sum (Abramowitz and Stegun, chapter 26, section 7), exact to rounding.
Loading scipy for two numbers would take longer than everything else that the test of convergence does; the tests
hold this module against scipy. See docs/decisions/0004-scoring.md.
"""

from __future__ import annotations

import math


def cdf(t: float, degrees: int) -> float:
    """Probability that a t-distributed number is at most t; ValueError without a degree of freedom."""
    if degrees < 1:
        raise ValueError(f"Student's t needs at least one degree of freedom, not {degrees}")
    if math.isinf(t):
        return 1.0 if t > 0 else 0.0
    return 0.5 + _inside(abs(t), degrees) / 2 * (1 if t > 0 else -1)


def quantile(probability: float, degrees: int) -> float:
    """The number that a t-distributed number stays below with a probability between 0 and 1, both excluded."""
    if not 0 < probability < 1:
        raise ValueError(f"a probability must be between 0 and 1, not {probability}")
    if probability < 0.5:
        return -quantile(1 - probability, degrees)
    low, high = 0.0, 1.0
    while cdf(high, degrees) < probability:
        low, high = high, high * 2
    while True:  # halve until no number lies between the two
        middle = (low + high) / 2
        if not low < middle < high:
            return middle
        if cdf(middle, degrees) < probability:
            low = middle
        else:
            high = middle


def _inside(t: float, degrees: int) -> float:
    """Probability that the absolute value stays below t."""
    angle = math.atan(t / math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    squared = cosine * cosine
    if degrees % 2:
        term, total = cosine, 0.0
        for step in range(1, (degrees - 1) // 2 + 1):
            total += term
            term *= squared * (2 * step) / (2 * step + 1)
        return 2 / math.pi * (angle + sine * total)
    term, total = 1.0, 0.0
    for step in range(1, degrees // 2 + 1):
        total += term
        term *= squared * (2 * step - 1) / (2 * step)
    return sine * total
