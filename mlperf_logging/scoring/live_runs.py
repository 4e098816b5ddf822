"""A run that goes on, as far as its log shows: its phase, pace, quality, and when it will converge."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from mlperf_logging.compliance.findings import Finding
from mlperf_logging.compliance.live import LiveJudge
from mlperf_logging.compliance.ruleset_selection import Choice
from mlperf_logging.compliance.targets import (
    AT_LEAST,
    LOGGED_TARGET,
    Bound,
    find_targets,
    list_bounds,
    read_logged_target,
)
from mlperf_logging.events import Division, Event, minutes_between
from mlperf_logging.runs.intervals import Progress, read_progress
from mlperf_logging.runs.kept_events import KEPT_KEYS, crop_event
from mlperf_logging.runs.progress import EPOCHS, SAMPLES, STEPS, TOKENS, Counting, read_counting
from mlperf_logging.runs.run import Run, RunNotes
from mlperf_logging.runs.summary import RUN_START, RUN_STOP
from mlperf_logging.scoring.forecast import RUNS, Convergence, GapPoint, find_step, forecast_convergence
from mlperf_logging.scoring.means import median
from mlperf_logging.scoring.pace import Mark, TrainingPace, find_throughput, measure_pace, read_amount
from mlperf_logging.scoring.rcp.points import ReferenceTable
from mlperf_logging.scoring.rcp.references import MISSING
from mlperf_logging.scoring.rcp.submissions import FindTable
from mlperf_logging.scoring.rcp.test import Acceptance, find_acceptance
from mlperf_logging.scoring.requirements import Requirement, read_requirement

WAITING, INIT, RUNNING, EVALUATION, STOPPED = "waiting", "init", "run", "evaluation", "stopped"
"""Phases: nothing was logged yet; before ``run_start``; training; an evaluation; after ``run_stop``."""


class CurvePoint(NamedTuple):
    """What one evaluation gave for a metric.

    Attributes:
        amount: how far training had come, in the run's unit; None where the log does not say.
        value: the quality.
        time_ms: when it was logged, in milliseconds since the epoch.
    """

    amount: float | None
    value: float
    time_ms: float


class QualityCurve(NamedTuple):
    """The quality of a run in the course of its training.

    Attributes:
        metric: name of the metric; None where evaluations give one value.
        bound: the number that it must reach, or None.
        points: its evaluations, in the order of the log.
    """

    metric: str | None
    bound: Bound | None
    points: tuple[CurvePoint, ...]


class FinishedRun(NamedTuple):
    """Where a finished run of the same submission converged, in the reference's unit, and how fast it was.

    Attributes:
        converged_at: amount of training; infinite where it did not converge.
        per_minute: amount in a minute, from the run's start to its convergence; None where that is not known.
    """

    converged_at: float
    per_minute: float | None = None


class Expectation(NamedTuple):
    """What the reference says of runs like this one.

    Attributes:
        table: the benchmark's reference points; None where the round has none.
        acceptance: what a submission of the run's batch size is measured by, or None.
        requirement: how often the benchmark is run, or None.
        reason: why nothing is expected; empty where something is.
    """

    table: ReferenceTable | None = None
    acceptance: Acceptance | None = None
    requirement: Requirement | None = None
    reason: str = ""


class Times(NamedTuple):
    """When a run will converge, in milliseconds since the epoch: the interval and the median."""

    low_ms: float
    median_ms: float
    high_ms: float


class LiveRun(NamedTuple):
    """A run as far as its log shows.

    Attributes:
        run: the typed view of its log.
        choice: what it is judged by; None while the log does not say what it is.
        phase: "waiting", "init", "run", "evaluation" or "stopped".
        latest_ms: time of the last event, or None.
        unit: what convergence is counted in: "epochs", "samples" or "steps".
        amount: how far training has come by the last evaluation, epoch or block, in that unit; None if it is not known.
        epochs: the same in epochs, from nothing on; None if it is not known.
        samples: the same in samples; None if it is not known.
        pace: how fast training goes, or None.
        samples_per_second: the throughput that was logged last, else by the pace; None if it is not known.
        curves: what evaluations gave, for each metric.
        reached: amount at which all targets were met; None before that, or where it is not known.
        expectation: what the reference says.
        forecast: how much training it will need; None where it has ended or nothing tells.
        times: when it will converge; None where the pace is not known.
        no_forecast: why there is no forecast, or no time; empty where there is.
    """

    run: Run
    choice: Choice | None
    phase: str
    latest_ms: float | None
    unit: str
    amount: float | None
    epochs: float | None
    samples: float | None
    pace: TrainingPace | None
    samples_per_second: float | None
    curves: tuple[QualityCurve, ...]
    reached: float | None
    expectation: Expectation
    forecast: Convergence | None = None
    times: Times | None = None
    no_forecast: str = ""

    @property
    def minutes(self) -> float | None:
        """From the run's start to its last event, in minutes."""
        if self.run.start_ms is None or self.latest_ms is None:
            return None
        return max(minutes_between(self.run.start_ms, self.latest_ms), 0.0)


