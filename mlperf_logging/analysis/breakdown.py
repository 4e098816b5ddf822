"""Where a run's time goes: initialization, training, evaluation, and what is neither."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mlperf_logging.events import to_minutes
from mlperf_logging.runs.intervals import Interval
from mlperf_logging.runs.run import Run

_TRAINING = ("epoch", "block")
_EVALUATION = "eval"

Span = tuple[float, float]
"""Start and end of a stretch of time, in milliseconds since the epoch."""


class Breakdown(NamedTuple):
    """Where a run's time goes, in minutes; NaN where the log does not say.

    Attributes:
        init_minutes: from ``init_start`` to ``init_stop``, before the run's clock starts.
        staging_minutes: from ``staging_start`` to ``staging_stop``.
        train_minutes: within the run, inside an epoch or a block and not inside an evaluation; where neither
            epochs nor blocks are logged, everything that is not evaluation.
        eval_minutes: within the run, between ``eval_start`` and ``eval_stop``.
        idle_minutes: within the run, neither of the two: saving, loading, waiting.
    """

    init_minutes: float
    staging_minutes: float
    train_minutes: float
    eval_minutes: float
    idle_minutes: float


def break_down_time(run: Run) -> Breakdown:
    """Compute where a run's time goes.

    Intervals that overlap count once. One that is never stopped lasts to the next of its name, or to the end.
    """
    init, intervals = run.init.minutes if run.init is not None else None, run.intervals
    staging = [each.minutes for each in intervals["staging"] if each.minutes is not None]
    outside = (math.nan if init is None else init, sum(staging) if staging else math.nan)
    start, stop = run.start_ms, run.stop_ms
    if start is None or stop is None or stop < start:
        return Breakdown(*outside, math.nan, math.nan, math.nan)
    evals = join_spans(_close(intervals[_EVALUATION], stop), start, stop)
    training = [span for name in _TRAINING for span in _close(intervals[name], stop)]
    train = join_spans(training, start, stop)
    whole = stop - start
    eval_ms = measure_spans(evals)
    both_ms = measure_spans(join_spans([*train, *evals], start, stop))
    knows_evals = bool(intervals[_EVALUATION])
    eval_minutes = to_minutes(eval_ms) if knows_evals else math.nan
    if not training:
        rest = whole - eval_ms if knows_evals else math.nan
        return Breakdown(*outside, to_minutes(rest), eval_minutes, math.nan)
    return Breakdown(*outside, to_minutes(both_ms - eval_ms), eval_minutes, to_minutes(whole - both_ms))


def join_spans(spans: Iterable[Span], start: float, stop: float) -> list[Span]:
    """The stretches of time between start and stop that at least one span covers, in order."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        cut = max(begin, start), min(end, stop)
        if cut[1] <= cut[0]:
            continue
        if joined and cut[0] <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], cut[1])
        else:
            joined.append(cut)
    return joined


def measure_spans(spans: Iterable[Span]) -> float:
    """Length of spans that do not overlap, in milliseconds."""
    return sum(end - begin for begin, end in spans)


def _close(intervals: Sequence[Interval], stop: float) -> list[Span]:
    starts = [each.start_ms for each in intervals[1:]] + [stop]
    return [
        (each.start_ms, following if each.stop_ms is None else each.stop_ms)
        for each, following in zip(intervals, starts, strict=False)
    ]
