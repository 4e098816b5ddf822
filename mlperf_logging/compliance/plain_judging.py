"""Judging logs that break no rule, as most do: without making an event of each record and without knowing its place.

This either proves that a log breaks no rule or gives up at the first sign that it may; then the `Judge` judges it. So it
reports nothing and may give up whenever something is out of the ordinary.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from itertools import chain, compress
from math import inf
from typing import Any, NamedTuple, cast

from mlperf_logging.compliance.joining import Joiner
from mlperf_logging.events import Event
from mlperf_logging.parsing.columns import Batch, EventColumns
from mlperf_logging.rules.clauses import ANY, OCCURS, ONCE_EACH
from mlperf_logging.rules.closures import EVALUATION_ERRORS, NO_EVENT, Closure, RunState
from mlperf_logging.rules.formula import Node
from mlperf_logging.rules.rule import Rule
from mlperf_logging.rules.rulesets import CompiledRule, Table
from mlperf_logging.runs.summary import RUN_START, RUN_STOP

_KNOWN_SHAPES = 10_000
"""So many kinds of events that keep the rules of a table are remembered."""

_KNOWN_TABLES = 256
"""So many tables are remembered with their rules arranged."""

_LOGICAL = frozenset({"conditional", "conjunction", "disjunction", "negation"})


class _Cell(NamedTuple):
    """What is judged of one key's events in the order of the log, and what they change; see `CompiledCell`."""

    every: tuple[Closure, ...]
    more: bool
    first: tuple[Closure, ...]
    rest: tuple[Closure, ...]
    targets: tuple[tuple[str, Closure], ...]
    names: tuple[tuple[str, Closure], ...]
    is_counted: bool
    change: tuple[tuple[str, Closure], ...]


class _Part(NamedTuple):
    """Some events of a log: their keys and metadata, and what gives those of them that are wanted."""

    keys: Sequence[str]
    metadatas: Sequence[dict[str, Any]]
    select: Callable[[Sequence[object]], Iterable[Event]]

    @classmethod
    def make(cls, batch: Batch) -> _Part:
        """The events of a batch."""
        if isinstance(batch, EventColumns):
            return cls(batch.records.keys, batch.records.metadatas, batch.make_bare)
        events = cast("list[Event]", batch)
        keys, metadatas = [event[0] for event in events], [event[2] for event in events]
        return cls(keys, metadatas, partial(compress, events))