class RunObserver:
    """Takes in the events of a run as they are logged, and says what they show.

    Attributes:
        live: judges the events.
        event_count: events so far.
        has_stopped: its end was logged.
    """

    def __init__(self, live: LiveJudge) -> None:
        self.live = live
        self.event_count = 0
        self.has_stopped = False
        self._notes = RunNotes()
        self._first: dict[str, Event] = {}
        self._latest: Event | None = None

    def feed(self, event: Event) -> list[Finding]:
        """Take in one event; returns what is newly found."""
        self._notes.note((event,))
        if len(self._first) < KEPT_KEYS:
            self._first.setdefault(event.key, crop_event(event))
        self._latest = event
        self.event_count += 1
        self.has_stopped = self.has_stopped or event.key == RUN_STOP
        return self.live.feed(event)

    def observe(self, path: str, find_table: FindTable, finished: Sequence[FinishedRun] = ()) -> LiveRun:
        """What was logged so far, see `observe_run`."""
        dialect = self._latest.dialect if self._latest is not None else None
        run = self._notes.make_run(path, dialect, self._first)
        last = self._notes.last_events(dialect or "")
        return observe_run(run, self.live.choice, self._latest, last, find_table, finished)


def observe_run(
    run: Run,
    choice: Choice | None,
    latest: Event | None,
    last: Mapping[str, Event],
    find_table: FindTable,
    finished: Sequence[FinishedRun] = (),
) -> LiveRun:
    """Put together what a log shows of its run so far.

    Args:
        run: the typed view of what was logged.
        choice: what the run is judged by; None while that is not known.
        latest: the last event, or None.
        last: the last event of each key.
        find_table: finds reference points, see `open_reference_points`.
        finished: other runs of the same submission.
    """
    facts = choice.ruleset.facts(choice.benchmark) if choice is not None else {}
    counting = read_counting(facts.get("progress", {}), run.hyperparameters)
    expectation = _find_expectation(run, choice, find_table)
    unit = expectation.table.unit if expectation.table is not None else _find_unit(run, counting)
    curves = _list_curves(run, choice, unit, counting, last)
    pace = measure_pace(run, unit, counting)
    amount = _find_amount(curves, pace)
    live = LiveRun(
        run=run,
        choice=choice,
        phase=_find_phase(run, latest, last),
        latest_ms=latest.time_ms if latest is not None and not math.isnan(latest.time_ms) else None,
        unit=unit,
        amount=amount,
        epochs=_to_epochs(amount, unit, counting),
        samples=_to_samples(amount, unit, counting),
        pace=pace,
        samples_per_second=find_throughput(run) or _measure_throughput(unit, counting, pace),
        curves=curves,
        reached=_find_reached(
            curves, is_joined=choice is not None and choice.ruleset.join(choice.benchmark) is not None
        ),
        expectation=expectation,
    )
    return _forecast(live, finished)


def _find_phase(run: Run, latest: Event | None, last: Mapping[str, Event]) -> str:
    if latest is None:
        return WAITING
    if run.stop_line is not None:
        return STOPPED
    if RUN_START not in last:
        return INIT
    start, stop = last.get("eval_start"), last.get("eval_stop")
    is_evaluating = start is not None and (stop is None or stop.position < start.position)
    return EVALUATION if is_evaluating else RUNNING


def _find_expectation(run: Run, choice: Choice | None, find_table: FindTable) -> Expectation:
    if choice is None or choice.benchmark is None:
        return Expectation(reason="the log does not name its benchmark yet")
    name, benchmark = choice.ruleset.name, choice.benchmark
    requirement = read_requirement(choice.ruleset.facts(benchmark).get("runs"))
    table = find_table(name, benchmark)
    if table is None or requirement is None:
        return Expectation(None, None, requirement, f"{name} has no reference points of {benchmark}")
    known = Expectation(table, None, requirement)
    if choice.division == Division.OPEN:
        return known._replace(reason="reference points are of the closed division")
    if not run.global_batch_size:
        return known._replace(reason="no global_batch_size is logged yet")
    acceptance = find_acceptance(table, run.global_batch_size, requirement)
    if acceptance.match.reference is None:
        reason = "there are no reference points of this batch size"
        if acceptance.match.kind == MISSING:
            reason = "the batch size is larger than every reference point"
        return known._replace(acceptance=acceptance, reason=reason)
    return known._replace(acceptance=acceptance)


def _find_unit(run: Run, counting: Counting) -> str:
    """The unit that evaluations count in, where no reference says one."""
    progress = next(map(read_progress, run.evaluation_events), Progress())
    if progress.samples_count is None and progress.epoch_num is not None:
        return EPOCHS if counting.counts == EPOCHS else SAMPLES
    return STEPS if progress.samples_count is None and progress.step_num is not None else SAMPLES


