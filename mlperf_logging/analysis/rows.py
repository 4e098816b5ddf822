"""The rows of one run: what is known of it, put under the names of the columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import translate
from itertools import pairwise
from math import isnan
from typing import Any

from mlperf_logging.analysis.breakdown import Span, break_down_time, join_spans, measure_spans
from mlperf_logging.analysis.places import Place
from mlperf_logging.compliance.joining import identify_evaluation
from mlperf_logging.compliance.judged_run import JudgedRun
from mlperf_logging.compliance.targets import Bound
from mlperf_logging.events import MS_PER_MINUTE, minutes_between
from mlperf_logging.runs.progress import measure_progress, read_counting, to_float
from mlperf_logging.runs.run import Run
from mlperf_logging.scoring.means import median
from mlperf_logging.scoring.quality import QualityPoint, find_meeting, find_quality, list_quality_points

_THROUGHPUT = "throughput"
_LONGEST_NAME = 256


def describe_run(judged: JudgedRun, place: Place, evaluations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The run's row in the table of runs, see `columns.RUN_COLUMNS`."""
    points = list_quality_points(judged)
    row = {
        **_describe_identity(judged, place),
        **_describe_time(judged.run),
        **_describe_quality(judged, points),
        **_describe_schedule(judged.run, evaluations),
    }
    row["note"] = "; ".join(_list_notes(judged, points, reached=row["quality_reached"])) or None
    return row


def describe_evaluations(judged: JudgedRun) -> list[dict[str, Any]]:
    """The run's rows in the table of evaluations, see `columns.EVALUATION_COLUMNS`, but for its identity."""
    run = judged.run
    bounds = {bound.metric: bound for bound in judged.bounds}
    points = list_quality_points(judged)
    meeting = find_meeting(judged) if run.is_timed else ()
    numbers: dict[bytes | str, int] = {}
    rows = []
    for each in run.evaluations:
        name = identify_evaluation(each.event, judged.join)
        point = points[name]
        rows.append(
            {
                "evaluation": numbers.setdefault(name, len(numbers) + 1),
                "key": each.key,
                "metric": each.metric,
                "quality": each.value,
                "minutes": None if run.start_ms is None else minutes_between(run.start_ms, point.time_ms),
                "progress": point.training.progress,
                "progress_unit": point.training.unit or None,
                "epochs": point.training.epochs,
                "samples": point.training.samples,
                "meets_target": all(name in found for found in meeting) if meeting else None,
                **_describe_bound(bounds.get(each.metric)),
                "line": each.event.line,
            }
        )
    return rows


def describe_series(judged: JudgedRun, names: Sequence[str]) -> list[dict[str, Any]]:
    """The run's rows in the table of series, see `columns.SERIES_COLUMNS`, but for its identity.

    Args:
        judged: the run.
        names: the metrics that are wanted, as patterns such as "*loss*".
    """
    run = judged.run
    counting = read_counting(judged.facts.get("progress", {}), run.hyperparameters)
    wanted = re.compile("|".join(map(translate, names))).match
    rows = []
    for each in run.series:
        if wanted(each.metric):
            training = measure_progress(each.progress, counting)
            rows.append(
                {
                    "metric": each.metric,
                    "key": each.key,
                    "value": each.value,
                    "minutes": None if run.start_ms is None else minutes_between(run.start_ms, each.time_ms),
                    "progress": training.progress,
                    "progress_unit": training.unit or None,
                    "epochs": training.epochs,
                    "samples": training.samples,
                    "line": each.line,
                }
            )
    return rows


def _describe_bound(bound: Bound | None) -> dict[str, Any]:
    if bound is None:
        return {}
    return {"target_value": bound.value, "target_direction": bound.direction}


