"""Quality targets: what at least one evaluation of a run must satisfy, and the numbers that it must reach.

The targets are the ``reaches`` clauses of the rule files, strict ones included (one old round states its targets
only there), the target that the log states itself, or a formula that the caller gives. The judge tries all of them
in its one pass over the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mlperf_logging.compliance.joining import identify_evaluation
from mlperf_logging.errors import RuleError, UsageError
from mlperf_logging.events import Division, Event
from mlperf_logging.rules.clauses import ANY
from mlperf_logging.rules.closures import EVALUATION_ERRORS, RunState, compile_formula
from mlperf_logging.rules.formula import Node, parse_formula, walk
from mlperf_logging.rules.rule import Rule
from mlperf_logging.rules.rulesets import CompiledCell, CompiledRule, Ruleset, Table
from mlperf_logging.runs.evaluations import EVALUATION_KEYS, Evaluation
from mlperf_logging.runs.progress import to_float

AT_LEAST, AT_MOST = "at least", "at most"
LOGGED_TARGET = "eval_target"
_SANITY = (0, 1)
"""Bounds that only say that a share is a share; no target lies there."""

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NAMING = frozenset({"logged", "count", "minutes_since"})
_NO_RULES = CompiledCell((), (), (), (), (), False, False, False, (), (), False)


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


def find_targets(
    ruleset: Ruleset, division: str | None, benchmark: str | None, variants: tuple[str, ...] = ()
) -> list[Rule]:
    """The targets of one kind of run; none where the round states none.

    A clause that only bounds a share by 0 and 1 is not a target. Where a division states no other, the closed
    division's target is given, and its text says so.
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
) -> list[Rule]:
    rules = ruleset.table(division, benchmark, variants, strict=True).rules
    return [
        rule
        for rule in rules
        if rule.on == ANY and set(rule.key.split("|")) <= set(EVALUATION_KEYS) and _says_something(rule.node)
    ]


def read_target(text: str) -> Rule:
    """A target that a caller states, in the formula language of the rules: ``value >= 0.759``, ``value.NAME < 1``.

    Raises:
        UsageError: the text is not a formula.
    """
    try:
        node = parse_formula(text)
        compile_formula(node)
    except RuleError as error:
        raise UsageError(f"the target is not a formula such as 'value >= 0.759': {error}") from None
    return Rule(
        id="given-target",
        code="MLP403",
        key="|".join(EVALUATION_KEYS),
        on=ANY,
        node=node,
        text=text,
        severity="error",
        level=None,
        scope="given",
    )


def read_logged_target(event: Event | None) -> list[Rule]:
    """The target that a log states itself, as ``eval_target``; none where it states none that can be reached."""
    if event is None or isinstance(event.value, bool) or not isinstance(event.value, (int, float)):
        return []
    # The oldest dialect has an object as the value of an evaluation.
    place = "value.value" if event.benchmark is not None else "value"
    try:  # nothing reaches one that is infinite, or too large for a formula or to be written
        target = read_target(f"{place} >= {event.value!r}")
    except (UsageError, ValueError):
        return []
    return [target._replace(text=f"value >= {event.value!r} (logged {LOGGED_TARGET})")]


def add_targets(table: Table, targets: Iterable[Rule]) -> Table:
    """A table that also tries targets that are none of its own; missing them breaks no rule."""
    own = {rule.id for rule in table.rules}
    others = [target for target in targets if target.id not in own]
    if not others:
        return table
    entries, seen = dict(table.entries), set(table.seen)
    for target in others:
        compiled = CompiledRule(target, compile_formula(target.node, frozenset(table.initial_state)))
        for key in target.key.split("|"):
            entry = entries.get(key, _NO_RULES)
            entries[key] = entry._replace(targets=(*entry.targets, compiled), more=True)
        for key in [part[1] for part in walk(target.node) if part[0] in _NAMING]:
            entries.setdefault(key, _NO_RULES)
            seen.add(key)
    return Table(entries, table.end, table.initial_state, table.join, table.rules, frozenset(seen))


def list_bounds(
    targets: Iterable[Rule], evaluations: Iterable[Evaluation], events: Mapping[str, Event]
) -> tuple[Bound, ...]:
    """The numbers that targets ask for, to be drawn as lines.

    Bounds of 0 and 1 are left out: they only bound a share. Of alternatives (a score of 24 or of 0.24) the
    one nearest to what was logged counts; of conditions, the branch that holds for what was logged. `events` are the
    last of each key.
    """
    values = {each.metric: to_float(each.value) for each in evaluations if each.value is not None}
    state = RunState({})
    state.last = dict(events)
    found: dict[str | None, list[Bound]] = {}
    for target in targets:
        for bound in _find_bounds(target.node, state):
            found.setdefault(bound.metric, []).append(bound)
    kept = []
    for metric, bounds in found.items():
        wanted = [bound for bound in bounds if bound.value not in _SANITY]
        logged = values.get(metric)
        if logged is not None:
            wanted.sort(key=lambda bound: abs(bound.value - logged))
        kept += wanted[:1]
    return tuple(kept)


def find_missing(
    evaluations: Iterable[Evaluation], bounds: Iterable[Bound], join: Mapping[str, str] | None
) -> frozenset[bytes | str]:
    """Evaluations that miss a number of the target, although they may meet an alternative of its formula.

    A rule that takes 25 or 0.25 for one and the same score takes 0.4 of 100 for more than 25: the log's own scale says
    which of the two is meant. Given are the identities (see `identify_evaluation`) of the evaluations of which no value
    of some metric is within its bound.
    """
    wanted = {bound.metric: bound for bound in bounds}
    within: dict[tuple[bytes | str, str | None], bool] = {}
    for each in evaluations:
        bound = wanted.get(each.metric)
        if bound is not None and each.value is not None:
            good = each.value >= bound.value if bound.direction == AT_LEAST else each.value <= bound.value
            place = (identify_evaluation(each.event, join), each.metric)
            within[place] = within.get(place, False) or good
    return frozenset([name for (name, _), good in within.items() if not good])


def _says_something(node: Node) -> bool:
    return any(bound.value not in _SANITY for bound in _find_bounds(node, RunState({})))


def _find_bounds(node: Node, state: RunState) -> Iterable[Bound]:
    name, *rest = node
    if name in ("conjunction", "disjunction"):
        for part in rest:
            yield from _find_bounds(part, state)
    elif name == "conditional":
        then, condition, otherwise = rest
        yield from _find_bounds(then if _holds(condition, state) else otherwise, state)
    elif name == "comparison":
        for left, sign, right in zip(rest[::2], rest[1::2], rest[2::2], strict=False):
            for subject, number, word in ((left, right, sign), (right, left, _FLIPPED.get(sign, sign))):
                value, metric = _read_number(number), _name_metric(subject)
                if value is not None and metric is not None and word in _FLIPPED:
                    direction = AT_LEAST if word.startswith(">") else AT_MOST
                    yield Bound(metric or None, direction, value)


def _holds(condition: Node, state: RunState) -> bool:
    """Whether a condition on other keys holds; without any log, the first branch of a formula stands for it."""
    event = next(iter(state.last.values()), None)
    try:
        return event is None or bool(compile_formula(condition)(event, state))
    except EVALUATION_ERRORS:  # the value is missing or of another kind
        return False


def _read_number(node: Node) -> float | None:
    if node[0] == "negative" and node[1][0] == "number":
        return -float(node[1][1])
    return float(node[1]) if node[0] == "number" else None


def _name_metric(node: Node) -> str | None:
    """The metric that a place stands for: its last name; "" for the value itself; None where it is not a value."""
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