def _list_curves(
    run: Run, choice: Choice | None, unit: str, counting: Counting, last: Mapping[str, Event]
) -> tuple[QualityCurve, ...]:
    points: dict[str | None, list[CurvePoint]] = {}
    evaluations = run.evaluations
    for each in evaluations:
        if each.value is not None and math.isfinite(each.value):
            amount = read_amount(each.progress, unit, counting)
            points.setdefault(each.metric, []).append(CurvePoint(amount, each.value, each.time_ms))
    targets = []
    if choice is not None:
        targets = find_targets(choice.ruleset, choice.division, choice.benchmark, choice.variants)
    bounds = list_bounds(targets or read_logged_target(last.get(LOGGED_TARGET)), evaluations, last)
    by_metric = {bound.metric: bound for bound in bounds}
    if len(points) == len(by_metric) == 1:  # whatever it is called
        by_metric = dict(zip(points, by_metric.values(), strict=True))
    for metric in by_metric:
        points.setdefault(metric, [])
    return tuple([QualityCurve(name, by_metric.get(name), tuple(each)) for name, each in points.items()])


def _find_amount(curves: Sequence[QualityCurve], pace: TrainingPace | None) -> float | None:
    known = [each.amount for curve in curves for each in curve.points if each.amount is not None]
    known += [pace.last.amount] if pace is not None else []
    return max(known, default=None)


def _find_reached(curves: Sequence[QualityCurve], *, is_joined: bool) -> float | None:
    """The first amount at which every metric has met its bound; joined metrics must meet theirs at the same one."""
    wanted = [curve for curve in curves if curve.bound is not None]
    met = [
        {
            point.amount
            for point in curve.points
            if point.amount is not None and _find_gap(curve.bound, point) <= 0
        }
        for curve in wanted
        if curve.bound is not None
    ]
    if not met or not all(met):
        return None
    if is_joined:
        return min(set.intersection(*met), default=None)
    return max(map(min, met))


def _find_gap(bound: Bound, point: CurvePoint) -> float:
    """By how much an evaluation misses a target."""
    return bound.value - point.value if bound.direction == AT_LEAST else point.value - bound.value


def _to_epochs(amount: float | None, unit: str, counting: Counting) -> float | None:
    if amount is not None and unit == EPOCHS:
        return amount - counting.begins
    samples = _to_samples(amount, unit, counting)
    return samples / counting.epoch_samples if samples is not None and counting.epoch_samples else None


def _to_samples(amount: float | None, unit: str, counting: Counting) -> float | None:
    if amount is None:
        return None
    if unit == EPOCHS:
        return (amount - counting.begins) * counting.epoch_samples if counting.epoch_samples else None
    each = _count_samples(unit, counting)
    return None if each is None else amount * each


def _count_samples(unit: str, counting: Counting) -> float | None:
    """Samples in one of a unit, or None."""
    if unit == EPOCHS:
        return counting.epoch_samples
    if unit == STEPS:
        return counting.batch_size
    if counting.counts == TOKENS:
        return 1 / counting.sequence_length if counting.sequence_length else None
    return 1.0


def _measure_throughput(unit: str, counting: Counting, pace: TrainingPace | None) -> float | None:
    each = _count_samples(unit, counting)
    return None if pace is None or each is None else pace.per_minute * each / 60


def _forecast(live: LiveRun, finished: Sequence[FinishedRun]) -> LiveRun:
    """The run with its forecast, unless it has ended or reached its target."""
    if live.phase in (WAITING, STOPPED) or live.reached is not None:
        return live
    evaluated = sorted(
        {point.amount for curve in live.curves for point in curve.points if point.amount is not None}
    )
    acceptance = live.expectation.acceptance
    convergence = forecast_convergence(
        acceptance.match.reference if acceptance is not None else None,
        finished=[each.converged_at for each in finished],
        after=evaluated[-1] if evaluated else 0.0,
        step=find_step(evaluated),
        curves=[list(_list_gaps(curve)) for curve in live.curves if curve.bound is not None],
    )
    if convergence is None:
        reasons = (live.expectation.reason, "its own curve does not tell yet" if evaluated else "")
        return live._replace(no_forecast="; ".join([each for each in reasons if each]))
    pace = live.pace or _borrow_pace(live.run, finished)
    if pace is None:
        reason = "the pace is not known yet" if live.phase != INIT else "the run has not started"
        return live._replace(forecast=convergence, no_forecast=reason)
    ends = [pace.time_of(amount) for amount in (convergence.low, convergence.median, convergence.high)]
    times = Times(*[max(time_ms, live.latest_ms or time_ms) for time_ms in ends])
    return live._replace(forecast=convergence, times=times)


def _list_gaps(curve: QualityCurve) -> Iterator[GapPoint]:
    for point in curve.points:
        if curve.bound is not None and point.amount is not None:
            yield GapPoint(point.amount, _find_gap(curve.bound, point))


def _borrow_pace(run: Run, finished: Sequence[FinishedRun]) -> TrainingPace | None:
    """The usual pace of finished runs, from the start of this one."""
    usual = median([each.per_minute for each in finished if each.per_minute])
    if not usual or run.start_ms is None:
        return None
    return TrainingPace(usual, Mark(run.start_ms, 0.0), RUNS)
