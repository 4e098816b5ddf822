"""What is kept of a log in memory is bounded, whatever the log holds."""

from __future__ import annotations

from mlperf_logging.events import Event
from mlperf_logging.runs.kept_events import KEPT_BYTES, KEPT_EVENTS, KEPT_KEYS, EventBudget, EventByKey


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
