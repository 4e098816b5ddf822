"""The chance to pass with runs still to come."""

from __future__ import annotations

import math
import random

import pytest
from scipy import stats

from mlperf_logging.scoring.rcp.pass_probability import simulate_pass_probability
from mlperf_logging.scoring.rcp.references import Reference
from mlperf_logging.scoring.requirements import Requirement

REFERENCE = Reference(64, 100.0, 5.0, 18)
TEN = Requirement(10)


def test_same_seed_gives_the_same_answer() -> None:
    """A simulation can be repeated, and another seed gives another one that is close."""
    first, again, other = (
        simulate_pass_probability([98.0] * 6, REFERENCE, 97.0, TEN, seed=seed, draws=2_000)
        for seed in (1, 1, 2)
    )

    assert first == again
    assert first != other
    assert abs(first.probability - other.probability) < 6 * first.standard_error


def test_global_random_numbers_are_left_alone() -> None:
    """The simulation has a generator of its own."""
    before = random.getstate()
    simulate_pass_probability([98.0] * 6, REFERENCE, 97.0, TEN, draws=100)

    assert random.getstate() == before


def test_slow_convergence_passes_and_fast_fails() -> None:
    """Far on either side of what is acceptable, the runs that come change nothing."""
    assert simulate_pass_probability([150.0] * 6, REFERENCE, 97.0, TEN, draws=500).probability == 1
    assert simulate_pass_probability([50.0] * 6, REFERENCE, 97.0, TEN, draws=500).probability == 0


def test_complete_submission_is_certain() -> None:
    """With all runs done, the chance is one or zero."""
    assert simulate_pass_probability([98.0] * 10, REFERENCE, 97.0, TEN, draws=50).probability == 1
    assert simulate_pass_probability([96.0] * 10, REFERENCE, 97.0, TEN, draws=50).probability == 0


def test_plain_mean_has_the_chance_of_the_normal_distribution() -> None:
    """Without dropped runs the simulated mean is normal, and its chance can be computed.

    After k of n runs around m, the mean of all n is normal around m with variance s² (n - k) / (n k): of the mean
    that is not known and of the runs that come.
    """
    done, required, mean, bound = 6, 10, 98.0, 97.0
    chance = simulate_pass_probability(
        [mean] * done, REFERENCE, bound, Requirement(required, 0, 0), draws=20_000
    )
    deviation = 5 * math.sqrt((required - done) / (required * done))

    assert chance.probability == pytest.approx(
        1 - stats.norm.cdf(bound, mean, deviation), abs=4 * chance.standard_error
    )
    assert chance.mean_low == pytest.approx(stats.norm.ppf(0.05, mean, deviation), abs=0.1)
    assert chance.mean_high == pytest.approx(stats.norm.ppf(0.95, mean, deviation), abs=0.1)


def test_failed_runs_make_more_of_them_likely() -> None:
    """Where one of three runs failed, the submission may well fail for too many failed runs."""
    some = simulate_pass_probability([150.0, 150.0, math.inf], REFERENCE, 97.0, TEN, draws=2_000)

    assert some.probability < 0.5
    assert some.mean_high == math.inf


def test_without_deviation_of_the_reference_the_own_one_is_taken() -> None:
    """Reference runs that all converged at one epoch say nothing about how runs spread."""
    chance = simulate_pass_probability(
        [9.0, 11.0, 10.0], Reference(64, 10.0, 0.0, 8), 10.0, Requirement(5), draws=2_000
    )

    assert 0.05 < chance.probability < 0.95


@pytest.mark.parametrize(
    ("runs", "draws", "says"), [([], 10, "no run"), ([math.inf], 10, "no run"), ([1.0], 0, "draw")]
)
def test_nothing_to_go_by_is_said(runs: list[float], draws: int, says: str) -> None:
    """Without a converged run, or without draws, there is no chance."""
    with pytest.raises(ValueError, match=says):
        simulate_pass_probability(runs, REFERENCE, 97.0, TEN, draws=draws)
