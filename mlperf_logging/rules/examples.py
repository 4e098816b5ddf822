"""Examples of rules: events that a rule passes and events that it fails, in a short notation."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from mlperf_logging.events import Event

if TYPE_CHECKING:
    from mlperf_logging.rules.rule import Rule
    from mlperf_logging.rules.rulesets import Ruleset

_KEY = re.compile(r"\w+")
_REST = re.compile(r"(?: of (?P<benchmark>\w+))?(?: @(?P<seconds>[\d.]+)s)?")


class Example(NamedTuple):
    """Events that satisfy a rule, and events that break it, in the notation of the rule files."""

    passing: tuple[str, ...]
    failing: tuple[str, ...]


ExampleFinder = Callable[["Ruleset", "Rule"], Example]
"""What gives the examples of a ruleset's rule; the judge, which can try them, provides it."""


def read_events(notation: tuple[str, ...]) -> list[Event]:
    """Events from their short notation: ``KEY[=JSON][ {METADATA}][ of BENCHMARK][ @SECONDSs]``."""
    decoder = json.JSONDecoder()
    events = []
    for number, line in enumerate(notation, 1):
        found = _KEY.match(line)
        key, place = (found[0], found.end()) if found else ("", 0)
        value: Any = None
        metadata: dict[str, Any] = {}
        try:
            if line.startswith("=", place):
                value, place = decoder.raw_decode(line, place + 1)
            if line.startswith(" {", place):
                metadata, place = decoder.raw_decode(line, place + 1)
        except ValueError as error:
            raise ValueError(f"not the notation of an event: {line!r} ({error})") from None
        rest = _REST.fullmatch(line, place)
        if not key or rest is None:
            raise ValueError(f"not the notation of an event: {line!r}")
        time_ms = float(rest["seconds"] or 0) * 1000
        events.append(
            Event(key, value, metadata, time_ms, number, 1, line.encode(), benchmark=rest["benchmark"])
        )
    return events


def write_event(event: Event) -> str:
    """The short notation of an event."""
    text = event.key
    if event.value is not None:
        text += f"={json.dumps(event.value)}"
    if event.metadata:
        text += f" {json.dumps(event.metadata)}"
    if event.benchmark:
        text += f" of {event.benchmark}"
    seconds = f"{event.time_ms / 1000:.3f}".rstrip("0").rstrip(".")
    return text + (f" @{seconds}s" if event.time_ms else "")
