"""Events of older dialects in the shape of the newest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from checkout import PROJECT

from mlperf_logging.conversion.events import convert_events, select_events
from mlperf_logging.conversion.writing import write_json_lines, write_parquet, write_records
from mlperf_logging.events import Event
from mlperf_logging.parsing import read_log
from mlperf_logging.runs.run import Run, read_run

LOGS = sorted((PROJECT / "examples" / "logs").glob("*/*.txt"))


def list_figures(run: Run) -> list[Any]:
    """What a run's log says of its time, its epochs, its evaluations and its seeds."""
    evaluations = [
        (
            each.key,
            each.value,
            each.metric,
            each.time_ms,
            each.progress.epoch_num,
            each.progress.samples_count,
        )
        for each in run.evaluations
    ]
    summary = run.start_ms, run.stop_ms, run.minutes, run.status, run.benchmark
    return [summary, evaluations, run.epochs, run.evals, run.blocks, [seed.value for seed in run.seeds]]


def convert(text: str) -> list[dict[str, Any]]:
    """The records, as JSON, of a converted log."""
    lines = b"".join(write_records(convert_events(read_log(text.encode()).events))).splitlines()
    return [json.loads(line.removeprefix(b":::MLLOG ")) for line in lines]


@pytest.mark.parametrize("log", LOGS, ids=lambda log: f"{log.parent.name}-{log.stem}")
def test_figures_stay(log: Path) -> None:
    """A converted log has the figures of the original, and every record of it can be read."""
    events = read_log(log.read_bytes()).events
    converted = b"".join(write_records(convert_events(events)))
    intervals = list_figures(read_run(converted))

    assert read_log(converted).problems == []
    if (
        events and events[0].benchmark is None
    ):  # the oldest dialect gives no progress to the intervals of evaluations
        assert intervals == list_figures(read_run(log.read_bytes()))
    else:
        assert intervals[:3] == list_figures(read_run(log.read_bytes()))[:3]


@pytest.mark.parametrize(
    ("record", "key", "value", "metadata"),
    [
        ('eval_accuracy: {"epoch": 4, "value": 0.5}', "eval_accuracy", 0.5, {"epoch_num": 4}),
        ('opt_lr: {"value": 1, "iteration": 7}', "opt_lr", 1, {"step_num": 7}),
        ("train_epoch: 3", "train_epoch", None, {"epoch_num": 3}),
        ('eval_start: {"epoch": 3}', "eval_start", None, {"epoch_num": 3}),
        ('run_stop: {"success": true}', "run_stop", None, {"status": "success"}),
        ('run_stop: {"success": false}', "run_stop", None, {"status": "aborted"}),
        ("run_final", "run_final", None, {}),
        ("seed: 7", "seed", 7, {}),
        ('model_hp_block: {"stride": 2}', "model_hp_block", {"stride": 2}, {}),
    ],
)
def test_the_oldest_dialect_has_metadata_in_its_values(
    record: str, key: str, value: Any, metadata: dict[str, Any]
) -> None:
    """Progress and status move into the metadata, with the call site; parameters that are objects stay."""
    named, converted = convert(f":::MLPv0.5.0 ncf 1541030400.25 (a/train.py:40) {record}")
    site = {"file": "a/train.py", "lineno": 40}

    assert (named["key"], named["value"], named["metadata"]) == ("submission_benchmark", "ncf", site)
    assert (converted["key"], converted["value"]) == (key, value)
    assert converted["metadata"] == {**site, **metadata}
    assert converted["time_ms"] == 1_541_030_400_250


def test_kinds_follow_from_keys() -> None:
    """Starts and stops are intervals, as in logs of the newest dialect."""
    keys = ("run_start", "seed", "eval_stop")
    text = "".join(f':::MLL 1.5 {key}: {{"value": 1, "metadata": {{"x": 2}}}}\n' for key in keys)

    assert [(each["event_type"], each["metadata"]) for each in convert(text)] == [
        ("INTERVAL_START", {"x": 2}),
        ("POINT_IN_TIME", {"x": 2}),
        ("INTERVAL_END", {"x": 2}),
    ]


def make_event(key: str, value: Any) -> Event:
    """An event of the newest dialect."""
    return Event(key, value, {"a": [1]}, 5, 3, 1, b"", "POINT_IN_TIME", "", None, "mllog")


def test_keys_are_selected_by_patterns() -> None:
    """Names and patterns, in the order of the log."""
    events = [make_event(key, 1) for key in ("opt_name", "seed", "opt_lr", "opt")]

    assert [each.key for each in select_events(events, ["opt_*", "seed"])] == ["opt_name", "seed", "opt_lr"]


def test_infinite_and_huge_numbers_stay_numbers() -> None:
    """They are written as a number that is infinite for readers, and read back as such."""
    values = [float("inf"), -float("inf"), {"a": [10**5_000]}]
    log = read_log(b"".join(write_records(make_event("loss", value) for value in values)))

    assert [event.value for event in log.events] == [float("inf"), -float("inf"), {"a": [float("inf")]}]


def test_json_lines_are_the_events() -> None:
    """One object per event, with its line."""
    (line,) = write_json_lines([make_event("seed", 7)])

    assert json.loads(line) == {
        "line": 3,
        "time_ms": 5,
        "key": "seed",
        "event_type": "POINT_IN_TIME",
        "namespace": "",
        "value": 7,
        "metadata": {"a": [1]},
    }


def test_a_table_has_numbers_and_json() -> None:
    """Numbers have a column of their own; values of all kinds are JSON."""
    import io

    import pandas as pd

    table = pd.read_parquet(
        io.BytesIO(b"".join(write_parquet(make_event("k", each) for each in (7, "x", None, True))))
    )

    assert list(table["value"]) == ["7", '"x"', "null", "true"]
    assert list(table["number"].fillna(-1)) == [7, -1, -1, -1]
    assert list(table["metadata"]) == ['{"a": [1]}'] * 4
