"""When a run that goes on will converge: how much training it will need, as a distribution.

Where reference convergence points are known, they say how much training a run of the batch size needs and how much runs
differ; finished runs of the same submission say it better, and weigh more. An evaluation that missed the target rules
out everything up to it: what is left of the distribution is the forecast. It is Student's t with few degrees of freedom
over the logarithm of the amount, since submissions differ from the reference more often by much than a normal
distribution has it.

Without points and finished runs, the run's own curve is extended in a straight line over the logarithm of the amount.
With them it is not looked at: it would make the forecast worse (see docs/watch.md, also on where the numbers below
come from).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from mlperf_logging.scoring.means import median
from mlperf_logging.scoring.rcp import student
from mlperf_logging.scoring.rcp.references import Reference

INTERVAL = 0.8
"""Probability that the truth is within the interval of a forecast, if the run goes on like others."""

DEGREES = 4
"""Degrees of freedom of the distribution."""

SUBMISSION_SPREAD = 0.02
"""How much submissions differ from the reference beyond the runs of the reference themselves; of the logarithm."""

OWN_SPREAD = 0.8
"""Share of the spread that is left once finished runs of the same submission are known."""

REFERENCE_WEIGHT = 0.25
"""The reference's mean counts as so many runs of the submission."""

LEAST_SPREAD_OF_RUNS = 0.08
"""Spread of the logarithm where only finished runs are known."""

CURVE_SPREAD = 0.65
"""Spread of the logarithm where only the run's own curve is known: as much as its beginning promises too early."""

CURVE_REACH = 2.0
"""A curve is not extended to more than so many times the training that was done."""

CURVE_PART = 0.5
"""The curve is extended by what came after this share of the training that was done."""

FEWEST_POINTS = 3
"""Evaluations that a curve needs at least to be extended."""

_LEAST_STEP = 1e-6
"""A step that is a smaller share of the amount is none."""

_LARGEST = 700.0
"""Logarithm of an amount that is as good as infinite."""

REFERENCE, RUNS, CURVE = "reference points", "finished runs", "quality curve"
"""What a forecast may be based on."""


class GapPoint(NamedTuple):
    """An evaluation of a run.

    Attributes:
        amount: how far training had come.
        gap: by how much the quality missed the target, in the metric's unit; not positive where it was met.
    """

    amount: float
    gap: float


class Convergence(NamedTuple):
    """The distribution of the amount of training at which a run converges.

    Attributes:
        center: logarithm of the amount that half of such runs need, before anything was ruled out.
        spread: scale of the distribution of the logarithm.
        after: amount up to which it has not converged; 0 at the beginning.
        step: amount between evaluations; 0 where it is not known. A run converges at an evaluation, so the ends of the
            interval are moved outward to the next one.
        basis: what it is based on: some of `REFERENCE`, `RUNS` and `CURVE`.
        run_count: finished runs that it is based on.
    """

    center: float
    spread: float
    after: float
    step: float
    basis: tuple[str, ...]
    run_count: int = 0

    def quantile(self, probability: float) -> float:
        """The amount that the run needs at most with a probability between 0 and 1, both excluded."""
        ruled_out = self._share(self.after + self.step / 2) if self.after > 0 else 0.0
        share = min(ruled_out + probability * (1 - ruled_out), 1 - 1e-9)
        amount = math.exp(min(self.center + self.spread * student.quantile(share, DEGREES), _LARGEST))
        return max(amount, self.after)

    @property
    def median(self) -> float:
        """The amount that is exceeded as often as not; at the earliest the next evaluation."""
        return max(self.quantile(0.5), self.after + self.step)

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self._to_evaluation(self.quantile(0.5 - INTERVAL / 2), math.floor)

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return max(self._to_evaluation(self.quantile(0.5 + INTERVAL / 2), math.ceil), self.median)

    def _share(self, amount: float) -> float:
        """Probability of at most this amount, before anything was ruled out."""
        return student.cdf((math.log(amount) - self.center) / self.spread, DEGREES)

    def _to_evaluation(self, amount: float, to_whole: Callable[[float], int]) -> float:
        if self.step <= amount * _LEAST_STEP:
            return amount
        return self.after + max(1, to_whole((amount - self.after) / self.step)) * self.step


def forecast_convergence(
    reference: Reference | None,
    *,
    finished: Sequence[float] = (),
    after: float = 0.0,
    step: float = 0.0,
    curves: Sequence[Sequence[GapPoint]] = (),
) -> Convergence | None:
    """The amount of training at which a run that goes on will converge; None where nothing says so.

    Args:
        reference: the reference of the run's batch size, see `match_batch_size`; None where there is none.
        finished: where finished runs of the same submission converged, in the same unit; infinite ones do not count.
        after: how far training had come at the last evaluation that missed the target.
        step: amount between evaluations, 0 where it is not known.
        curves: for each metric with a target, what evaluations gave.
    """
    amounts = [each for each in finished if 0 < each < math.inf]
    if reference is not None and reference.mean > 0:
        spread = math.hypot(reference.deviation / reference.mean, SUBMISSION_SPREAD)
        center = math.log(reference.mean)
        if not amounts:
            return Convergence(center, spread, after, step, (REFERENCE,))
        total = REFERENCE_WEIGHT * center + sum(map(math.log, amounts))
        center, spread = total / (REFERENCE_WEIGHT + len(amounts)), OWN_SPREAD * spread
        return Convergence(center, spread, after, step, (REFERENCE, RUNS), len(amounts))
    if amounts:
        center = sum(map(math.log, amounts)) / len(amounts)
        return Convergence(center, LEAST_SPREAD_OF_RUNS, after, step, (RUNS,), len(amounts))
    reached = extend_curves(curves)
    return None if reached is None else Convergence(math.log(reached), CURVE_SPREAD, after, step, (CURVE,))


def extend_curves(curves: Sequence[Sequence[GapPoint]]) -> float | None:
    """Where the slowest of some curves reaches its target; None where one does not within `CURVE_REACH`."""
    reached = [_extend(points) for points in curves]
    return max((each for each in reached if each is not None), default=None) if None not in reached else None


def find_step(amounts: Sequence[float]) -> float:
    """The usual amount between evaluations, by those that there were; 0 for fewer than two."""
    steps = [after - before for before, after in pairwise(amounts) if after > before]
    return median(steps) or 0.0


def _extend(points: Sequence[GapPoint]) -> float | None:
    known = [each for each in points if each.amount > 0]
    if len(known) < FEWEST_POINTS:
        return None
    last = known[-1]
    if last.gap <= 0:
        return last.amount
    late = [each for each in known if each.amount >= CURVE_PART * last.amount]
    line = late if len(late) >= FEWEST_POINTS else known[-FEWEST_POINTS:]
    places = [math.log(each.amount) for each in line]
    mean_place, mean_gap = sum(places) / len(line), sum(each.gap for each in line) / len(line)
    spread = sum((place - mean_place) ** 2 for place in places)
    slope = sum(
        (place - mean_place) * (each.gap - mean_gap) for place, each in zip(places, line, strict=True)
    )
    if not spread or slope >= 0:
        return None
    reached = max(mean_place - mean_gap * spread / slope, places[-1])
    return math.exp(reached) if reached <= places[-1] + math.log(CURVE_REACH) else None
