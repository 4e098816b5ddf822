"""Student's t distribution, held against scipy and textbook values."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import special, stats

from mlperf_logging.scoring.rcp import student

DEGREES = st.integers(1, 500)


@given(st.floats(-50, 50), DEGREES)
@example(1e-7, 1)
def test_probability_is_that_of_scipy(t: float, degrees: int) -> None:
    """The finite sum agrees with scipy's incomplete beta function, for every whole number of degrees.

    Not with ``stats.t.cdf``: near zero that is exact to eleven digits only (for 1e-7 and one degree of freedom it gives
    0.50000003181827 where 1/2 + atan(1e-7)/pi is 0.50000003183099).
    """
    half = special.betainc(0.5, degrees / 2, t * t / (degrees + t * t)) / 2
    assert student.cdf(t, degrees) == pytest.approx(0.5 + math.copysign(half, t), abs=1e-13)


@given(st.floats(0.0005, 0.9995), DEGREES)
def test_quantile_is_that_of_scipy(probability: float, degrees: int) -> None:
    """The number that the halving finds is scipy's."""
    assert student.quantile(probability, degrees) == pytest.approx(
        stats.t.ppf(probability, degrees), rel=1e-9, abs=1e-9
    )


@pytest.mark.parametrize(
    ("degrees", "t"), [(1, 6.3138), (2, 2.9200), (9, 1.8331), (24, 1.7109), (26, 1.7056), (120, 1.6577)]
)
def test_quantile_of_the_printed_tables(degrees: int, t: float) -> None:
    """The one-sided 5 percent points that every textbook prints."""
    assert student.quantile(0.95, degrees) == pytest.approx(t, abs=5e-5)


@given(st.floats(0.001, 0.999), DEGREES)
def test_quantile_and_probability_are_inverse(probability: float, degrees: int) -> None:
    """The probability of a quantile is the one requested."""
    assert student.cdf(student.quantile(probability, degrees), degrees) == pytest.approx(
        probability, abs=1e-12
    )


def test_far_ends() -> None:
    """Infinity is certain, and one degree of freedom is Cauchy's distribution."""
    assert student.cdf(math.inf, 5) == 1
    assert student.cdf(-math.inf, 5) == 0
    assert student.cdf(1, 1) == pytest.approx(0.75)
    assert student.cdf(0, 7) == 0.5


@pytest.mark.parametrize("probability", [0, 1, -0.1, 1.1, math.nan])
def test_no_quantile_outside_of_probabilities(probability: float) -> None:
    """Only what lies between 0 and 1 has a quantile."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        student.quantile(probability, 3)


def test_no_distribution_without_freedom() -> None:
    """At least one degree of freedom is needed."""
    with pytest.raises(ValueError, match="at least one degree"):
        student.cdf(1, 0)
