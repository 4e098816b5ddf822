"""What a log says about its own kind: dialect, benchmark, division, and what chooses the benchmark's variants."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing import rank_dialect
from mlperf_logging.parsing.columns import EventColumns
from mlperf_logging.rules.closures import EVALUATION_ERRORS, RunState
from mlperf_logging.rules.rulesets import Ruleset
from mlperf_logging.runs.kept_events import EventByKey

_KEY = itemgetter(Event._fields.index("key"))
_DIALECT = itemgetter(Event._fields.index("dialect"))

BENCHMARK, DIVISION = "submission_benchmark", "submission_division"


def is_uniform(items: Sequence[Event | Problem]) -> bool:
    """Whether the items are events, and all of one dialect."""
    return set(map(type, items)) == {Event} and len(set(map(_DIALECT, items))) == 1


class Identity(NamedTuple):
    """What a log says about its own kind: first line of each dialect's records, and each dialect's first event of each key.

    The events may be without their places in the log, see `EventColumns.make_unplaced`.
    """

    dialects: dict[str, int]
    first: dict[str, EventByKey]

    def note(self, items: Sequence[Event | Problem] | EventColumns) -> None:
        """Take in items of the log, in their order."""
        dialects, first = self.dialects, self.first
        if isinstance(items, EventColumns):
            self._note_columns(items)
            return
        if is_uniform(items):  # nearly always; then a few calls do for all
            known = first.setdefault(items[0].dialect, EventByKey())
            dialects.setdefault(items[0].dialect, items[0].line)
            firsts = dict(zip(map(_KEY, reversed(items)), reversed(items), strict=True))
            known.keep({key: event for key, event in firsts.items() if key not in known} if known else firsts)
            return
        for item in items:
            dialect = item.dialect
            if dialect not in dialects and dialect:
                dialects[dialect] = item.line
                first[dialect] = EventByKey()
            if type(item) is Event:
                known = first[dialect]
                if item[0] not in known:
                    known.keep({item[0]: item})

    def _note_columns(self, columns: EventColumns) -> None:
        """Take in events of the log; the first ones of their keys are kept without their places."""
        known = self.first.setdefault(columns.dialect, EventByKey())
        if columns.dialect not in self.dialects:
            self.dialects[columns.dialect] = columns.first_line
        keys = columns.records.keys
        if known.keys() >= set(keys):
            return
        firsts = columns.find_firsts()
        new = [key for key in firsts if key not in known]
        events = columns.make_unplaced([firsts[key] for key in new])
        known.keep(dict(zip(new, events, strict=True)))

    def find_newest_dialect(self) -> str | None:
        """The newest dialect that the log has records in."""
        return max(self.dialects, key=rank_dialect, default=None)

    def events(self, dialect: str) -> dict[str, Event]:
        """The first event of each key in one dialect."""
        return self.first.get(dialect, {})

    def value(self, dialect: str, key: str) -> Any:
        """The first logged value of a key in one dialect, or None."""
        event = self.events(dialect).get(key)
        return event.value if event is not None else None

    def benchmark(self, dialect: str) -> str | None:
        """The benchmark that the log names: as a key's value, or in each record."""
        value = self.value(dialect, BENCHMARK)
        if isinstance(value, str):
            return value
        named = next((event.benchmark for event in self.events(dialect).values() if event.benchmark), None)
        return named or (None if value is None else str(value))


def find_variants(ruleset: Ruleset, benchmark: str | None, identity: Identity) -> tuple[str, ...]:
    """The benchmark's variants of a log, by the first events of the keys that choose them."""
    state = RunState({})
    state.last = identity.events(ruleset.dialect)
    found = []
    for name, applies in ruleset.variants(benchmark).items():
        try:
            if applies(next(iter(state.last.values())), state):
                found.append(name)
        except (*EVALUATION_ERRORS, StopIteration):  # the choosing key is not logged: a rule asks for it
            continue
    return tuple(found)
