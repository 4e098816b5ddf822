"""Log lines of the three dialects, and the records in the lines of the newest."""

from __future__ import annotations

import json
from typing import Any


def mllog(key: str, value: Any = None, time_ms: float = 1_000, **metadata: Any) -> bytes:
    """A line of the newest dialect."""
    record = {
        "namespace": "",
        "time_ms": time_ms,
        "event_type": "POINT_IN_TIME",
        "key": key,
        "value": value,
        "metadata": metadata,
    }
    return b":::MLLOG " + json.dumps(record).encode() + b"\n"


def power(key: str, value: Any, time_ms: float) -> bytes:
    """A line as power meters write it: the metadata is an empty text."""
    return mllog(key, value, time_ms).replace(b'"metadata": {}', b'"metadata": ""')


def read_records(text: str) -> list[dict[str, Any]]:
    """The records in the lines of the newest dialect; other lines are left out."""
    marker = ":::MLLOG "
    return [json.loads(line.removeprefix(marker)) for line in text.splitlines() if line.startswith(marker)]


def mll(key: str, value: Any = None, seconds: float = 1.0, **metadata: Any) -> bytes:
    """A line of the dialect before it."""
    payload = json.dumps({"value": value, "metadata": metadata})
    return f":::MLL {seconds:.6f} {key}: {payload}\n".encode()


def mlp050(benchmark: str, key: str, value: Any = None, seconds: float = 1.0) -> bytes:
    """A line of the oldest dialect."""
    payload = "" if value is None else f": {json.dumps(value)}"
    return f":::MLPv0.5.0 {benchmark} {seconds:.6f} (run.py:7) {key}{payload}\n".encode()
