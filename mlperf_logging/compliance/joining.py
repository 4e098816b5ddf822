"""Joining events: several metrics of one evaluation, logged apart, judged as one event."""

from __future__ import annotations

from collections.abc import Mapping

from mlperf_logging.events import Event
from mlperf_logging.runs.kept_events import EventBudget


class Joiner:
    """Collects the events of one key and joins those of one evaluation.

    The rule files say which events and by what: ``{key: joined_key, of: source_key, by: meta_field, name:
    meta_field}``. Events with the same ``by`` field become one event of the joined key, whose value holds
    that field and, under the text of each event's ``name`` field, its value.

    Attributes:
        budget: decides how many events are joined.
    """

    def __init__(self, join: dict[str, str]) -> None:
        self._key = join["key"]
        self._by = join["by"]
        self._name = join["name"]
        self._groups: dict[str, Event] = {}
        self.budget = EventBudget()

    def take(self, event: Event) -> None:
        """Add one event of the source key; one without the ``name`` field is left out."""
        name = event.metadata.get(self._name)
        if name is None:
            return
        if not self.budget.take([event]):
            return
        by = event.metadata.get(self._by)
        group = repr(by)
        former, time_ms = self._groups.get(group), event.time_ms
        value = {self._by: by} if self._by in event.metadata else {}
        if former is not None:  # its value is the joiner's own, and a copy for each part would take too long
            value, time_ms = former.value, max(time_ms, former.time_ms)
        value[str(name)] = event.value
        self._groups[group] = event._replace(key=self._key, value=value, metadata={}, time_ms=time_ms)

    def events(self) -> list[Event]:
        """The joined events, in the order of their first parts."""
        return list(self._groups.values())


def identify_evaluation(event: Event, join: Mapping[str, str] | None) -> bytes | str:
    """What distinguishes an evaluation from others: its record, or what joined events are joined by."""
    if join is not None and event.key == join["key"]:
        return repr(event.value.get(join["by"]))
    if join is not None and event.key == join["of"] and join["by"] in event.metadata:
        return repr(event.metadata[join["by"]])
    return event.raw.rstrip()
