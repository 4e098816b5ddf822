"""What a run exports, as one value that every writer takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mlperf_logging.exports.names import PlainValue
from mlperf_logging.exports.points import Point

UNKNOWN = "unknown"
"""What a run is listed under that names no benchmark."""

LOG_TAG = "log"
"""Name of the tag that says where the log of a run is."""

SUMMARY_FOLDER = "summary"
"""First part of the names of metrics that have one point, at the end of the run."""


class Stamp(NamedTuple):
    """What tells exports of logs apart, in hexadecimal digits; each kept by the place that holds an export.

    Attributes:
        log: of the content of the log, and of the number of the run in it.
        source: of the path of the log, and of the number of the run in it.
        content: of all that was exported; empty where an export was not completed.
    """

    log: str
    source: str
    content: str


class RunHead(NamedTuple):
    """What is known of a run when its export begins.

    Attributes:
        name: of the run; its parts are benchmark, submitter, system and log, as far as known, with slashes between.
        experiment: what it is listed under: the benchmark, unless the user says otherwise.
        start_ms: when it began, in milliseconds since the epoch.
        params: hyperparameters by log key.
        tags: who ran what, and how it was judged.
    """

    name: str
    experiment: str
    start_ms: float
    params: Mapping[str, PlainValue]
    tags: Mapping[str, PlainValue]


class RunEnd(NamedTuple):
    """What is known of a run when it is over.

    Attributes:
        status: as ``run_stop`` gives it; None where there was none.
        stop_ms: when it ended, in milliseconds since the epoch.
        log: path of its log, to be kept with the run; None where that is not known.
        verdict: the verdict as a document of `mlperf-check`; None where it was not judged.
        params: hyperparameters that came after the beginning.
        tags: tags that came after the beginning.
    """

    status: str | None
    stop_ms: float
    log: str | None = None
    verdict: str | None = None
    params: Mapping[str, PlainValue] = {}
    tags: Mapping[str, PlainValue] = {}


class RunExport(NamedTuple):
    """What a run exports.

    Attributes:
        path: the log as the caller named it, with the number of the run where it holds several.
        stamp: what tells it from other exports.
        head: what stands at the beginning.
        points: the numbers, in the order of the log.
        end: what stands at the end.
        note: why there is nothing to export, or what is left out; else None.
    """

    path: str
    stamp: Stamp
    head: RunHead
    points: tuple[Point, ...]
    end: RunEnd
    note: str | None = None
