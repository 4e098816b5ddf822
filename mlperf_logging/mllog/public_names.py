"""Private names of the public package's ``mllog.mllog`` that public code uses; they load when they are asked for."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mlperf_logging.mllog.encoder import encode_value
from mlperf_logging.mllog.formatter import MARKER

LOG_TEMPLATE = MARKER + " {log_json}"


class _NumpyJSONEncoder(json.JSONEncoder):
    """JSON with numpy's numbers and arrays, for `json.dumps`."""

    def default(self, o: Any) -> Any:
        """What JSON has in place of a value that it has not; TypeError where it has none."""
        text, foreign_type = encode_value(o)
        return super().default(o) if foreign_type is not None else json.loads(text)


def _now_as_str() -> str:
    """The local time of the day, with microseconds."""
    return f"{datetime.now().astimezone():%H:%M:%S.%f}"


def _current_time_ms() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1e3)


def _encode_log(
    namespace: str, time_ms: float, event_type: str, key: str, value: Any, metadata: Mapping[str, Any]
) -> str:
    """An event as a log line."""
    fields = {
        "namespace": namespace,
        "time_ms": time_ms,
        "event_type": event_type,
        "key": key,
        "value": value,
        "metadata": metadata,
    }
    return LOG_TEMPLATE.format(log_json=json.dumps(fields, cls=_NumpyJSONEncoder))
