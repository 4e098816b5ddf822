"""Compiling formulas: a syntax tree into a closure ``(event, state) -> value``, once per ruleset.

Nothing is evaluated by name: every node, function and event field is in a closed list here, arithmetic
takes numbers only, and exponents are bounded, so that no rule and no log can make the judge run code, hang
or fill memory.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from mlperf_logging.errors import RuleError
from mlperf_logging.events import Event, minutes_between
from mlperf_logging.rules.formula import Node

MAX_EXPONENT = 64
MAX_POWER_BITS = 4096
MAX_PRODUCT_BITS = 1 << 16
MAX_LIST = 10_000


class RunState:
    """What a run has shown so far; the only state that formulas can see.

    Attributes:
        words: state words of the ruleset and their values ("run_started": True).
        last: the latest judged event of each key.
        first_ms: time of the first event of each key, in milliseconds.
        counts: number of events of each key so far.
    """

    __slots__ = ("counts", "first_ms", "last", "words")

    def __init__(self, initial_words: dict[str, Any]) -> None:
        self.words = dict(initial_words)
        self.last: dict[str, Event] = {}
        self.first_ms: dict[str, float] = {}
        self.counts: dict[str, int] = {}


Closure = Callable[[Event, RunState], Any]


class Unevaluable(Exception):  # noqa: N818 - not an error of the program: the log lacks what the formula needs
    """A formula cannot be evaluated on this event; the text says what was missing or of the wrong kind."""


EVALUATION_ERRORS = (Unevaluable, TypeError, ValueError, LookupError, ArithmeticError)
"""What a formula may raise because of the log. Anything else is a fault of the rule or of the program."""

_CONSTANTS = frozenset({"false", "infinity", "null", "number", "string", "true"})
NO_EVENT = Event("", None, {}, 0, 0, 0, b"")
"""What formulas get that are evaluated without an event."""

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


_KINDS = {type(None): "null", str: "text", dict: "object"}


def _number(value: Any) -> int | float:
    # Booleans count as 1 and 0, as they do in the public checks.
    if isinstance(value, (int, float)):
        return value
    raise Unevaluable(f"{name_kind(value)} where a number is needed")


def name_kind(value: Any) -> str:
    """The JSON kind of a value, in the words that messages and ``kind()`` use."""
    return _KINDS.get(type(value), type(value).__name__)


def _power(base: Any, exponent: Any) -> Any:
    base, exponent = _number(base), _number(exponent)
    if abs(exponent) > MAX_EXPONENT:
        raise Unevaluable(f"the exponent {exponent} is beyond {MAX_EXPONENT}")
    if isinstance(base, int) and base.bit_length() * exponent > MAX_POWER_BITS:
        raise Unevaluable(f"{base} ^ {exponent} is too large")
    result = base**exponent
    if isinstance(result, complex):
        raise Unevaluable(f"{base} ^ {exponent} is not a real number")
    return result


def _product(left: float, right: float) -> float:
    both_whole = isinstance(left, int) and isinstance(right, int)
    if both_whole and int(left).bit_length() + int(right).bit_length() > MAX_PRODUCT_BITS:
        raise Unevaluable("the product is too large")
    return left * right


def _append(values: Any, value: Any) -> list[Any]:
    if _length(values) >= MAX_LIST:
        raise Unevaluable(f"the list is longer than {MAX_LIST}")
    return [*values, value]


def _is_whole(value: Any) -> bool:
    """True within 1e-5 of a whole number, as the public checks have it."""
    value = _number(value)
    return bool(abs(round(value) - value) < 1e-5)


def _length(value: Any) -> int:
    if isinstance(value, (list, str, dict)):
        return len(value)
    raise Unevaluable(f"{name_kind(value)} has no length")


def _is_finite(value: Any, word: str = "") -> bool:
    """Whether no number is infinite or NaN, as text neither; with a word, of those in objects under names with it."""
    if value.__class__ is float:
        return bool(word) or math.isfinite(value)
    if isinstance(value, dict):
        for name, part in value.items():
            if part.__class__ is float:  # most parts are, and there may be many events
                if word in name and not math.isfinite(part):
                    return False
            elif part.__class__ is not int and not _is_finite(part, "" if word in name else word):
                return False
        return True
    if isinstance(value, list):
        return all(_is_finite(part, word) for part in value)
    if word or not isinstance(value, (float, str)):
        return True
    try:
        return math.isfinite(float(value))
    except ValueError:  # another text
        return True


FUNCTIONS: dict[str, tuple[Callable[..., Any], int | None]] = {
    "abs": (lambda x: abs(_number(x)), 1),
    "append": (_append, 2),
    "ceil": (lambda x: math.ceil(_number(x)), 1),
    "close": (lambda a, b: math.isclose(_number(a), _number(b), rel_tol=1e-9), 2),
    "finite": (_is_finite, None),
    "floor": (lambda x: math.floor(_number(x)), 1),
    "int": (int, 1),
    "integer": (_is_whole, 1),
    "kind": (name_kind, 1),
    "length": (_length, 1),
    "log2": (lambda x: math.log2(_number(x)), 1),
    "max": (lambda *xs: max(map(_number, xs)), None),
    "number": (float, 1),
    "min": (lambda *xs: min(map(_number, xs)), None),
}
"""The functions of the formula language: name to (function, number of arguments; None for any)."""

EVENT_FIELDS: dict[str, Callable[[Event], Any]] = {
    "benchmark": lambda event: event.benchmark,
    "seconds": lambda event: event.time_ms / 1000,
    "time_ms": lambda event: event.time_ms,
}
"""What ``event.X`` may name."""


def compile_formula(node: Node, state_words: frozenset[str] = frozenset()) -> Closure:
    """A closure that evaluates the formula on an event; names of state words are checked.

    Raises:
        RuleError: an unknown node, function, event field or state word, or a wrong number of arguments.
    """
    name = node[0] if node and isinstance(node[0], str) else "?"
    build = _BUILDERS.get(name)
    if build is None:
        raise RuleError(f"{name!r} is not part of the formula language")
    return build(node[1:], state_words)


def _constant(value: Any) -> Callable[[Node, frozenset[str]], Closure]:
    return lambda _operands, _words: lambda _event, _run_state: value


def _literal(operands: Node, _words: frozenset[str]) -> Closure:
    value = operands[0]
    return lambda _event, _run_state: value


def _value(_operands: Node, _words: frozenset[str]) -> Closure:
    return lambda event, _run_state: event[1]


def _meta(operands: Node, _words: frozenset[str]) -> Closure:
    name = operands[0]

    def read_meta(event: Event, _run_state: RunState) -> Any:
        return event[2][name]

    return read_meta


def _event(operands: Node, _words: frozenset[str]) -> Closure:
    read = EVENT_FIELDS.get(operands[0])
    if read is None:
        raise RuleError(f"event.{operands[0]} is not known; known: {', '.join(sorted(EVENT_FIELDS))}")
    return lambda event, _run_state: read(event)


def _state(operands: Node, words: frozenset[str]) -> Closure:
    name = operands[0]
    if name not in words:
        raise RuleError(
            f"state.{name} is not a state word of this ruleset; known: {', '.join(sorted(words))}"
        )
    return lambda _event, state: state.words[name]


def _logged(operands: Node, _words: frozenset[str]) -> Closure:
    key = operands[0]
    return lambda _event, state: state.last[key][1]


def _count(operands: Node, _words: frozenset[str]) -> Closure:
    key = operands[0]
    return lambda _event, state: state.counts.get(key, 0)


def _minutes_since(operands: Node, _words: frozenset[str]) -> Closure:
    key = operands[0]
    return lambda event, state: minutes_between(state.first_ms[key], event.time_ms)


def _previous(operands: Node, words: frozenset[str]) -> Closure:
    inner = compile_formula(operands[0], words)
    return lambda event, state: inner(state.last[event.key], state)


def _field(operands: Node, words: frozenset[str]) -> Closure:
    inner, name = compile_formula(operands[0], words), operands[1]

    def read_field(event: Event, state: RunState) -> Any:
        container = inner(event, state)
        if isinstance(container, dict):
            return container[name]
        raise Unevaluable(f"{name_kind(container)} has no field {name!r}")

    return read_field


def _index(operands: Node, words: frozenset[str]) -> Closure:
    inner, position = (compile_formula(operand, words) for operand in operands)

    def read_index(event: Event, state: RunState) -> Any:
        container, place = inner(event, state), position(event, state)
        if isinstance(container, list):
            return container[place]
        raise Unevaluable(f"{name_kind(container)} has no element {place}")

    return read_index


def _present(operands: Node, words: frozenset[str]) -> Closure:
    place = operands[0]
    if place[0] == "meta":
        name = place[1]
        return lambda event, _run_state: name in event[2]
    inner = compile_formula(place, words)

    def is_present(event: Event, state: RunState) -> bool:
        try:
            inner(event, state)
        except EVALUATION_ERRORS:
            return False
        return True

    return is_present


def _call(operands: Node, words: frozenset[str]) -> Closure:
    name, arguments = operands[0], [compile_formula(operand, words) for operand in operands[1:]]
    if name not in FUNCTIONS:
        raise RuleError(f"unknown function {name!r}; known: {', '.join(sorted(FUNCTIONS))}")
    function, arity = FUNCTIONS[name]
    if arity is not None and arity != len(arguments):
        raise RuleError(f"{name}() takes {arity} argument{'s' * (arity != 1)}, not {len(arguments)}")
    if arity == 1:
        (only,) = arguments
        return lambda event, state: function(only(event, state))
    if len(arguments) == 2:
        first, second = arguments
        return lambda event, state: function(first(event, state), second(event, state))
    return lambda event, state: function(*[argument(event, state) for argument in arguments])


def _comparison(operands: Node, words: frozenset[str]) -> Closure:
    left, symbol, right = operands[:3]
    if symbol not in _COMPARE:
        raise RuleError(f"{symbol!r} is not a comparison")
    holds = _COMPARE[symbol]
    first, second = compile_formula(left, words), compile_formula(right, words)
    if len(operands) == 3 and right[0] in _CONSTANTS:  # most comparisons; each call less counts
        constant = second(NO_EVENT, RunState({}))
        if left == ["value"]:
            return lambda event, _run_state: holds(event[1], constant)
        if left[0] == "meta":
            name = left[1]
            return lambda event, _run_state: holds(event[2][name], constant)
        return lambda event, state: holds(first(event, state), constant)
    if len(operands) == 3:
        return lambda event, state: holds(first(event, state), second(event, state))
    rest = _comparison(operands[2:], words)
    return lambda event, state: holds(first(event, state), second(event, state)) and rest(event, state)


def _membership(operands: Node, words: frozenset[str]) -> Closure:
    subject = compile_formula(operands[0], words)
    # A tuple, not a set: values of a log may be lists and objects, which cannot be hashed.
    for choice in operands[1:]:
        if choice[0] not in _CONSTANTS:
            raise RuleError(f"{choice[0]!r} cannot be in a set")
    choices = tuple([compile_formula(choice, words)(NO_EVENT, RunState({})) for choice in operands[1:]])
    return lambda event, state: subject(event, state) in choices


def _conjunction(operands: Node, words: frozenset[str]) -> Closure:
    parts = [compile_formula(operand, words) for operand in operands]

    def all_hold(event: Event, state: RunState) -> bool:
        for part in parts:  # noqa: SIM110 - all() over a generator costs twice as much here
            if not part(event, state):
                return False
        return True

    return all_hold


def _disjunction(operands: Node, words: frozenset[str]) -> Closure:
    parts = [compile_formula(operand, words) for operand in operands]

    def any_holds(event: Event, state: RunState) -> bool:
        for part in parts:  # noqa: SIM110 - as above
            if part(event, state):
                return True
        return False

    return any_holds


def _negation(operands: Node, words: frozenset[str]) -> Closure:
    inner = compile_formula(operands[0], words)
    return lambda event, state: not inner(event, state)


def _conditional(operands: Node, words: frozenset[str]) -> Closure:
    then, condition, otherwise = (compile_formula(operand, words) for operand in operands)
    return lambda event, state: then(event, state) if condition(event, state) else otherwise(event, state)


def _negative(operands: Node, words: frozenset[str]) -> Closure:
    inner = compile_formula(operands[0], words)
    return lambda event, state: -_number(inner(event, state))


def _arithmetic(
    apply: Callable[[Any, Any], Any], *, divides: bool = False
) -> Callable[[Node, frozenset[str]], Closure]:
    def build(operands: Node, words: frozenset[str]) -> Closure:
        if divides and operands[1:] == [["number", 0]]:
            raise RuleError("the formula divides by zero")
        left, right = (compile_formula(operand, words) for operand in operands)
        return lambda event, state: apply(_number(left(event, state)), _number(right(event, state)))

    return build


def _raised(operands: Node, words: frozenset[str]) -> Closure:
    sign, number = (-1, operands[1][1]) if operands[1][0] == "negative" else (1, operands[1])
    if number[0] == "number" and abs(number[1]) > MAX_EXPONENT:
        raise RuleError(f"the exponent {sign * number[1]} is beyond {MAX_EXPONENT}")
    base, exponent = (compile_formula(operand, words) for operand in operands)
    return lambda event, state: _power(base(event, state), exponent(event, state))


_BUILDERS: dict[str, Callable[[Node, frozenset[str]], Closure]] = {
    "add": _arithmetic(operator.add),
    "call": _call,
    "comparison": _comparison,
    "conditional": _conditional,
    "conjunction": _conjunction,
    "count": _count,
    "disjunction": _disjunction,
    "divide": _arithmetic(operator.truediv, divides=True),
    "event": _event,
    "false": _constant(False),
    "field": _field,
    "index": _index,
    "infinity": _constant(math.inf),
    "logged": _logged,
    "membership": _membership,
    "meta": _meta,
    "minutes_since": _minutes_since,
    "modulo": _arithmetic(operator.mod, divides=True),
    "multiply": _arithmetic(_product),
    "negation": _negation,
    "negative": _negative,
    "null": _constant(None),
    "number": _literal,
    "power": _raised,
    "present": _present,
    "previous": _previous,
    "state": _state,
    "string": _literal,
    "subtract": _arithmetic(operator.sub),
    "true": _constant(True),
    "value": _value,
}
