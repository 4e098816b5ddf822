"""Violations as data: which rule is broken, how, by which event, and what the log showed at that time.

The judge makes them; `messages` puts them into words once the log has been judged.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mlperf_logging.events import Event, Severity
from mlperf_logging.rules.closures import EVALUATION_ERRORS, RunState, Unevaluable, compile_formula
from mlperf_logging.rules.formula import Node, walk
from mlperf_logging.rules.rule import Rule
from mlperf_logging.runs.kept_events import crop_value

BROKEN, MORE, MISSING, REPETITION = "broken", "more", "missing", "repetition"
UNMET, UNEVALUABLE, AT_END, NAMES = "unmet", "unevaluable", "at end", "names"
UNFOLLOWED, UNPRECEDED, UNFINISHED = "unfollowed", "unpreceded", "unfinished"
"""Kinds of violations of events that should alternate: two in a row, the second without the first, a last one."""

_SHOWN_BYTES = 1 << 12
"""More of a value than a message shows."""

ABSENT = object()
"""Stands for the value of a place that the log does not have."""

_PLACES = frozenset(
    {"value", "meta", "event", "state", "logged", "count", "minutes_since", "previous", "field", "index"}
)


_OF_ABSENCE = frozenset({MISSING, UNFOLLOWED, UNPRECEDED, UNFINISHED})


class Violation(NamedTuple):
    """One breach of one rule.

    Attributes:
        rule: the rule.
        kind: how it is broken: `BROKEN`, `MISSING`, ….
        event: the event that is blamed, or None.
        evidence: what the log showed, by kind: an `Evidence` for a formula (`BROKEN`, `UNMET`, `UNEVALUABLE`, `AT_END`),
            a `Repetition`, an `Absence` (`MISSING`), the number of further breaches (`MORE`), the opening event
            (`UNFOLLOWED`), or name to count (`NAMES`).
    """

    rule: Rule
    kind: str
    event: Event | None = None
    evidence: Any = None

    @property
    def code(self) -> str:
        """``MLPxxx``; a repeated key has another code than a missing one."""
        code = self.rule.code
        if self.kind != REPETITION:
            return code
        from mlperf_logging.rules.codes import CONFLICTING, REPEATED

        return (CONFLICTING if self.evidence.differs else REPEATED).get(code, code)

    @property
    def severity(self) -> Severity:
        """That of the rule; for a repetition, an error if the values differ, else a warning."""
        if self.kind != REPETITION:
            return Severity(self.rule.severity)
        return Severity.ERROR if self.evidence.differs else Severity.WARNING


class Evidence(NamedTuple):
    """What a formula looked at.

    Attributes:
        places: each place of the formula and its value, `ABSENT` if the log has none.
        error: what evaluating the formula raised, or None.
        part: the part of the formula that could not be evaluated, or None.
    """

    places: tuple[tuple[Node, Any], ...]
    error: Exception | None = None
    part: Node | None = None


class Repetition(NamedTuple):
    """A key that is logged more than once: the first value and those that differ from it, and how often it is."""

    values: list[Any]
    times: int

    @property
    def differs(self) -> bool:
        """Whether the values differ."""
        return len(self.values) > 1


class Absence(NamedTuple):
    """A key that is not logged often enough, and the line of each key that no rule knows: it may be misspelled."""

    times: int
    unknown: dict[str, int]


def collect_evidence(node: Node, event: Event, state: RunState, error: Exception | None = None) -> Evidence:
    """What a formula looked at, for a message; the error is what evaluating it raised."""
    places = tuple([(part, _evaluate(part, event, state)) for part in list_places(node)])
    values = tuple(
        [
            (part, ABSENT if isinstance(value, Exception) else crop_value(value, _SHOWN_BYTES))
            for part, value in places
        ]
    )
    if error is None:
        return Evidence(values)
    for part in walk(node):
        if part[0] in _PLACES:
            value = _evaluate(part, event, state)
            if isinstance(value, Unevaluable):
                return Evidence(values, value)
            if isinstance(value, Exception):
                return Evidence(values, value, part)
    return Evidence(values, error.with_traceback(None))


def list_places(node: Node) -> list[Node]:
    """The outermost parts of a formula that look at the log."""
    if node[0] in _PLACES:
        return [node]
    return [place for part in node[1:] if isinstance(part, list) for place in list_places(part)]


def _evaluate(node: Node, event: Event, state: RunState) -> Any:
    """The value of a part of a formula, or the exception that says why it has none."""
    words = frozenset(part[1] for part in walk(node) if part[0] == "state")
    try:
        return compile_formula(node, words)(event, state)
    except EVALUATION_ERRORS as error:
        return error.with_traceback(None)


def may_follow_from(violation: Violation, damaged: Mapping[str, int]) -> bool:
    """Whether a violation may follow from nothing but records that cannot be read.

    So do events that are missing or unpaired, a target that no readable evaluation meets, and formulas that look at
    what is missing.

    Args:
        violation: of the log.
        damaged: key of each unreadable record to the line of its last one.
    """
    rule, kind = violation.rule, violation.kind
    keys = {*rule.key.split("|"), *(part for part in rule.node[1:] if isinstance(part, str))}
    if kind in _OF_ABSENCE:
        return not keys.isdisjoint(damaged)
    if kind == UNMET and violation.event is not None:
        return any(damaged.get(key, 0) > violation.event.line for key in keys)
    part = getattr(violation.evidence, "part", None)
    if part is None or part[0] not in ("logged", "minutes_since", "previous"):
        return False
    name = part[1]  # of `previous` it may be a place, as in value.x
    return isinstance(name, str) and name in damaged
