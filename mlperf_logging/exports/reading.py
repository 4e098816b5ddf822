"""From a log to what its runs export: read and judged once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from math import isfinite
from typing import Any

from mlperf_logging.analysis.places import place_log
from mlperf_logging.analysis.rows import describe_evaluations, describe_run
from mlperf_logging.compliance.judged_run import JudgedRun, judge_runs
from mlperf_logging.compliance.ruleset_selection import AUTOMATIC, RuleSelection
from mlperf_logging.errors import UnreadableLogError
from mlperf_logging.events import Event
from mlperf_logging.exports.names import LONGEST_TAG, clean_name, clean_values
from mlperf_logging.exports.points import Point, PointReader, clean_time
from mlperf_logging.exports.run_export import (
    LOG_TAG,
    SUMMARY_FOLDER,
    UNKNOWN,
    RunEnd,
    RunExport,
    RunHead,
    Stamp,
)
from mlperf_logging.parsing.sources import STANDARD_INPUT, is_special
from mlperf_logging.reports import FileResult, ReportOptions, Totals
from mlperf_logging.reports.json import Report
from mlperf_logging.runs.folders import name_run
from mlperf_logging.runs.kept_events import KEPT_EVENTS

VERSION = 1
"""Of what is exported; another one makes all exports be written again."""

SUMMARY_COLUMNS = (
    *("run_minutes", "time_to_quality_seconds", "epochs_to_quality", "samples_to_quality"),
    "samples_per_second",
)
"""Columns of the table of runs (see `analysis.columns`) that are metrics with one point, at the end of the run."""
TAG_COLUMNS = (
    *(
        "benchmark",
        "submitter",
        "system",
        "division",
        "ruleset",
        "accelerators",
        "nodes",
        "accelerator_model",
    ),
    *("scaling", "seed", "status", "progress_unit", "target", "quality_reached"),
)
"""Columns of the table of runs that are tags."""


def read_exports(
    path: str, selection: RuleSelection = AUTOMATIC, experiment: str | None = None
) -> list[RunExport]:
    """What the runs of a log export that the selection names: its only one, or each of several.

    Args:
        path: the log, a file.
        selection: the rules to judge by.
        experiment: what the run is listed under; default: the benchmark.

    Raises:
        UnreadableLogError: the log cannot be read, or it is standard input or a pipe, of which no copy can be kept.
        UsageError: the selection names something unknown.
    """
    if path == STANDARD_INPUT or is_special(path):
        raise UnreadableLogError(
            path, f"{path!r} can be read only once; save the log to a file and export that"
        )
    digest = _sum_up_file(path)
    return [make_export(judged, digest, experiment) for judged in judge_runs(path, selection)]


def make_export(judged: JudgedRun, digest: str, experiment: str | None = None) -> RunExport:
    """What a judged run exports; `digest` is a checksum of its log."""
    run, verdict = judged.run, judged.verdict
    evaluations = describe_evaluations(judged)
    row = describe_run(judged, place_log(run.path), evaluations)
    reader, points = _read_points(judged)
    is_empty = not run.event_count or len(verdict.runs) > 1
    params = {k: v for k, v in run.hyperparameters.items() if k not in reader.series_keys and not is_empty}
    number = verdict.runs[0].number if len(verdict.runs) == 1 else 0
    tags = {name: row[name] for name in TAG_COLUMNS if row.get(name) is not None}
    tags |= {"verdict": str(verdict.verdict), LOG_TAG: verdict.name}
    times = [point.time_ms for point in points] or [clean_time(run.start_ms, 0.0)]
    start_ms, stop_ms = clean_time(run.start_ms, min(times)), clean_time(run.stop_ms, max(times))
    summary = tuple(_list_summary(row, stop_ms, _find_last_step(points)))
    listed = clean_name(experiment or row["benchmark"] or UNKNOWN)
    stem = name_run(run.path) + (f"-run{number}" if number else "")
    parts = [each.replace("/", "_") for each in (row["submitter"], row["system"], stem) if each]
    head = RunHead(
        clean_name("/".join([listed, *parts])),
        listed,
        start_ms,
        clean_values(params),
        clean_values(tags, LONGEST_TAG),
    )
    end = RunEnd(run.status, stop_ms, run.path, _write_verdict(judged))
    stamp = Stamp(
        _sum_up(digest, number)[:16],
        _sum_up(os.path.realpath(run.path), number)[:8],
        _sum_up(
            VERSION, head.experiment, head.params, points, run.status, _write_verdict(judged, is_placed=False)
        )[:8],
    )
    note = (
        row["note"]
        if run.event_count
        else judged.unread.text or "the file contains no event in a known log dialect"
    )
    return RunExport(verdict.name, stamp, head, () if is_empty else points + summary, end, note)


def _read_points(judged: JudgedRun) -> tuple[PointReader, tuple[Point, ...]]:
    run = judged.run
    events: Iterable[Event] = [*run.evaluation_events, *run.stats_events, *run.number_events]
    once = {event.raw.rstrip(): event for event in events}
    ordered = sorted(once.values(), key=lambda event: event.position)
    begin = partial(
        PointReader,
        judged.facts.get("progress", {}),
        run.hyperparameters,
        start_ms=clean_time(run.start_ms, 0.0),
    )
    reader, points = _read_all(begin(), ordered)
    if reader.is_fractional:  # the steps before the first part of an epoch were in another unit
        reader, points = _read_all(begin(is_fractional=True), ordered)
    return reader, points


def _read_all(reader: PointReader, events: Sequence[Event]) -> tuple[PointReader, tuple[Point, ...]]:
    points = (point for event in events for point in reader.read(event))
    return reader, tuple(islice(points, 2 * KEPT_EVENTS))


def _list_summary(row: Mapping[str, Any], stop_ms: float, step: int) -> Iterator[Point]:
    for name in SUMMARY_COLUMNS:
        value = row.get(name)
        if value is not None and isfinite(value):
            yield Point(f"{SUMMARY_FOLDER}/{name}", step, stop_ms, float(value))


def _find_last_step(points: Sequence[Point]) -> int:
    """The step of the last evaluation, or else of the last point."""
    of_evaluations = [point.step for point in points if point.name.startswith("eval_")]
    return (of_evaluations or [point.step for point in points] or [0])[-1]


def _write_verdict(judged: JudgedRun, *, is_placed: bool = True) -> str:
    """The verdict as a document of `mlperf-check`; without the log's path where it is not `is_placed`."""
    verdict = judged.verdict if is_placed else judged.verdict._replace(path="")
    report, result = Report(ReportOptions()), FileResult(verdict)
    return report.begin() + report.add(result) + report.end(Totals().plus(result))


def _sum_up(*values: object) -> str:
    return hashlib.sha256(repr(values).encode("utf-8", "backslashreplace")).hexdigest()


def _sum_up_file(path: str) -> str:
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError as error:
        raise UnreadableLogError(path, f"cannot read {path!r}: {error.strerror}") from None
    except ValueError as error:
        raise UnreadableLogError(path, f"cannot read {path!r}: {error}") from None
    return digest.hexdigest()
