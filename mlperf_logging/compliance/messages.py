"""Putting findings into words: what was expected, what the log holds, and how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlperf_logging.compliance.findings import Finding
from mlperf_logging.events import Event, Severity
from mlperf_logging.rules.closures import TROUBLES, Closure, Memory, Unevaluable, compile_formula, name_kind
from mlperf_logging.rules.codes import CONFLICTING, REPEATED
from mlperf_logging.rules.formula import Node, walk, write_formula
from mlperf_logging.rules.rule import Rule
from mlperf_logging.suggestions import suggest_name

if TYPE_CHECKING:
    from mlperf_logging.rules.rulesets import CompiledRule, Ruleset

EXCERPT_LENGTH = 2_000
SHOWN_LENGTH = 80
_PLACES = frozenset(
    {"value", "meta", "event", "state", "logged", "count", "minutes_since", "previous", "field", "index"}
)


def show_value(value: Any) -> str:
    """A value as JSON would write it, cropped to a readable length."""
    import json

    try:
        text = json.dumps(value, ensure_ascii=False)
    except TypeError:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, or nested beyond reason
        text = f"{name_kind(value)} too large to show"
    return text if len(text) <= SHOWN_LENGTH else f"{text[: SHOWN_LENGTH - 1]}…"


def show_excerpt(event: Event) -> str:
    """The record's text, from its marker on, cropped to a bounded length."""
    return event.raw[:EXCERPT_LENGTH].decode("utf-8", "replace").rstrip()


def list_places(node: Node, event: Event, memory: Memory) -> str:
    """What the formula looked at: ``value is 0.8, logged(global_batch_size) is 64``."""
    shown: dict[str, str] = {}
    for part in _outermost_places(node):
        name = write_formula(part)
        try:
            value = _compile_loosely(part)(event, memory)
            shown[name] = f"{value:.2f}" if part[0] == "minutes_since" else show_value(value)
        except TROUBLES:
            shown[name] = "missing"
    if list(shown) == ["value"]:
        return shown["value"]
    return ", ".join(f"{name} is {text}" for name, text in shown.items())


def explain_trouble(node: Node, event: Event, memory: Memory, trouble: BaseException) -> str:
    """Why a formula could not be evaluated: what is missing or of the wrong kind."""
    for part in walk(node):
        if part[0] not in _PLACES:
            continue
        try:
            _compile_loosely(part)(event, memory)
        except Unevaluable as missing:
            return str(missing)
        except TROUBLES:
            return _say_missing(part)
    if isinstance(trouble, Unevaluable):
        return str(trouble)
    if isinstance(trouble, ZeroDivisionError):
        return f"a division by zero ({list_places(node, event, memory)})"
    kinds = ", ".join(
        f"{write_formula(part)} is {name_kind(_compile_loosely(part)(event, memory))}"
        for part in _outermost_places(node)
    )
    return f"{kinds}: not of a kind that can be compared so"


def describe_violation(compiled: CompiledRule, event: Event, memory: Memory, ruleset: Ruleset) -> Finding:
    """The finding for an event that does not satisfy a rule (or on which it cannot be evaluated)."""
    rule = compiled.rule
    try:
        compiled.holds(event, memory)
        found = list_places(rule.node, event, memory)
        if rule.summary:
            # State words mean something to the rules only; the summary says it in the reader's words.
            tells = any(place[0] != "state" for place in _outermost_places(rule.node))
            message = f"{_sentence(rule.summary)}; here {found}" if tells else _sentence(rule.summary)
        elif rule.node[0] == "present":
            message = f"{rule.key}: {_say_missing(rule.node[1])}"
            found = "missing"
        elif _outermost_places(rule.node) == [["value"]]:
            message = f"{rule.key} is {found} where {show_text(rule)} is required"
        else:
            message = f"{rule.key} must satisfy {show_text(rule)}; here {found}"
    except TROUBLES as trouble:
        found = explain_trouble(rule.node, event, memory, trouble)
        message = f"{rule.key} cannot be judged by {show_text(rule)}: {found}"
    return _finding(rule, ruleset, message, found, event, _suggest_choice(rule, event))


def describe_more(rule: Rule, count: int, ruleset: Ruleset) -> Finding:
    """The finding that counts violations of one rule beyond those that are reported one by one."""
    message = f"{rule.key} breaks {show_text(rule)} in {count} more events, which are not listed"
    return _finding(rule, ruleset, message, f"{count} more", None)


def describe_missing(rule: Rule, count: int, unknown: dict[str, Event], ruleset: Ruleset) -> Finding:
    """The finding for a key that is not logged, or not often enough."""
    names = rule.key.replace("|", " or ")
    if rule.node[0] == "at_least_one_of":
        names = f"{names} or {rule.node[1]}"
    if count:
        message = f"{names} must be logged {rule.text} times but is logged {_times(count)}"
    else:
        message = f"{names} is required but not logged"
    hint = ""
    # A key that some rule or glossary knows is not a misspelt one.
    known = ruleset.vocabulary().keys
    strangers = [key for key in unknown if key not in known]
    for name in (rule.key, *rule.node[1:]) if rule.node[0] == "at_least_one_of" else (rule.key,):
        similar = suggest_name(str(name), strangers) if not count else None
        if similar is not None:
            hint = f"Did you mean {name}? Line {unknown[similar].line} logs {similar!r}."
            break
    return _finding(rule, ruleset, message, f"logged {_times(count)}", None, hint)


