"""The messages for violations: what was expected, what the log contains, and how to fix it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.compliance import violations as kinds
from mlperf_logging.compliance.findings import SEVERAL_RUNS, Finding, RunPart
from mlperf_logging.compliance.violations import ABSENT, Evidence, Violation, list_places
from mlperf_logging.events import Event, Outcome, Position, Problem, Severity
from mlperf_logging.rules.closures import Unevaluable, name_kind
from mlperf_logging.rules.formula import Node, walk, write_formula
from mlperf_logging.rules.rule import Rule
from mlperf_logging.runs.summary import RUN_START
from mlperf_logging.suggestions import suggest_name

if TYPE_CHECKING:
    from mlperf_logging.rules.rulesets import Ruleset

EXCERPT_LENGTH = 2_000
SHOWN_LENGTH = 80
_LISTED_RUNS = 8

_Words = tuple[str, str, str]
"""A finding's message, what was found in short, and a hint or ""."""


def describe_violation(violation: Violation, ruleset: Ruleset) -> Finding:
    """The finding that says what a violation is."""
    rule, event, code = violation.rule, violation.event, violation.code
    message, found, hint = _WRITERS[violation.kind](violation, ruleset)
    known = ruleset.vocabulary().codes.get(code)
    line, column = event.position if event is not None and event.line > 0 else (None, None)
    return Finding(
        code=code,
        rule=rule.id,
        severity=violation.severity,
        key=rule.key.partition("|")[0],
        line=line,
        column=column,
        message=message,
        expected=rule.text,
        found=found,
        source=rule.source or ruleset.source,
        hint=hint or rule.hint or (known.hint if known else ""),
        excerpt=show_excerpt(event.raw) if event is not None else "",
    )


def describe_problem(problem: Problem) -> Finding:
    """The finding for a record that could not be read as written."""
    from mlperf_logging.parsing.diagnostics import KINDS

    return Finding(
        code=problem.code,
        rule=problem.label,
        severity=problem.severity,
        key=problem.key,
        line=problem.line,
        column=problem.column,
        message=problem.message,
        found=problem.found,
        hint=next((kind.fix for kind in KINDS if kind.label == problem.label), ""),
        excerpt=show_excerpt(problem.raw),
    )


def describe_foreign_records(
    counts: dict[str, int], lines: dict[str, int], ruleset: Ruleset, event_count: int
) -> Iterator[Finding]:
    """The findings for records of other dialects than the round's."""
    for dialect, number in counts.items():
        records = f"{number} record{'s' * (number != 1)} in the {dialect} dialect"
        verb = "does" if number == 1 else "do"
        yield Finding(
            code="MLP109",
            rule="other-dialect",
            severity=Severity.WARNING if event_count else Severity.ERROR,
            key=None,
            line=lines[dialect],
            column=1,
            message=f"{records} {verb} not count: {ruleset.name} reads the {ruleset.dialect} dialect",
            expected=ruleset.dialect,
            found=dialect,
            hint="Judge by a ruleset for the log's own dialect, or let --ruleset auto choose.",
        )


def describe_several_runs(runs: Sequence[RunPart], begins: Sequence[Position], whole: Outcome) -> Finding:
    """The finding for a file that holds several runs: those that were judged alone, where each begins, all as one."""
    lines = [str(begin.line) for begin in begins]
    shown = lines if len(lines) <= _LISTED_RUNS else [*lines[: _LISTED_RUNS - 2], "…", lines[-1]]
    good = [str(run.number) for run in runs if run.verdict == Outcome.PASSED]
    alone = "none is compliant"
    if len(good) == len(begins):
        alone = "each is compliant"
    elif len(good) > _LISTED_RUNS:
        alone = f"{len(good)} of them are compliant, the last one being run {good[-1]}"
    elif good:
        alone = f"run {good[0]} is compliant" if len(good) == 1 else f"runs {_join_words(good)} are compliant"
    return Finding(
        code="MLP111",
        rule=SEVERAL_RUNS,
        severity=Severity.ERROR if whole == Outcome.FAILED else Severity.WARNING,
        key=RUN_START,
        line=begins[1].line,
        column=begins[1].column,
        message=f"the file holds {len(begins)} runs, which begin on lines {_join_words(shown)}; judged alone, {alone}",
        expected="one run per file",
        found=f"{len(begins)} runs",
        hint="Judge one with --run N or --run last, all with --run each. Keep each run in a file of its own.",
    )


def describe_empty_log(*, has_records: bool) -> Finding:
    """The finding for a log without an event to judge."""
    message = (
        "no event is left to judge" if has_records else "the file contains no event in a known log dialect"
    )
    hint = "Check that this is a result log, and that the run wrote its events to this file."
    return Finding(
        "MLP105", "no-events", Severity.ERROR, None, None, None, message, "events", "none", hint=hint
    )


