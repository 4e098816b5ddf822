"""Forecasts of convergence: what must hold whatever the reference and the run."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlperf_logging.scoring.forecast import (
    DEGREES,
    INTERVAL,
    Convergence,
    GapPoint,
    extend_curves,
    forecast_convergence,
)
from mlperf_logging.scoring.rcp.references import Reference

amounts = st.floats(1e-3, 1e12)
references = st.builds(
    lambda mean, share: Reference(64, mean, mean * share, 18), st.floats(1e-2, 1e12), st.floats(0, 0.5)
)
shares = st.floats(0, 3)
steps = st.floats(0, 0.5)
probabilities = st.floats(0.001, 0.999)


def forecast(reference: Reference, done: float, step: float, finished: tuple[float, ...] = ()) -> Convergence:
    """The forecast of a run that was evaluated at a share of the reference's mean, every other share."""
    found = forecast_convergence(
        reference, finished=finished, after=done * reference.mean, step=step * reference.mean
    )
    assert found is not None
    return found


@given(references, shares, steps, st.lists(st.floats(0.5, 2), max_size=5))
def test_interval_holds_the_median_and_nothing_that_is_over(
    reference: Reference, done: float, step: float, ratios: list[float]
) -> None:
    """The interval lies around the median, and all of it after the last evaluation that missed the target."""
    found = forecast(reference, done, step, tuple([ratio * reference.mean for ratio in ratios]))

    assert found.after <= found.low <= found.median * (1 + 1e-12)
    assert found.median <= found.high * (1 + 1e-12)
    if found.step > 1e-3 * found.median:
        assert found.low >= found.after + found.step * (1 - 1e-9)


@given(references, shares, probabilities, probabilities)
def test_quantiles_rise_with_the_probability(
    reference: Reference, done: float, first: float, second: float
) -> None:
    """What is more probable to suffice is not less."""
    found = forecast(reference, done, 0)
    low, high = sorted([first, second])

    assert found.quantile(low) <= found.quantile(high)


@given(references, shares, shares, probabilities)
def test_missing_the_target_again_never_brings_the_end_nearer(
    reference: Reference, first: float, second: float, probability: float
) -> None:
    """An evaluation that misses the target rules out what lies before it, and moves what is left back."""
    early, late = sorted([first, second])

    assert (
        forecast(reference, early, 0).quantile(probability)
        <= forecast(reference, late, 0).quantile(probability) * (1 + 1e-9) + 1e-12
    )


@given(references, st.lists(st.floats(0.5, 2), min_size=1, max_size=10))
def test_finished_runs_make_the_interval_narrower(reference: Reference, ratios: list[float]) -> None:
    """Once runs of the same submission are known, a share of the spread is gone."""
    alone = forecast(reference, 0, 0)
    known = forecast(reference, 0, 0, tuple([ratio * reference.mean for ratio in ratios]))

    assert math.log(known.high / known.low) < math.log(alone.high / alone.low)


@given(references, st.floats(0.1, 1.2), probabilities)
def test_quantiles_are_those_of_the_distribution_that_is_left(
    reference: Reference, done: float, probability: float
) -> None:
    """With scipy's t distribution, cut off at what was ruled out, the quantiles are the same."""
    found = forecast(reference, done, 0)
    whole = stats.t(DEGREES, found.center, found.spread)
    left = whole.cdf(math.log(found.after))
    expected = math.exp(whole.ppf(left + probability * (1 - left)))

    assert found.quantile(probability) == pytest.approx(max(expected, found.after), rel=1e-6)


@given(references, st.floats(0, 0.9))
def test_interval_holds_what_it_says(reference: Reference, done: float) -> None:
    """Of amounts drawn evenly from the distribution, the share within the interval is that of its name."""
    found = forecast(reference, done, 0)
    low, high = found.low, found.high
    drawn = [found.quantile((number + 0.5) / 50) for number in range(50)]

    assert sum(low <= amount <= high for amount in drawn) / 50 == pytest.approx(INTERVAL, abs=0.03)


@given(st.floats(1, 1e6), st.floats(0.01, 100), st.floats(1.05, 1.9), st.integers(3, 30))
def test_straight_curve_is_extended_to_where_it_crosses(
    last: float, slope: float, reach: float, count: int
) -> None:
    """A gap that falls in a straight line over the logarithm reaches its target where the line does."""
    points = [
        GapPoint(amount, slope * math.log(reach * last / amount))
        for amount in (last * (number + 1) / count for number in range(count))
    ]

    assert extend_curves([points]) == pytest.approx(reach * last, rel=1e-6)
