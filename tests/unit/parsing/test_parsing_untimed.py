"""Records that lack nothing but their time."""

from __future__ import annotations

from math import isnan

import pytest

from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing import read_batches
from mlperf_logging.parsing.untimed import read_untimed

FIELDS = '"key": "seed", "value": 7, "metadata": {"lineno": 3}'


def read(text: str) -> list[Event | Problem]:
    """What the records of a text say, times aside."""
    return read_untimed([item for batch in read_batches(text.encode()) for item in batch])


@pytest.mark.parametrize("time", ["", '"time_s": 5, ', '"time_ms": null, ', '"time_ms": [1], '])
def test_all_but_the_time_is_read(time: str) -> None:
    """Key, value, metadata and place are those of the record; the time is not a number."""
    (event,) = read(f"noise\n:::MLLOG {{{time}{FIELDS}}}\n")
    assert isinstance(event, Event)
    assert (event.key, event.value, event.metadata, event.line) == ("seed", 7, {"lineno": 3}, 2)
    assert isnan(event.time_ms)
    assert event.dialect == "mllog"


@pytest.mark.parametrize(
    "record",
    [
        "{'key': 'seed', 'value': 7}",
        '{"value": 7, "metadata": {}}',
        '{"key": 5, "value": 7, "metadata": {}}',
        '{"key": "seed", "metadata": {}}',
        '{"key": "seed", "value": 7, "metadata": []}',
        "{",
    ],
)
def test_what_lacks_more_stays_a_problem(record: str) -> None:
    """A record that cannot be read, or lacks key, value or metadata, makes no event."""
    assert all(isinstance(item, Problem) for item in read(f":::MLLOG {record}\n"))


def test_events_stay_as_they_are() -> None:
    """An event with a time is passed on."""
    items = [
        item for batch in read_batches(f':::MLLOG {{"time_ms": 5, {FIELDS}}}\n'.encode()) for item in batch
    ]
    assert read_untimed(items) == items