def describe_limits(unread_count: int, unkept_count: int) -> Iterator[Finding]:
    """The findings for events that were too many: those not judged, and those that scores and analyses leave out."""
    for count, severity, what in (
        (unread_count, Severity.ERROR, "are not judged"),
        (unkept_count, Severity.WARNING, "do not count as evaluations, intervals, statistics or parameters"),
    ):
        if count:
            yield Finding(
                "MLP110",
                "too-many-events",
                severity,
                None,
                None,
                None,
                f"{count:,} events {what}: the log holds more of them than are kept in memory",
                found=f"{count:,} more",
                hint="Log an event once, and statistics of the run less often.",
            )


def describe_unknown_benchmark(benchmark: str, ruleset: Ruleset) -> Finding:
    """The finding for a benchmark that the round does not know."""
    similar = suggest_name(benchmark, ruleset.benchmarks)
    fix = "Use the round's spelling of the name, or judge by another ruleset."
    return Finding(
        "MLP106",
        "unknown-benchmark",
        Severity.ERROR,
        "submission_benchmark",
        None,
        None,
        f"{ruleset.name} does not know the benchmark {benchmark!r}, so no benchmark rules were applied",
        f"one of {', '.join(ruleset.benchmarks)}",
        benchmark,
        ruleset.source,
        f"Did you mean {similar!r}?" if similar else fix,
    )