class PlainRules:
    """The rules of a table, arranged to be judged many events at once.

    Attributes:
        ordered: by key, what is judged event by event: it looks at values, or at what the run has shown so far.
        shapes: by key, what only asks which metadata there are: judged once for all events that have the same.
        once: keys that must be logged exactly once.
        counted: other keys, of which so many events at least, and so many at most, must be logged.
        targets: id and keys of each rule that one event at least must keep.
        pairs: keys whose events must alternate.
        names: rules that require each of a list of names once.
        end: what is judged when the log has ended.
        first_only: keys of which only the first event is judged.
    """

    def __init__(self, table: Table) -> None:
        """Arrange the rules of a table."""
        self.table = table
        self.ordered: dict[str, _Cell] = {}
        self.shapes: dict[str, tuple[Closure, ...]] = {}
        for key, cell in table.entries.items():
            of_shape = tuple([each.holds for each in cell.every if _asks_for_shape(each.rule.node)])
            if of_shape:
                self.shapes[key] = of_shape
            every = tuple([each.holds for each in cell.every if not _asks_for_shape(each.rule.node)])
            targets, names = (
                tuple([(each.rule.id, each.holds) for each in rules]) for rules in (cell.targets, cell.names)
            )
            more = _closures(cell.first), _closures(cell.rest), targets, names, key in table.seen
            if every or any(more) or cell.change or key in (RUN_START, RUN_STOP):
                self.ordered[key] = _Cell(every, any(more), *more, cell.change)
        limits = [_limit(rule) for rule in table.rules if rule.on == OCCURS]
        self.once = [keys[0] for keys, *range_ in limits if len(keys) == 1 and range_ == [1, 1]]
        self.counted = [each for each in limits if len(each[0]) > 1 or each[1:] != (1, 1)]
        self.targets = [(rule.id, rule.key.split("|")) for rule in table.rules if rule.on == ANY]
        self.pairs = [[rule.key, rule.node[1]] for rule in table.rules if rule.node[0] == "alternating"]
        self.names = [rule for rule in table.rules if rule.on == ONCE_EACH]
        self.end = _closures(table.end)
        self.first_only = [key for key, cell in table.entries.items() if cell.first_only]
        self._known: set[tuple[str, ...]] = set()

    def judge(self, batches: Sequence[Batch]) -> RunState | None:
        """What a run has shown that breaks no rule; None where it may break some.

        Args:
            batches: all items of the log, which are events.
        """
        parts = [_Part.make(batch) for batch in batches]
        if self.table.join:
            parts.append(_join_events(parts, self.table.join))
        keys = list(chain.from_iterable([part.keys for part in parts]))
        counts = Counter(keys)
        if not (self._occur(counts) and self._alternate(keys) and all(map(self._have_shapes, parts))):
            return None
        state = RunState(self.table.initial_state)
        found: dict[str, list[str]] = {}
        try:
            for part in parts:
                wanted = list(map(self.ordered.__contains__, part.keys))
                if not self._hold_in_order(part.select(wanted), state, found):
                    return None
            if not all(holds(NO_EVENT, state) for holds in self.end):
                return None
        except EVALUATION_ERRORS:
            return None
        for target, target_keys in self.targets:
            if target not in found and any(key in counts for key in target_keys):
                return None
        for rule in self.names:
            if rule.key in counts and sorted(found.get(rule.id, ())) != sorted(rule.node[3]):
                return None
        entries = self.table.entries
        state.counts = {key: count for key, count in counts.items() if key in entries}
        return state

    def _occur(self, counts: Counter[str]) -> bool:
        """Whether events are logged as often as they should be."""
        if not {1}.issuperset(map(counts.get, self.once)):
            return False
        if not {1, None}.issuperset(map(counts.get, self.first_only)):
            return False  # only the first of them is judged
        return all(least <= sum(map(counts.__getitem__, keys)) <= most for keys, least, most in self.counted)

    def _have_shapes(self, part: _Part) -> bool:
        """Whether events have the metadata that they should have."""
        rules = self.shapes
        pairs = zip(part.keys, part.metadatas, strict=True)
        for shape in {(key, *names) for key, names in pairs if key in rules} - self._known:
            key, *names = shape
            event = NO_EVENT._replace(key=key, metadata=dict.fromkeys(names))
            if not all(holds(event, RunState({})) for holds in rules[key]):
                return False
            if len(self._known) < _KNOWN_SHAPES:
                self._known.add(shape)
        return True

    def _alternate(self, keys: Sequence[str]) -> bool:
        """Whether events that should alternate do."""
        for pair in self.pairs:
            both = list(filter(frozenset(pair).__contains__, keys))
            if both != pair * (len(both) // 2):
                return False
        return True

    def _hold_in_order(self, events: Iterable[Event], state: RunState, found: dict[str, list[str]]) -> bool:
        """Judge events one by one; `found` takes in the ids of targets that they meet, and the names that they log."""
        ordered = self.ordered
        words, last, counts, first_ms = state.words, state.last, state.counts, state.first_ms
        for event in events:
            key = event[0]
            every, more, first, rest, targets, names, is_counted, change = ordered[key]
            for holds in every:
                if not holds(event, state):
                    return False
            if more:
                for holds in rest if key in last else first:
                    if not holds(event, state):
                        return False
                for target, holds in targets:
                    if holds(event, state):
                        found.setdefault(target, [])
                for rule, read in names:
                    found.setdefault(rule, []).append(str(read(event, state)))
                if is_counted:
                    counts[key] = counts.get(key, 0) + 1
            if key not in last:
                first_ms[key] = event[3]
            for word, read in change:
                words[word] = read(event, state)
            last[key] = event
        return True


@lru_cache(maxsize=_KNOWN_TABLES)
def arrange_rules(table: Table) -> PlainRules:
    """The rules of a table, arranged to be judged many events at once."""
    return PlainRules(table)


def _join_events(parts: Iterable[_Part], join: dict[str, str]) -> _Part:
    """The joined events, which are judged at the end."""
    joiner = Joiner(join)
    for part in parts:
        for event in part.select([key == join["of"] for key in part.keys]):
            joiner.take(event)
    return _Part.make(list(joiner.events()))


def _closures(rules: Sequence[CompiledRule]) -> tuple[Closure, ...]:
    return tuple([each.holds for each in rules])


def _asks_for_shape(node: Node) -> bool:
    """Whether a formula asks for nothing but which metadata an event has."""
    if node[0] in _LOGICAL:
        return all(_asks_for_shape(part) for part in node[1:])
    return node[0] in ("true", "false") or (node[0] == "present" and node[1][0] == "meta")


def _limit(rule: Rule) -> tuple[list[str], float, float]:
    """The keys that a rule counts, and how often they must be logged at least and at most."""
    kind, *operands = rule.node
    keys = rule.key.split("|")
    if kind == "at_least_one_of":
        return [*keys, operands[0]], 1, inf
    least = {"exactly_one": 1, "at_least_one": 1, "at_least": operands[0] if operands else 0}.get(kind, 0)
    return keys, least, 1 if kind == "exactly_one" else inf
