"""Exporters to each tool, and logs to export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from checkout import PROJECT

LOGS = PROJECT / "examples" / "logs"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A copy of an example log that the test may change."""
    copy = tmp_path / "logs" / "run.txt"
    copy.parent.mkdir()
    copy.write_bytes((LOGS / "compliant" / "4.0.0_resnet.txt").read_bytes())
    return copy


def read_logged(log: Path, key: str) -> list[tuple[float, float, int]]:
    """Value, time and epoch of each record of a key, read from the lines of a log without this package."""
    events: list[dict[str, Any]] = [
        json.loads(line.partition(":::MLLOG ")[2])
        for line in log.read_text("utf-8").splitlines()
        if ":::MLLOG {" in line
    ]
    return [
        (each["value"], each["time_ms"], each["metadata"]["epoch_num"])
        for each in events
        if each["key"] == key
    ]


def write_hostile_log(log: Path) -> Path:
    """A log whose names and values are made to break an export, beside a file name that is too."""
    keys: list[tuple[str, Any]] = [
        ("submission_benchmark", "../../../<b>resnet\u202e"),
        ("submission_org", "/etc/../.."),
        ("submission_platform", "..\\..\\\x1b[31m"),
        ("opt_name", "<script>alert(1)</script>\x00 " + "x" * 20_000),
        ("../../evil", "value"),
        ("", 1),
        ("huge", 10**400),
        ("list", [1, {"a": "\ud800"}]),
    ]
    metrics = [
        ("eval_accuracy", 0.5, 1),
        ("eval_accuracy", {"../../x": 1, "a?b": 2, "a*b": 3, "": 4, "n" * 3_000: 5}, 2),
        ("eval_accuracy", "NaN", 3),
        ("eval_accuracy", 10**400, 4),
        ("eval_accuracy", 0.25, 10**40),
        ("tracked_stats", {"step": 1, "mlperf/step": 2, "_timestamp": 3, "eval_accuracy": 1e300}, 2),
    ]
    lines = [
        ("run_start", None, 0),
        *((key, value, 0) for key, value in keys),
        *metrics,
        ("run_stop", None, 4),
    ]
    records = [
        {
            "namespace": "",
            "time_ms": 1_700_000_000_000 + number,
            "event_type": "POINT_IN_TIME",
            "key": key,
            "value": value,
            "metadata": {"file": "x", "lineno": 1, "epoch_num": epoch},
        }
        for number, (key, value, epoch) in enumerate(lines)
    ]
    records[-1]["time_ms"] = 10**300
    path = log.with_name("-'; rm \u202e\n*.txt")
    path.write_text("".join(f":::MLLOG {json.dumps(each)}\n" for each in records), "utf-8")
    return path