def describe_unknown_division(division: str | None, ruleset: Ruleset) -> Finding:
    """The finding for a log whose division is not known."""
    return Finding(
        "MLP107",
        "unknown-division",
        Severity.ERROR,
        "submission_division",
        None,
        None,
        "the division is unknown, so only the rules common to both divisions were applied",
        "closed or open",
        str(division) if division else "not logged",
        ruleset.source,
        "Log submission_division as closed or open, or give --division.",
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


def show_excerpt(raw: bytes) -> str:
    """A record's text, from its marker on, cropped to a bounded length."""
    return raw[:EXCERPT_LENGTH].decode("utf-8", "replace").rstrip()


def _describe_broken(violation: Violation, ruleset: Ruleset) -> _Words:
    rule, evidence = violation.rule, violation.evidence
    hint = _suggest_choice(rule, violation.event)
    if evidence.error is not None:
        message, found, _ = _describe_unevaluable(violation, ruleset)
        return message, found, hint
    found = _show_places(evidence)
    places = list_places(rule.node)
    if rule.summary:
        # Names of state variables mean nothing to readers; the summary says it in plain words.
        tells = any(place[0] != "state" for place in places)
        message = f"{_sentence(rule.summary)}; here {found}" if tells else _sentence(rule.summary)
    elif rule.node[0] == "present":
        message, found = f"{rule.key}: {_say_missing(rule.node[1])}", "missing"
    elif places == [["value"]]:
        message = f"{rule.key} is {found}, but `{rule.text}` is required"
    else:
        message = f"{rule.key} must satisfy `{rule.text}`; here {found}"
    return message, found, hint


def _describe_more(violation: Violation, _ruleset: Ruleset) -> _Words:
    rule, count = violation.rule, violation.evidence
    message = f"{rule.key} breaks `{rule.text}` in {count} more events, which are not listed"
    return message, f"{count} more", ""


def _describe_missing(violation: Violation, ruleset: Ruleset) -> _Words:
    rule, (count, unknown) = violation.rule, violation.evidence
    names = rule.key.replace("|", " or ")
    if rule.node[0] == "at_least_one_of":
        names = f"{names} or {rule.node[1]}"
    if count:
        message = f"{names} must be logged {rule.text} times but is logged {_times(count)}"
        return message, f"logged {_times(count)}", ""
    hint = ""
    # A key that some rule or the glossary knows is not a misspelled one.
    known = ruleset.vocabulary().keys
    strangers = [key for key in unknown if key not in known]
    for name in (rule.key, *rule.node[1:]) if rule.node[0] == "at_least_one_of" else (rule.key,):
        similar = suggest_name(str(name), strangers)
        if similar is not None:
            hint = f"Did you mean {name}? Line {unknown[similar]} logs {similar!r}."
            break
    return f"{names} is required but not logged", "logged 0 times", hint


def _describe_repetition(violation: Violation, _ruleset: Ruleset) -> _Words:
    rule, repetition = violation.rule, violation.evidence
    different = list(dict.fromkeys(show_value(value) for value in repetition.values))
    shown = ", ".join(different[:5]) + (", …" if len(different) > 5 else "")
    what = f"with different values: {shown}" if repetition.differs else f"each time as {shown}"
    times = _times(repetition.times)
    return f"{rule.key} must be logged once but is logged {times}, {what}", f"logged {times}", ""


def _describe_unmet(violation: Violation, _ruleset: Ruleset) -> _Words:
    rule, last = violation.rule, _show_places(violation.evidence)
    if rule.summary:
        return f"{_sentence(rule.summary)}; here {last} in the last {rule.key}", last, ""
    return f"no {rule.key} satisfies `{rule.text}`; the last is {last}", last, ""


def _describe_unevaluable(violation: Violation, _ruleset: Ruleset) -> _Words:
    rule, why = violation.rule, _explain_error(violation.evidence)
    return f"{rule.key} cannot be judged by `{rule.text}`: {why}", why, ""


def _describe_at_end(violation: Violation, _ruleset: Ruleset) -> _Words:
    rule, evidence = violation.rule, violation.evidence
    found = _show_places(evidence) if evidence.error is None else _explain_error(evidence)
    said = _sentence(rule.summary) if rule.summary else f"the log must satisfy `{rule.text}`"
    return f"{said}; here {found}", found, ""


def _describe_pairing(violation: Violation, _ruleset: Ruleset) -> _Words:
    rule = violation.rule
    first, second = rule.key, rule.node[1]
    if violation.kind == kinds.UNFOLLOWED:
        what = f"the {first} on line {violation.evidence.line} is not followed by {second} before this one"
    elif violation.kind == kinds.UNPRECEDED:
        what = f"there is no {first} before this {second}"
    else:
        what = f"the last {first} is never followed by {second}"
    return f"{first} and {second} must alternate; {what}", what, ""


def _describe_names(violation: Violation, _ruleset: Ruleset) -> _Words:
    rule, logged = violation.rule, violation.evidence
    _, place, _, wanted = rule.node
    known = set(wanted)
    lists = (
        ("missing", [name for name in wanted if name not in logged]),
        ("unknown", [name for name in logged if name not in known]),
        ("repeated", [name for name, count in logged.items() if count > 1]),
    )
    found = "; ".join([_list_some(title, names) for title, names in lists if names])
    message = f"{rule.key} must log each of the {len(wanted)} names once ({write_formula(place)}); {found}"
    return message, found, ""


_WRITERS: dict[str, Callable[[Violation, Ruleset], _Words]] = {
    kinds.BROKEN: _describe_broken,
    kinds.MORE: _describe_more,
    kinds.MISSING: _describe_missing,
    kinds.REPETITION: _describe_repetition,
    kinds.UNMET: _describe_unmet,
    kinds.UNEVALUABLE: _describe_unevaluable,
    kinds.AT_END: _describe_at_end,
    kinds.UNFOLLOWED: _describe_pairing,
    kinds.UNPRECEDED: _describe_pairing,
    kinds.UNFINISHED: _describe_pairing,
    kinds.NAMES: _describe_names,
}


def _show_places(evidence: Evidence) -> str:
    """What the formula looked at: ``value is 0.8, logged(global_batch_size) is 64``."""
    shown: dict[str, str] = {}
    for part, value in evidence.places:
        if value is ABSENT:
            text = "missing"
        else:
            text = f"{value:.2f}" if part[0] == "minutes_since" else show_value(value)
        shown[write_formula(part)] = text
    if list(shown) == ["value"]:
        return shown["value"]
    return ", ".join(f"{name} is {text}" for name, text in shown.items())


def _explain_error(evidence: Evidence) -> str:
    """Why a formula could not be evaluated: what is missing or of the wrong kind."""
    if isinstance(evidence.error, Unevaluable):
        return str(evidence.error)
    if evidence.part is not None:
        return _say_missing(evidence.part)
    if isinstance(evidence.error, ZeroDivisionError):
        return f"a division by zero ({_show_places(evidence)})"
    types = ", ".join(f"{write_formula(part)} is {name_kind(value)}" for part, value in evidence.places)
    return f"{types}: kinds that cannot be compared this way"


def _say_missing(part: Node) -> str:
    match part:
        case ["meta", name]:
            return f"the metadata lacks {name!r}"
        case ["logged" | "minutes_since", key]:
            return f"no {key} is logged before it"
        case ["field", inner, name]:
            return f"{write_formula(inner)} has no field {name!r}"
        case ["state", name]:
            return f"nothing has set {name} yet"
        case _:
            return f"{write_formula(part)} is missing"


def _suggest_choice(rule: Rule, event: Event | None) -> str:
    if event is None or not isinstance(event.value, str):
        return ""
    choices = [part[1] for part in walk(rule.node) if part[0] == "string"]
    for choice in choices:
        if choice != event.value and choice.casefold() == event.value.casefold():
            return f"Write {choice!r}: case matters."
    similar = suggest_name(event.value, choices)
    return f"Did you mean {similar!r}?" if similar else ""


def _join_words(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def _sentence(summary: str) -> str:
    return summary.strip().rstrip(".")


def _times(count: int) -> str:
    return {0: "0 times", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _list_some(title: str, names: list[str]) -> str:
    # A log may name anything: what is long, or does not print on one line, is shown as JSON would write it.
    plain = [
        name if name.isprintable() and len(name) <= SHOWN_LENGTH else show_value(name) for name in names[:3]
    ]
    return f"{title}: {', '.join(plain)}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")