def _describe_identity(judged: JudgedRun, place: Place) -> dict[str, Any]:
    run = judged.run
    return {
        "path": judged.verdict._replace(path=run.path).name,
        "benchmark": _crop_name(judged.benchmark),
        "submitter": _crop_name(place.submitter or run.org),
        "system": _crop_name(place.system or run.platform),
        "division": judged.division,
        "ruleset": judged.ruleset.name,
        # A run may use a part of the system that is described; then its log says so.
        "accelerators": run.accelerator_count or place.accelerators,
        "nodes": run.node_count or place.nodes,
        "accelerator_model": place.accelerator_model,
        "scaling": place.scaling,
        "seed": _crop_name(str(run.seeds[0].value)) if run.seeds else None,
        "batch_size": run.global_batch_size,
        "events": run.event_count,
    }


def _crop_name(name: str | None) -> str | None:
    """A name as a row has it; it is in each row of a run, of which there are thousands."""
    return f"{name[: _LONGEST_NAME - 1]}…" if name is not None and len(name) > _LONGEST_NAME else name


def _describe_time(run: Run) -> dict[str, Any]:
    stated = [
        to_float(stats.stats[_THROUGHPUT])
        for stats in run.tracked_stats
        if isinstance(stats.stats.get(_THROUGHPUT), (int, float))
    ]
    return {
        "status": run.status,
        "run_minutes": run.minutes,
        **break_down_time(run)._asdict(),
        "logged_throughput": median(stated),
    }


def _describe_quality(judged: JudgedRun, points: Mapping[bytes | str, QualityPoint]) -> dict[str, Any]:
    run = judged.run
    described: dict[str, Any] = {
        "target": " and ".join(target.text for target in judged.targets) or None,
        "quality_reached": None,
    }
    if not judged.targets or not points or not run.is_timed:
        return described
    point = find_quality(judged, points)
    described["quality_reached"] = point is not None
    if point is None:
        return described
    described |= {
        "progress_to_quality": point.training.progress,
        "epochs_to_quality": point.training.epochs,
        "samples_to_quality": point.training.samples,
    }
    if run.start_ms is not None:
        described["time_to_quality_seconds"] = (point.time_ms - run.start_ms) / 1000
    if run.stop_ms is not None:
        described["stop_after_quality_seconds"] = (run.stop_ms - point.time_ms) / 1000
    return described


def _describe_schedule(run: Run, evaluations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
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
    return median([after - before for before, after in pairwise(values) if after != before])


def _list_notes(
    judged: JudgedRun, points: Mapping[bytes | str, QualityPoint], *, reached: bool | None
) -> Iterator[str]:
    run, ruleset = judged.run, judged.ruleset
    benchmark = judged.benchmark
    if len(judged.verdict.runs) > 1:
        yield f"{judged.verdict.findings[0].message}; --run says which to read"
        return
    unread = judged.unread.text
    if unread:
        yield unread  # what seems to be missing may be in these records
    if run.start_ms is None and not unread:
        yield "no run_start was logged"
    if run.stop_ms is None and not unread:
        yield "no run_stop was logged: the run did not end, or its log was cut off"
    if run.minutes is not None and run.minutes < 0:
        yield "run_stop is logged before run_start"
    if run.is_timed and any(isnan(point.time_ms) for point in points.values()):
        yield "evaluations were logged after run_stop, and the log does not say when training had reached that point"
    if run.unkept_count:
        yield f"{run.unkept_count:,} events were too many to be kept, and do not count"
    if run.unkept_number_count:
        yield f"{run.unkept_number_count:,} numbers were too many to be kept, and are in no series"
    if not run.evaluations and not unread:
        yield "no evaluation was logged"
    if benchmark is None:
        if not unread:
            yield "the log names no benchmark"
    elif judged.targets and reached is False:
        yield "no evaluation meets the target" + (
            f" of {ruleset.name}, although run_stop says success: the run may be of another round"
            if run.summary.succeeded
            else ""
        )
    elif not judged.targets and benchmark not in ruleset.benchmarks:
        yield f"{ruleset.name} does not know the benchmark {benchmark!r}, so there is no target"
    elif not judged.targets:
        yield f"{ruleset.name} states no target for {benchmark}"
