"""From events to points: names, steps, times and values."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from checkout import PROJECT

from mlperf_logging.compliance.judged_run import judge_run
from mlperf_logging.events import Event
from mlperf_logging.exports.points import Point, PointReader
from mlperf_logging.exports.reading import make_export

LOGS = sorted((PROJECT / "examples" / "logs").glob("*/*.txt"))


def log_event(key: str, value: Any, time_ms: float = 1_000, line: int = 1, **metadata: Any) -> Event:
    """An event as logs have it."""
    raw = f"{key} {value} {metadata} {line}".encode()
    return Event(key, value, metadata, time_ms, line, 1, raw, "POINT_IN_TIME", "", None, "mllog")


def read_all(reader: PointReader, events: Iterable[Event]) -> list[Point]:
    """The points of some events."""
    return [point for event in events for point in reader.read(event)]


@pytest.mark.parametrize("log", LOGS, ids=lambda log: f"{log.parent.name}-{log.stem}")
def test_points_are_the_evaluations_and_series_of_the_run(log: Path) -> None:
    """Each number of an evaluation and of a series is a point, and nothing else is, but for the summary."""
    judged = judge_run(str(log))
    points = [each for each in make_export(judged, "").points if not each.name.startswith("summary/")]
    numbers = [*judged.run.evaluations, *judged.run.series]
    known = [(each.value, each.time_ms) for each in numbers if each.value is not None]

    assert sorted((each.value, each.time_ms) for each in points if not math.isnan(each.value)) == sorted(
        (value, time_ms) for value, time_ms in known if not math.isnan(value)
    )


def test_an_evaluation_is_named_by_its_key() -> None:
    """The metric's own name comes behind a slash."""
    events = [
        log_event("eval_accuracy", 0.5, epoch_num=1),
        log_event("eval_accuracy", {"BBOX": 0.3, "SEGM": 0.2}, epoch_num=2),
        log_event("eval_error", 0.1, epoch_num=3, metric="mae"),
    ]

    assert read_all(PointReader(), events) == [
        Point("eval_accuracy", 1, 1_000, 0.5),
        Point("eval_accuracy/BBOX", 2, 1_000, 0.3),
        Point("eval_accuracy/SEGM", 2, 1_000, 0.2),
        Point("eval_error/mae", 3, 1_000, 0.1),
    ]


def test_statistics_have_their_own_names() -> None:
    """A statistic whose name is that of something else keeps the key before it."""
    events = [
        log_event("tracked_stats", {"throughput": 5, "eval_accuracy": 0.1}, step=1),
        log_event("throughput", 7, step=1),
        log_event("throughput", 8, step=2),
    ]

    assert [(each.name, each.value) for each in read_all(PointReader(), events)] == [
        ("throughput", 5),
        ("tracked_stats/eval_accuracy", 0.1),
        ("throughput/throughput", 7),
        ("throughput/throughput", 8),
    ]


def test_a_number_is_a_series_once_it_is_logged_again() -> None:
    """Until then it is a parameter; what was held back comes with the first that differs."""
    reader = PointReader()

    assert reader.read(log_event("opt_lr", 0.1)) == []
    assert reader.read(log_event("opt_lr", 0.1, line=2)) == []
    assert reader.series_keys == set()
    assert [each.value for each in reader.read(log_event("opt_lr", 0.2))] == [0.1, 0.1, 0.2]
    assert reader.series_keys == {"opt_lr"}


@pytest.mark.parametrize(
    ("metadata", "step"),
    [
        ({"samples_count": 640}, 640),
        ({"epoch_num": 3}, 3),
        ({"epoch_num": 3.0}, 3),
        ({"step_num": 20}, 20),
        ({"epoch_num": 2, "samples_count": 64}, 64),
        ({}, 1),
        ({"epoch_num": 10**40}, 1),
        ({"epoch_num": math.nan}, 1),
    ],
)
def test_the_step_is_what_the_log_counts(metadata: dict[str, Any], step: int) -> None:
    """Where it counts nothing that is a step, points are numbered."""
    (point,) = PointReader().read(log_event("eval_accuracy", 0.5, **metadata))

    assert point.step == step


def test_parts_of_epochs_become_samples() -> None:
    """Steps are whole numbers; where an epoch's samples are not known, there are a thousand steps in it."""
    events = [log_event("eval_accuracy", 0.5, epoch_num=each) for each in (0.05, 0.5, 1)]
    known = [log_event("train_samples", 4_000), *events]

    assert [each.step for each in read_all(PointReader(), known)] == [200, 2_000, 4_000]
    assert [each.step for each in read_all(PointReader(), events)] == [50, 500, 1_000]


def test_an_unread_time_is_that_of_the_point_before() -> None:
    """Records without a readable time are still in their place."""
    events = [
        log_event("eval_accuracy", 0.5, time_ms=7_000),
        log_event("eval_accuracy", 0.6, time_ms=math.nan),
    ]

    assert [each.time_ms for each in read_all(PointReader(), events)] == [7_000, 7_000]
    assert [each.time_ms for each in PointReader(start_ms=5).read(events[1])] == [5]


@pytest.mark.parametrize("time_ms", [10**400, 1e300, math.inf, -1])
def test_a_time_that_no_calendar_has_is_none(time_ms: float) -> None:
    """It is treated as one that cannot be read."""
    (point,) = PointReader(start_ms=5).read(log_event("eval_accuracy", 0.5, time_ms=time_ms))

    assert point.time_ms == 5


def test_values_that_are_no_numbers_are_no_points() -> None:
    """Texts that are numbers count; others, truth values and nothing do not; a number too large is infinite."""
    values = ["0.5", "good", True, None, [1, "x"], {"a": {"b": 2}}, 10**400, "NaN"]
    points = read_all(PointReader(), [log_event("eval_accuracy", each, epoch_num=1) for each in values])

    assert [each.value for each in points[:4]] == [0.5, 1, 2, math.inf]
    assert math.isnan(points[4].value)
    assert len(points) == 5


def test_hostile_names_stay_apart() -> None:
    """Names that look alike once they are cleaned are different metrics."""
    points = read_all(PointReader(), [log_event("tracked_stats", {"a?b": 1, "a*b": 2, "a|b": 3, "../..": 4})])

    assert [each.name for each in points] == ["a_b", "tracked_stats/a_b", "tracked_stats/a_b-2", "_/_"]
