"""Log lines of the three dialects, for tests that judge whole logs."""

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


def mll(key: str, value: Any = None, seconds: float = 1.0, **metadata: Any) -> bytes:
    """A line of the dialect before it."""
    payload = json.dumps({"value": value, "metadata": metadata})
    return f":::MLL {seconds:.6f} {key}: {payload}\n".encode()


def mlp050(benchmark: str, key: str, value: Any = None, seconds: float = 1.0) -> bytes:
    """A line of the oldest dialect."""
    payload = "" if value is None else f": {json.dumps(value)}"
    return f":::MLPv0.5.0 {benchmark} {seconds:.6f} (run.py:7) {key}{payload}\n".encode()