def describe_repetition(
    rule: Rule, values: list[Any], count: int, differ: bool, event: Event, ruleset: Ruleset
) -> Finding:
    """The finding for a key that is logged more than once: an error if the values differ, else a warning."""
    table, severity = (CONFLICTING, Severity.ERROR) if differ else (REPEATED, Severity.WARNING)
    different = list(dict.fromkeys(show_value(value) for value in values))
    shown = ", ".join(different[:5]) + (", …" if len(different) > 5 else "")
    what = f"with different values: {shown}" if differ else f"each time as {shown}"
    message = f"{rule.key} must be logged once but is logged {_times(count)}, {what}"
    finding = _finding(
        rule, ruleset, message, f"logged {_times(count)}", event, "", table.get(rule.code, rule.code)
    )
    return finding._replace(severity=severity)


def describe_missed_target(rule: Rule, event: Event, memory: Memory, ruleset: Ruleset) -> Finding:
    """The finding for a target that no event reached; it points at the last event."""
    last = list_places(rule.node, event, memory)
    message = f"no {rule.key} satisfies {show_text(rule)}; the last is {last}"
    if rule.summary:
        message = f"{_sentence(rule.summary)}; here {last} in the last {rule.key}"
    return _finding(rule, ruleset, message, last, event)


def describe_unevaluable(rule: Rule, why: str, event: Event, ruleset: Ruleset) -> Finding:
    """The finding for a target that cannot be evaluated on an event."""
    return _finding(rule, ruleset, f"{rule.key} cannot be judged by {show_text(rule)}: {why}", why, event)


def describe_at_end(rule: Rule, found: str, ruleset: Ruleset) -> Finding:
    """The finding for a rule over the whole log."""
    said = _sentence(rule.summary) if rule.summary else f"the log must satisfy {show_text(rule)}"
    return _finding(rule, ruleset, f"{said}; here {found}", found, None)


def describe_pairing(rule: Rule, what: str, event: Event | None, ruleset: Ruleset) -> Finding:
    """The finding for events that should alternate and do not."""
    return _finding(rule, ruleset, f"{rule.key} and {rule.node[1]} must alternate; {what}", what, event)


def describe_names(rule: Rule, wanted: list[str], logged: list[Any], ruleset: Ruleset) -> Finding | None:
    """The finding for a list of names that should each be logged once; None when they are."""
    seen: dict[str, int] = {}
    for name in logged:
        seen[str(name)] = seen.get(str(name), 0) + 1
    known = set(wanted)
    missing = [name for name in wanted if name not in seen]
    extra = [name for name in seen if name not in known]
    twice = [name for name, count in seen.items() if count > 1]
    parts = [
        _some(title, names)
        for title, names in (("missing", missing), ("unknown", extra), ("repeated", twice))
    ]
    found = "; ".join(part for part in parts if part)
    if not found:
        return None
    message = f"{rule.key} must log each of {len(wanted)} names once ({write_formula(rule.node[1])}); {found}"
    return _finding(rule, ruleset, message, found, None)


def show_text(rule: Rule) -> str:
    """The rule's formula as a message shows it."""
    return f"`{rule.text}`"


def _outermost_places(node: Node) -> list[Node]:
    if node[0] in _PLACES:
        return [node]
    return [place for part in node[1:] if isinstance(part, list) for place in _outermost_places(part)]


def _compile_loosely(node: Node) -> Closure:
    words = frozenset(part[1] for part in walk(node) if part[0] == "state")
    return compile_formula(node, words)


def _say_missing(part: Node) -> str:
    match part:
        case ["meta", name]:
            return f"the metadata lacks {name!r}"
        case ["logged", key]:
            return f"no {key} is logged before it"
        case ["minutes_since", key]:
            return f"no {key} is logged before it"
        case ["field", inner, name]:
            return f"{write_formula(inner)} has no field {name!r}"
        case ["state", name]:
            return f"nothing has set {name} yet"
        case _:
            return f"{write_formula(part)} is missing"


def _suggest_choice(rule: Rule, event: Event) -> str:
    if not isinstance(event.value, str):
        return ""
    choices = [part[1] for part in walk(rule.node) if part[0] == "string"]
    for choice in choices:
        if choice != event.value and choice.casefold() == event.value.casefold():
            return f"Write {choice!r}: case matters."
    similar = suggest_name(event.value, choices)
    return f"Did you mean {similar!r}?" if similar else ""


def _sentence(summary: str) -> str:
    return summary.strip().rstrip(".")


def _times(count: int) -> str:
    return {0: "0 times", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _some(title: str, names: list[str]) -> str:
    if not names:
        return ""
    # A log may name anything: what is long, or does not print on one line, is shown as JSON would write it.
    plain = [
        name if name.isprintable() and len(name) <= SHOWN_LENGTH else show_value(name) for name in names[:3]
    ]
    shown = ", ".join(plain) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"{title}: {shown}"


def _finding(
    rule: Rule,
    ruleset: Ruleset,
    message: str,
    found: str,
    event: Event | None,
    hint: str = "",
    code: str = "",
) -> Finding:
    code = code or rule.code
    known = ruleset.vocabulary().codes.get(code)
    return Finding(
        code=code,
        rule=rule.id,
        severity=Severity(rule.severity),
        key=rule.key.partition("|")[0],
        line=event.line if event is not None and event.line > 0 else None,
        column=event.column if event is not None and event.line > 0 else None,
        message=message,
        expected=rule.text,
        found=found,
        source=rule.source or ruleset.source,
        hint=hint or rule.hint or (known.hint if known else ""),
        excerpt=show_excerpt(event) if event is not None else "",
    )
