"""Events of older dialects in the shape of the newest: what stood in the open or within the value is metadata there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import translate
from typing import Any

from mlperf_logging.events import Event, EventKind

DIALECT = "mllog"
"""The dialect of converted events."""

_CALL_SITE = re.compile(rb"\(([^()]*):([0-9]+)\)")
_PROGRESS = {"epoch": "epoch_num", "iteration": "step_num"}
"""Names of progress within values of the oldest dialect, and what they are called in metadata."""
_WITH_EPOCH = frozenset({"train_epoch", "eval_start", "eval_stop", "epoch_start", "epoch_stop"})
"""Keys whose value is the number of an epoch in the oldest dialect."""
_RUN_STOP, _BENCHMARK = "run_stop", "submission_benchmark"
_START, _STOP = "_start", "_stop"


def convert_events(events: Iterable[Event]) -> Iterator[Event]:
    """Give events in the shape of the newest dialect, in their order.

    The oldest dialect names the benchmark in every record and the newest in an event of its own, which comes first then.
    """
    is_named = False
    for event in events:
        if event.benchmark is not None and not is_named:
            named = event._replace(key=_BENCHMARK, value=event.benchmark)
            yield _finish(named, event.benchmark, _read_call_site(event.raw))
        is_named = True
        yield convert_event(event)


def convert_event(event: Event) -> Event:
    """Give one event in the shape of the newest dialect; one that has it stays as it is."""
    if event.dialect == DIALECT:
        return event
    if event.benchmark is None:
        return _finish(event, event.value, event.metadata)
    value, metadata = _split_value(event.key, event.value)
    return _finish(event, value, {**_read_call_site(event.raw), **metadata})


def _split_value(key: str, value: Any) -> tuple[Any, dict[str, Any]]:
    """Value and metadata of what the oldest dialect has within its value."""
    if key in _WITH_EPOCH and type(value) in (int, float):
        return None, {"epoch_num": value}
    if not isinstance(value, dict):
        return value, {}
    if key == _RUN_STOP and "success" in value:
        rest = {name: part for name, part in value.items() if name != "success"}
        is_success = str(value["success"]).strip().lower() == "true"
        return None, {**rest, "status": "success" if is_success else "aborted"}
    if "value" not in value and not value.keys() <= _PROGRESS.keys():
        return value, {}  # a parameter that is an object
    metadata = {_PROGRESS.get(str(name), str(name)): part for name, part in value.items() if name != "value"}
    return value.get("value"), metadata


def _read_call_site(raw: bytes) -> dict[str, Any]:
    found = _CALL_SITE.search(raw)
    return {} if found is None else {"file": found[1].decode("utf-8", "replace"), "lineno": int(found[2])}


def _finish(event: Event, value: Any, metadata: dict[str, Any]) -> Event:
    kind = EventKind.POINT_IN_TIME
    if event.key.endswith(_START):
        kind = EventKind.INTERVAL_START
    elif event.key.endswith(_STOP):
        kind = EventKind.INTERVAL_END
    return event._replace(
        value=value, metadata=metadata, event_type=str(kind), namespace="", benchmark=None, dialect=DIALECT
    )


def select_events(events: Iterable[Event], keys: Iterable[str]) -> Iterator[Event]:
    """Those events whose key is one of some, which may be patterns such as ``"opt_*"``."""
    wanted = re.compile("|".join(map(translate, keys))).match
    return (event for event in events if wanted(event.key))
