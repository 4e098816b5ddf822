"""The rows of one run: what is known of it, put under the names of the columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import isnan
from operator import attrgetter
from statistics import median
from typing import Any, NamedTuple

from mlperf_logging.analysis.breakdown import Span, break_down_time, join_spans, measure_spans
from mlperf_logging.analysis.moments import Moment, list_moments
from mlperf_logging.analysis.places import Place
from mlperf_logging.analysis.progress import Counting, to_float
from mlperf_logging.analysis.targets import Bound, Target, identify
from mlperf_logging.compliance.ruleset_selection import Choice
from mlperf_logging.events import MS_PER_MINUTE, minutes_between
from mlperf_logging.rules.rulesets import Table
from mlperf_logging.runs import Run

_THROUGHPUT = "throughput"


class ReadRun(NamedTuple):
    """A run with all that its rows are made of.

    Attributes:
        run: the typed view of its log.
        place: what its place in a submission tells.
        choice: the round, division and benchmark that it is read by.
        table: the rules of its kind.
        targets: what it must reach.
        meeting: for each target the identities of the evaluations that meet it.
        bounds: the numbers that the targets ask for.
        counting: what its progress means.
        variants: the benchmark's variants that it is of.
    """

    run: Run
    place: Place
    choice: Choice
    table: Table
    targets: Sequence[Target]
    meeting: tuple[frozenset[Any], ...]
    bounds: Sequence[Bound]
    counting: Counting
    variants: tuple[str, ...]


def describe_run(known: ReadRun, evaluations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The run's row in the table of runs, see `columns.RUN_COLUMNS`.

    Args:
        known: the run.
        evaluations: its rows in the table of evaluations.
    """
    moments = list_moments(known.run, known.table.join, known.counting)
    row = {
        **_describe_identity(known),
        **_describe_time(known),
        **_describe_quality(known, moments),
        **_describe_schedule(known, evaluations),
    }
    row["note"] = "; ".join(_list_notes(known, moments, reached=row["quality_reached"])) or None
    return row


def describe_evaluations(known: ReadRun) -> list[dict[str, Any]]:
    """The run's rows in the table of evaluations, see `columns.EVALUATION_COLUMNS`, but for its identity.

    Args:
        known: the run.
    """
    run = known.run
    bounds = {bound.metric: bound for bound in known.bounds}
    moments = list_moments(run, known.table.join, known.counting)
    numbers: dict[Any, int] = {}
    rows = []
    for each in run.evaluations:
        name = identify(each.event, known.table.join)
        moment = moments[name]
        rows.append(
            {
                "evaluation": numbers.setdefault(name, len(numbers) + 1),
                "metric": each.metric,
                "quality": each.value,
                "minutes": None if run.start_ms is None else minutes_between(run.start_ms, moment.time_ms),
                "progress": moment.reach.progress,
                "progress_unit": moment.reach.unit or None,
                "epochs": moment.reach.epochs,
                "samples": moment.reach.samples,
                "meets_target": all(name in found for found in known.meeting) if known.targets else None,
                **_describe_bound(bounds.get(each.metric)),
            }
        )
    return rows


def _describe_bound(bound: Bound | None) -> dict[str, Any]:
    if bound is None:
        return {}
    return {"target_value": bound.value, "target_direction": bound.direction}


def _describe_identity(known: ReadRun) -> dict[str, Any]:
    run, place = known.run, known.place
    return {
        "path": run.path,
        "benchmark": known.choice.benchmark,
        "submitter": place.submitter or run.org,
        "system": place.system or run.platform,
        "division": known.choice.division,
        "ruleset": known.choice.ruleset.name,
        # A run may use a part of the system that is described; then its log says so.
        "accelerators": run.accelerator_count or place.accelerators,
        "nodes": run.node_count or place.nodes,
        "accelerator_model": place.accelerator_model,
        "scaling": place.scaling,
        "seed": str(run.seeds[0].value) if run.seeds else None,
        "batch_size": run.global_batch_size,
        "events": run.event_count,
    }


