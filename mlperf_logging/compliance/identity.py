"""What a log says about its own kind: dialect, benchmark, division, and what chooses the benchmark's variants."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing import rank_dialect
from mlperf_logging.parsing.columns import EventColumns
from mlperf_logging.rules.closures import EVALUATION_ERRORS, NO_EVENT, RunState
from mlperf_logging.rules.rulesets import Ruleset
from mlperf_logging.runs.kept_events import KEPT_KEYS, SURELY_KEPT_BYTES, EventByKey

_KEY = itemgetter(Event._fields.index("key"))
_DIALECT = itemgetter(Event._fields.index("dialect"))

BENCHMARK, DIVISION = "submission_benchmark", "submission_division"


def is_uniform(items: Sequence[Event | Problem]) -> bool:
    """Whether the items are events, and all of one dialect."""
    return set(map(type, items)) == {Event} and len(set(map(_DIALECT, items))) == 1


class Identity:
    """What a log says about its own kind: each dialect's first event of each key.

    The events may be without their places in the log, see `EventColumns.make_unplaced`. Those of columns are made when
    they are asked for: most logs are asked for two values.

    Attributes:
        dialects: those that the log has records in, in the order of their first ones.
    """

    def __init__(self) -> None:
        self.dialects: list[str] = []
        self._lines: dict[str, int] = {}
        self._first: dict[str, EventByKey] = {}
        self._waiting: list[EventColumns] = []
        self._waiting_count = self._waiting_bytes = 0

    def note(self, items: Sequence[Event | Problem] | EventColumns) -> None:
        """Take in items of the log, in their order; columns are held until `settle` is called or events are asked for."""
        if isinstance(items, EventColumns):
            self._note_dialect(items.dialect)
            self._waiting.append(items)
            self._waiting_count += len(items)
            self._waiting_bytes += items.byte_count
            is_kept = self._waiting_count <= KEPT_KEYS and self._waiting_bytes <= SURELY_KEPT_BYTES
            if self._first or not is_kept:
                self.settle()
            return
        self.settle()
        if is_uniform(items):  # nearly always; then a few calls do for all
            self._note_dialect(items[0].dialect)
            known = self._first.setdefault(items[0].dialect, EventByKey())
            self._lines.setdefault(items[0].dialect, items[0].line)
            firsts = dict(zip(map(_KEY, reversed(items)), reversed(items), strict=True))
            known.keep({key: event for key, event in firsts.items() if key not in known} if known else firsts)
            return
        for item in items:
            dialect = item.dialect
            if dialect not in self._first and dialect:
                self._note_dialect(dialect)
                self._lines[dialect] = item.line
                self._first[dialect] = EventByKey()
            if type(item) is Event:
                known = self._first[dialect]
                if item[0] not in known:
                    known.keep({item[0]: item})

    def _note_dialect(self, dialect: str) -> None:
        if dialect not in self.dialects:
            self.dialects.append(dialect)

    def settle(self) -> None:
        """Take from columns what matters, so that they can be freed."""
        waiting, self._waiting = self._waiting, []
        for columns in waiting:
            known = self._first.setdefault(columns.dialect, EventByKey())
            if columns.dialect not in self._lines:
                self._lines[columns.dialect] = columns.first_line
            if known.keys() >= set(columns.records.keys):
                continue
            firsts = columns.find_firsts()
            new = [key for key in firsts if key not in known]
            events = columns.make_unplaced([firsts[key] for key in new])
            known.keep(dict(zip(new, events, strict=True)))

    @property
    def first(self) -> dict[str, EventByKey]:
        """Each dialect's first event of each key."""
        self.settle()
        return self._first

    @property
    def first_lines(self) -> dict[str, int]:
        """The line of each dialect's first record."""
        self.settle()
        return self._lines

    def find_newest_dialect(self) -> str | None:
        """The newest dialect that the log has records in."""
        return max(self.dialects, key=rank_dialect, default=None)

    def events(self, dialect: str) -> dict[str, Event]:
        """The first event of each key in one dialect."""
        return self.first.get(dialect, {})

    def find(self, dialect: str, key: str) -> Event | None:
        """The first event of a key in one dialect, maybe without its place and its bytes; None where there is none."""
        for columns in self._waiting:  # then there is nothing else
            event = columns.find_first(key) if columns.dialect == dialect else None
            if event is not None:
                return event
        known = self._first.get(dialect)
        return None if known is None else known.get(key)

    def value(self, dialect: str, key: str) -> Any:
        """The first logged value of a key in one dialect, or None."""
        event = self.find(dialect, key)
        return event.value if event is not None else None

    def benchmark(self, dialect: str) -> str | None:
        """The benchmark that the log names: as a key's value, or in each record."""
        value = self.value(dialect, BENCHMARK)
        if isinstance(value, str):
            return value
        named = next((event.benchmark for event in self.events(dialect).values() if event.benchmark), None)
        return named or (None if value is None else str(value))


class _FirstEvents(dict[str, Event]):
    """The first events of those keys that formulas ask for."""

    def __init__(self, identity: Identity, dialect: str) -> None:
        super().__init__()
        self._identity, self._dialect = identity, dialect

    def __missing__(self, key: str) -> Event:
        event = self._identity.find(self._dialect, key)
        if event is None:
            raise KeyError(key)
        return event


def find_variants(ruleset: Ruleset, benchmark: str | None, identity: Identity) -> tuple[str, ...]:
    """The benchmark's variants of a log, by the first events of the keys that choose them."""
    variants = ruleset.variants(benchmark)
    if not variants or ruleset.dialect not in identity.dialects:
        return ()
    state = RunState({})
    state.last = _FirstEvents(identity, ruleset.dialect)
    found = []
    for name, applies in variants.items():
        try:
            if applies(NO_EVENT, state):
                found.append(name)
        except EVALUATION_ERRORS:  # the choosing key is not logged: a rule asks for it
            continue
    return tuple(found)
