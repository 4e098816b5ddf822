"""Quality targets: the rules that say what a run must reach, and which of its evaluations reach it.

The targets are the ``reaches`` clauses of the rule files, strict ones included (one old round states its targets
only there), or a formula that the caller gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from mlperf_logging.compliance.joining import Joiner
from mlperf_logging.errors import RuleError, UsageError
from mlperf_logging.events import Division, Event
from mlperf_logging.rules.closures import TROUBLES, Closure, Memory, compile_formula
from mlperf_logging.rules.formula import Node, parse_formula, walk
from mlperf_logging.rules.rulesets import Ruleset, Table
from mlperf_logging.runs.run import EVALUATION_KEYS, Evaluation

AT_LEAST, AT_MOST = "at least", "at most"
LOGGED_TARGET = "eval_target"
_SANITY = (0, 1)
"""Bounds that only say that a share is a share; no target lies there."""

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Bound(NamedTuple):
    """One number that a metric must reach.

    Attributes:
        metric: name of the metric; None where an evaluation gives one value.
        direction: `AT_LEAST` or `AT_MOST`.
        value: the number, in the metric's unit.
    """

    metric: str | None
    direction: str
    value: float


class Target(NamedTuple):
    """What at least one evaluation of a run must satisfy.

    Attributes:
        keys: log keys of the events that it is tested on.
        text: the formula as written.
        node: its syntax tree.
        holds: the formula, compiled.
        source: id of the rule, or "given" for one that the caller gave.
    """

    keys: tuple[str, ...]
    text: str
    node: Node
    holds: Closure
    source: str


def find_targets(
    ruleset: Ruleset, division: str | None, benchmark: str | None, variants: tuple[str, ...] = ()
) -> list[Target]:
    """The targets of one kind of run; none where the round states none.

    A clause that only says that a share is a share is no target. Where a division states no other, the closed
    division's target is given, and its text says so.

    Args:
        ruleset: the round's rules.
        division: "closed", "open" or None.
        benchmark: a benchmark of the round, or None.
        variants: the benchmark's variants that apply.
    """
    if benchmark not in ruleset.benchmarks:
        return []
    found = _list_targets(ruleset, division, benchmark, variants)
    if not found and division != Division.CLOSED and ruleset.has_divisions:
        found = [
            target._replace(text=f"{target.text} ({Division.CLOSED} division)")
            for target in _list_targets(ruleset, Division.CLOSED, benchmark, variants)
        ]
    return found


def _list_targets(
    ruleset: Ruleset, division: str | None, benchmark: str | None, variants: tuple[str, ...]
) -> list[Target]:
    table = ruleset.table(division, benchmark, variants, strict=True)
    words = frozenset(table.initial_state)
    found = []
    for rule in table.rules:
        keys = tuple(rule.key.split("|"))
        if rule.on == "any" and set(keys) <= set(EVALUATION_KEYS) and _says_something(rule.node):
            found.append(Target(keys, rule.text, rule.node, compile_formula(rule.node, words), rule.id))
    return found


def read_target(text: str, shown: str = "") -> Target:
    """A target that a caller states, in the formula language of the rules: ``value >= 0.759``.

    Args:
        text: the formula; ``value`` is what an evaluation gave, ``value.NAME`` one of its metrics.
        shown: text to show in its place.

    Raises:
        UsageError: the text is no formula.
    """
    try:
        node = parse_formula(text)
        return Target(EVALUATION_KEYS, shown or text, node, compile_formula(node), "given")
    except RuleError as trouble:
        raise UsageError(f"the target is no formula such as 'value >= 0.759': {trouble}") from None


def read_logged_target(events: Mapping[str, Event]) -> list[Target]:
    """The target that a log states itself, as ``eval_target``; none where it states none.

    Args:
        events: key to its last event.
    """
    event = events.get(LOGGED_TARGET)
    if event is None or isinstance(event.value, bool) or not isinstance(event.value, (int, float)):
        return []
    place = (
        "value.value" if event.benchmark is not None else "value"
    )  # the oldest dialect has an object there
    return [read_target(f"{place} >= {event.value!r}", f"value >= {event.value!r} (logged {LOGGED_TARGET})")]


def find_meeting(
    events: Iterable[Event], targets: Sequence[Target], table: Table
) -> tuple[frozenset[Any], ...]:
    """Go through a run's events and tell which evaluations meet each target.

    Args:
        events: the log's events, in its order.
        targets: what must be met.
        table: the rules of the run's kind: what they say of state and of joined events holds for formulas.

    Returns:
        For each target the identities (see `identify`) of the evaluations that meet it.
    """
    memory = Memory(table.initial_state)
    joiner = Joiner(table.join) if table.join else None
    meeting: tuple[set[Any], ...] = tuple([set[Any]() for _ in targets])

    def look(event: Event) -> None:
        for target, found in zip(targets, meeting, strict=True):
            if event.key in target.keys and _holds(target.holds, event, memory):
                found.add(identify(event, table.join))
        _remember(event, memory, table)

    for event in events:
        look(event)
        if joiner is not None and event.key == joiner.source:
            joiner.take(event)
    if joiner is not None:
        for event in joiner.events():
            look(event)
    return tuple([frozenset(found) for found in meeting])


def identify(event: Event, join: Mapping[str, str] | None) -> Any:
    """What tells an evaluation from others: its record, or what joined events are joined by.

    Args:
        event: an event of an evaluation, or a joined one.
        join: how the benchmark's events are joined, or None.
    """
    if join is not None and event.key == join["key"]:
        return repr(event.value.get(join["by"]))
    if join is not None and event.key == join["of"] and join["by"] in event.metadata:
        return repr(event.metadata[join["by"]])
    return event.raw.rstrip()


def list_bounds(
    targets: Iterable[Target], values: Mapping[str | None, float], events: Mapping[str, Event]
) -> list[Bound]:
    """The numbers that targets ask for, to be drawn as lines.

    Bounds of 0 and 1 are left out: they say that a share is a share. Of alternatives (a score of 24 or of 0.24) the
    one nearest to what was logged counts; of conditions, the branch that holds for what was logged.

    Args:
        targets: the targets.
        values: metric to a value that was logged of it, None for the only metric.
        events: key to its last event, for conditions that look at other keys.
    """
    memory = Memory({})
    memory.last = dict(events)
    found: dict[str | None, list[Bound]] = {}
    for target in targets:
        for bound in _find_bounds(target.node, memory):
            found.setdefault(bound.metric, []).append(bound)
    kept = []
    for metric, bounds in found.items():
        wanted = [bound for bound in bounds if bound.value not in _SANITY]
        logged = values.get(metric)
        if logged is not None:
            wanted.sort(key=lambda bound: abs(bound.value - logged))
        kept += wanted[:1]
    return kept


def find_missing(
    evaluations: Iterable[Evaluation], bounds: Iterable[Bound], join: Mapping[str, str] | None
) -> frozenset[Any]:
    """Evaluations that miss a number of the target, although they may meet an alternative of its formula.

    A rule that takes 25 or 0.25 for one and the same score takes 0.4 of 100 for more than 25: the log's own scale says
    which of the two is meant.

    Args:
        evaluations: of the run.
        bounds: from `list_bounds`.
        join: how the benchmark's events are joined, or None.

    Returns:
        Identities of the evaluations of which no value of some metric is within its bound.
    """
    wanted = {bound.metric: bound for bound in bounds}
    within: dict[tuple[Any, str | None], bool] = {}
    for each in evaluations:
        bound = wanted.get(each.metric)
        if bound is not None and each.value is not None:
            good = each.value >= bound.value if bound.direction == AT_LEAST else each.value <= bound.value
            place = (identify(each.event, join), each.metric)
            within[place] = within.get(place, False) or good
    return frozenset([name for (name, _), good in within.items() if not good])


def _says_something(node: Node) -> bool:
    return any(bound.value not in _SANITY for bound in _find_bounds(node, Memory({})))


def _holds(closure: Closure, event: Event, memory: Memory) -> bool:
    try:
        return bool(closure(event, memory))
    except TROUBLES:  # the value is missing or of another kind: not met
        return False


def _remember(event: Event, memory: Memory, table: Table) -> None:
    key = event.key
    memory.first_ms.setdefault(key, event.time_ms)
    memory.counts[key] = memory.counts.get(key, 0) + 1
    entry = table.entries.get(key)
    if entry is not None:
        for word, closure in entry.change:
            try:
                memory.state[word] = closure(event, memory)
            except TROUBLES:
                continue
    memory.last[key] = event


def _find_bounds(node: Node, memory: Memory) -> Iterable[Bound]:
    name, *rest = node
    if name in ("conjunction", "disjunction"):
        for part in rest:
            yield from _find_bounds(part, memory)
    elif name == "conditional":
        then, condition, otherwise = rest
        event = next(iter(memory.last.values()), None)
        holds = event is None or _holds(compile_formula(condition), event, memory)
        yield from _find_bounds(then if holds else otherwise, memory)
    elif name == "comparison":
        for left, sign, right in zip(rest[::2], rest[1::2], rest[2::2], strict=False):
            for subject, number, word in ((left, right, sign), (right, left, _FLIPPED.get(sign, sign))):
                value, metric = _read_number(number), _name_metric(subject)
                if value is not None and metric is not None and word in _FLIPPED:
                    direction = AT_LEAST if word.startswith(">") else AT_MOST
                    yield Bound(metric or None, direction, value)


def _read_number(node: Node) -> float | None:
    if node[0] == "negative" and node[1][0] == "number":
        return -float(node[1][1])
    return float(node[1]) if node[0] == "number" else None


def _name_metric(node: Node) -> str | None:
    """The metric that a place stands for: its last name; "" for the value itself; None where it is no value."""
    if ["value"] not in walk(node):
        return None
    if node[0] == "conditional":
        return _name_metric(node[1])
    if node[0] == "call":
        return _name_metric(node[2])
    if node[0] == "field":
        return str(node[2])
    if node[0] == "index" and node[2][0] == "number":
        return str(node[2][1])
    return "" if node[0] == "value" else None
