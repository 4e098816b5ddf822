"""How each log dialect writes a record: one small writer class per dialect."""

from __future__ import annotations

import json
from typing import Any

from runs import Clock


class LogWriter:
    """Collects the lines of one log.

    Attributes:
        clock: time of the next record.
        script: file that the records name as their call site.
        prefix: what a launcher puts before each line.
        lines: the lines so far, without line ends.
    """

    def __init__(self, clock: Clock, script: str = "train.py", prefix: str = "") -> None:
        self.clock = clock
        self.script = script
        self.prefix = prefix
        self.lines: list[str] = []
        self._sites: dict[str, int] = {}

    def noise(self, text: str) -> None:
        """Write a line that is not a record."""
        self.lines.append(f"{self.prefix}{text}")

    def record(self, key: str, value: Any = None, **metadata: Any) -> None:
        """Write a record and let a little time pass."""
        self.lines.append(f"{self.prefix}{self.render(key, value, metadata)}")
        self.clock.pass_seconds(0.002)

    def render(self, key: str, value: Any, metadata: dict[str, Any]) -> str:
        """The text of a record."""
        raise NotImplementedError

    def line_number(self, key: str) -> int:
        """Line of the script that logs a key: invented, the same each time."""
        return self._sites.setdefault(key, 40 + 7 * len(self._sites))


class MllogWriter(LogWriter):
    """`:::MLLOG`: everything in one JSON object, times in milliseconds."""

    def render(self, key: str, value: Any, metadata: dict[str, Any]) -> str:
        """The text of a record."""
        kind = "POINT_IN_TIME"
        if key.endswith("_start"):
            kind = "INTERVAL_START"
        elif key.endswith("_stop"):
            kind = "INTERVAL_END"
        record = {
            "namespace": "",
            "time_ms": round(self.clock.now * 1000),
            "event_type": kind,
            "key": key,
            "value": value,
            "metadata": {"file": self.script, "lineno": self.line_number(key), **metadata},
        }
        return f":::MLLOG {json.dumps(record)}"


class MllWriter(LogWriter):
    """`:::MLL`: time and key in the open, times in seconds."""

    def render(self, key: str, value: Any, metadata: dict[str, Any]) -> str:
        """The text of a record."""
        site = {"lineno": self.line_number(key), "file": self.script}
        record = json.dumps({"value": value, "metadata": site | metadata})
        return f":::MLL {self.clock.now:.3f} {key}: {record}"


class Mlp050Writer(LogWriter):
    """`:::MLPv0.5.0`: benchmark, time and call site in the open; a value only if there is one."""

    def __init__(self, clock: Clock, benchmark: str, script: str = "train.py", prefix: str = "") -> None:
        super().__init__(clock, script, prefix)
        self.benchmark = benchmark

    def render(self, key: str, value: Any, metadata: dict[str, Any]) -> str:
        """The text of a record; this dialect has no metadata."""
        if metadata:
            raise ValueError(f"this dialect has no metadata: {metadata}")
        shown = "" if value is None else f": {json.dumps(value)}"
        place = f"({self.script}:{self.line_number(key)})"
        return f":::MLPv0.5.0 {self.benchmark} {self.clock.now:.6f} {place} {key}{shown}"