def _describe_time(known: ReadRun) -> dict[str, Any]:
    run = known.run
    stated = [
        to_float(stats.stats[_THROUGHPUT])
        for stats in run.tracked_stats
        if isinstance(stats.stats.get(_THROUGHPUT), (int, float))
    ]
    return {
        "status": run.status,
        "run_minutes": run.minutes,
        **break_down_time(run)._asdict(),
        "logged_throughput": median(stated) if stated else None,
    }


def _describe_quality(known: ReadRun, moments: Mapping[Any, Moment]) -> dict[str, Any]:
    run = known.run
    described: dict[str, Any] = {
        "target": " and ".join(target.text for target in known.targets) or None,
        "quality_reached": None,
    }
    if not known.targets or not run.evaluations:
        return described
    # Where the round joins by a field that this log does not have, what was joined is no single evaluation.
    meeting = [found & moments.keys() for found in known.meeting]
    described["quality_reached"] = all(meeting)
    if not all(meeting):
        return described
    place = attrgetter("place")
    moment = max([min([moments[name] for name in found], key=place) for found in meeting], key=place)
    described |= {
        "progress_to_quality": moment.reach.progress,
        "epochs_to_quality": moment.reach.epochs,
        "samples_to_quality": moment.reach.samples,
    }
    if run.start_ms is not None:
        described["time_to_quality_seconds"] = (moment.time_ms - run.start_ms) / 1000
    if run.stop_ms is not None:
        described["stop_after_quality_seconds"] = (run.stop_ms - moment.time_ms) / 1000
    return described


def _describe_schedule(known: ReadRun, evaluations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    run = known.run
    first: dict[int, Mapping[str, Any]] = {}
    for row in evaluations:
        first.setdefault(row["evaluation"], row)
    rows = list(first.values())
    described: dict[str, Any] = {"evaluations": len(rows)}
    if not rows:
        return described
    last = rows[-1]
    described |= {
        "progress_unit": last["progress_unit"],
        "first_evaluation_progress": rows[0]["progress"],
        "last_progress": last["progress"],
        "last_samples": last["samples"],
        "evaluation_interval_progress": _find_median_step([row["progress"] for row in rows]),
    }
    if run.start_ms is None:
        return described
    described["evaluation_interval_minutes"] = _find_median_step([row["minutes"] for row in rows])
    seconds = last["minutes"] * 60
    if last["samples"] > 0 and seconds > 0:
        stop = run.start_ms + last["minutes"] * MS_PER_MINUTE
        spans: list[Span] = [
            (each.start_ms, stop if each.stop_ms is None else each.stop_ms) for each in run.evals
        ]
        training = seconds - measure_spans(join_spans(spans, run.start_ms, stop)) / 1000
        described["samples_per_second"] = last["samples"] / seconds
        if training > 0 and spans:
            described["train_samples_per_second"] = last["samples"] / training
    return described


def _find_median_step(values: Sequence[float]) -> float | None:
    """Median difference of neighbors; None for fewer than two. Repeated values (several devices) count once."""
    steps = [after - before for before, after in pairwise(values) if after != before]
    return median(steps) if steps else None


def _list_notes(known: ReadRun, moments: Mapping[Any, Moment], *, reached: bool | None) -> Iterator[str]:
    run, ruleset = known.run, known.choice.ruleset
    benchmark = known.choice.benchmark
    if run.start_ms is None:
        yield "no run_start was logged"
    if run.stop_ms is None:
        yield "no run_stop was logged: the run did not end, or its log was cut off"
    if run.minutes is not None and run.minutes < 0:
        yield "run_stop is logged before run_start"
    if any(isnan(moment.time_ms) for moment in moments.values()):
        yield "evaluations were logged after run_stop, and the log does not say when training had come so far"
    if not run.evaluations:
        yield "no evaluation was logged"
    if benchmark is None:
        yield "the log names no benchmark"
    elif known.targets and reached is False:
        yield "no evaluation meets the target" + (
            f" of {ruleset.name}, although run_stop says success: the run may be of another round"
            if run.summary.succeeded
            else ""
        )
    elif not known.targets and benchmark not in ruleset.benchmarks:
        yield f"{ruleset.name} does not know the benchmark {benchmark!r}, so there is no target"
    elif not known.targets:
        yield f"{ruleset.name} states no target for {benchmark}"
