"""What is kept of a log in memory is bounded, whatever the log holds."""

from __future__ import annotations

from mlperf_logging.events import Event
from mlperf_logging.runs.kept_events import (
    CROPPED_BYTES,
    KEPT_BYTES,
    KEPT_EVENTS,
    KEPT_KEYS,
    LONG_RECORD,
    EventBudget,
    EventByKey,
    crop_event,
)


def event(key: str = "seed", raw: bytes = b"raw") -> Event:
    """An event."""
    return Event(key, 1, {}, 1, 1, 1, raw)


def test_budget_takes_the_first_events() -> None:
    """Events are kept from the first on; those beyond the number are counted."""
    budget = EventBudget(3)
    events = [event(str(number)) for number in range(5)]

    assert [*budget.take(events[:2]), *budget.take(events[2:]), *budget.take(events)] == events[:3]
    assert budget.refused == 7


def test_budget_counts_the_bytes_of_records() -> None:
    """Long records use up the budget, too, and what follows one that was refused is refused as well."""
    budget = EventBudget()
    long = event(raw=b"x" * (KEPT_BYTES // 2))

    assert len(budget.take([long, long, event(), event()])) == 2
    assert (list(budget.take([event()])), budget.refused) == ([], 3)


def test_budget_has_room_for_what_real_logs_hold() -> None:
    """The longest published log has 11,116 events in 2.2 million bytes; three times as many fit."""
    assert KEPT_EVENTS >= 3 * 11_116
    assert KEPT_BYTES >= 3 * 2_200_000


def test_last_event_of_each_key_is_kept() -> None:
    """A later event takes the place of the one before; of too many keys the first ones are kept, and go on to change."""
    kept = EventByKey()
    kept.keep({str(number): event(str(number)) for number in range(KEPT_KEYS + 5)})
    kept.keep({"0": event("0", b"later"), "new": event("new")})

    assert (len(kept), kept["0"].raw, kept.refused) == (KEPT_KEYS, b"later", 6)


def test_long_records_of_many_keys_are_not_kept() -> None:
    """The records' bytes are bounded; a shorter record of the same key makes room."""
    kept = EventByKey()
    kept.keep({name: event(name, b"x" * (KEPT_BYTES // 2)) for name in ("a", "b", "c")})
    assert (list(kept), kept.refused) == (["a", "b"], 1)

    kept.keep({"a": event("a")})
    kept.keep({"c": event("c")})
    assert list(kept) == ["a", "b", "c"]


def test_lists_and_objects_count_more_than_their_bytes() -> None:
    """A record of empty lists takes thirty times its size in memory, so far fewer of them are kept."""
    kept = [len(EventBudget().take([event(raw=raw * 1_000)] * 10_000)) for raw in (b"[],", b"123")]
    assert kept[0] * 5 < kept[1] == KEPT_BYTES // 3_000


def test_long_event_is_cropped() -> None:
    """Of an event whose record is long the beginnings of its values are kept; of a short one everything."""
    value = {"name": ["x" * 10, [[]] * LONG_RECORD], "rest": 1}
    short = event()._replace(value=value, metadata={"a": 1})
    long = crop_event(short._replace(raw=b"x" * (LONG_RECORD + 1)))

    assert crop_event(short) is short
    assert (list(long.value), long.metadata, len(long.raw)) == (["name"], {"a": 1}, LONG_RECORD)
    text, lists = long.value["name"]
    assert text == "x" * 10
    assert 0 < len(lists) < CROPPED_BYTES // 50


def test_texts_of_a_long_event_are_cropped() -> None:
    """No text is longer than what is kept of all values; numbers stay as they are."""
    long = event(raw=b"x" * (LONG_RECORD + 1))._replace(value="y" * 10 * CROPPED_BYTES, metadata={"z": 1.5})
    assert 0 < len(crop_event(long).value) <= CROPPED_BYTES
    assert crop_event(long).metadata == {"z": 1.5}
