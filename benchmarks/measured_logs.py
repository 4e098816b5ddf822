"""The logs of a measured series: where they are, and what they say."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from reference_impls.harness import Task

ROOT = Path(__file__).resolve().parent.parent
SCALE = "mini"


def find_logs(task: Task, output: Path) -> list[Path]:
    """The logs of a series, by number."""
    logs = output.glob(f"*/results/*/{task.benchmark}/result_*.txt")
    return sorted(logs, key=lambda path: int(path.stem.rpartition("_")[2]))


def read_events(log: Path) -> list[dict[str, Any]]:
    """The records of a log."""
    lines = log.read_text("utf-8").splitlines()
    return [json.loads(line.partition(" ")[2]) for line in lines if line.startswith(":::MLLOG ")]


def read_values(log: Path) -> dict[str, Any]:
    """The first value of each key of a log."""
    values: dict[str, Any] = {}
    for event in read_events(log):
        values.setdefault(event["key"], event["value"])
    return values


def describe_system(output: Path) -> str:
    """The machine that a series ran on, from its system description."""
    facts = json.loads(next(output.glob("*/systems/*.json")).read_text("utf-8"))
    return (
        f"{facts['host_processor_model_name']}, {facts['host_processor_vcpu_count']} cores, "
        f"{facts['host_memory_capacity']} of memory, {facts['framework']}"
    )


def date_series(logs: Sequence[Path]) -> str:
    """The day of a series' last event."""
    text = logs[-1].read_text("utf-8")
    last_ms = int(re.findall(r'"time_ms": (\d+)', text)[-1])
    return datetime.fromtimestamp(last_ms / 1000, timezone.utc).date().isoformat()
