"""Asking the rules: what a benchmark requires, what a code or a rule means, what changed between rounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mlperf_logging.errors import UsageError
from mlperf_logging.events import DIVISIONS
from mlperf_logging.parsing.diagnostics import KINDS
from mlperf_logging.rules.clauses import CLAUSES, OCCURS
from mlperf_logging.rules.codes import Code
from mlperf_logging.rules.examples import Example, ExampleFinder
from mlperf_logging.rules.repository import RuleRepository, open_rules
from mlperf_logging.rules.resolving import sort_key
from mlperf_logging.rules.rule import STRICT, Rule
from mlperf_logging.rules.rulesets import Ruleset
from mlperf_logging.suggestions import did_you_mean


class KeyRow(NamedTuple):
    """What a round requires of one key: a row of the table that a submitter needs before a run.

    Attributes:
        key: the log key.
        occurs: how often it is logged, in words.
        requirements: the formulas that its events must satisfy, as written, targets marked with "reaches".
        variant: the benchmark's variant that asks for it (an optimizer, a schedule), or "".
        level: ``"strict"`` where only the written rules contain it, else "".
        meaning: what the key means.
        since: the round that brought the oldest of its rules.
        changed: the rounds that changed one of them since.
        rules: ids of the rules.
    """

    key: str
    occurs: str
    requirements: tuple[str, ...]
    variant: str
    level: str
    meaning: str
    since: str
    changed: tuple[str, ...]
    rules: tuple[str, ...]


class Explanation(NamedTuple):
    """What a code or a rule means.

    Attributes:
        name: the code or the rule's id.
        title: a few words.
        code: the code of its findings.
        severity: severity of its findings; empty for a code.
        wants: what must hold.
        why: the reason.
        hint: how to fix a violation.
        source: where it is written.
        since: the round that introduced it; empty for a code.
        changed: the rounds that changed it.
        place: file and line of the rule; empty for a code.
        passing: events of an example that satisfies it.
        failing: events of an example that breaks it.
        rules: for a code, ids of the rules that give it in the newest rounds.
    """

    name: str
    title: str
    code: str
    severity: str = ""
    wants: str = ""
    why: str = ""
    hint: str = ""
    source: str = ""
    since: str = ""
    changed: tuple[str, ...] = ()
    place: str = ""
    passing: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


class Difference(NamedTuple):
    """One difference between two rounds.

    Attributes:
        scope: ``common``, ``closed``, ``open`` or the benchmark and division that it is about.
        key: the log key; empty where a whole benchmark came or went.
        before: what the earlier round requires; empty where it says nothing.
        after: what the later round requires; empty where it says nothing.
    """

    scope: str
    key: str
    before: str
    after: str


def list_rules(
    ruleset: Ruleset, division: str | None = None, benchmark: str | None = None, *, strict: bool = True
) -> list[Rule]:
    """All rules of a round; of one division and benchmark only where those are given.

    Rules that a more specific layer replaces are left out where the more specific layer holds.
    """
    found: dict[str, Rule] = {}
    divisions = (division,) if division else (DIVISIONS if ruleset.has_divisions else (None,))
    for each_division in divisions:
        for each in (benchmark,) if benchmark else (None, *ruleset.benchmarks):
            for variants in _variant_choices(ruleset, each):
                for rule in ruleset.table(each_division, each, variants, strict=strict).rules:
                    if rule.can_fail:
                        found.setdefault(rule.id, rule)
    return list(found.values())


def show_benchmark(
    ruleset: Ruleset, benchmark: str, division: str | None, *, strict: bool = False
) -> list[KeyRow]:
    """The table of keys that a log of one benchmark, which the round must know, and division must hold."""
    if benchmark not in ruleset.benchmarks:
        meant = did_you_mean(benchmark, ruleset.benchmarks, f"it knows {', '.join(ruleset.benchmarks)}")
        raise UsageError(f"{ruleset.name} does not know the benchmark {benchmark!r}; {meant}")
    rows: dict[tuple[str, str], list[Rule]] = {}
    base = {rule.id for rule in ruleset.table(division, benchmark, strict=strict).rules}
    for variants in _variant_choices(ruleset, benchmark):
        for rule in ruleset.table(division, benchmark, variants, strict=strict).rules:
            owner = "" if rule.id in base else "/".join(variants)
            kept = rows.setdefault((rule.key, owner), [])
            if rule.id not in {other.id for other in kept}:
                kept.append(rule)
    meanings = ruleset.vocabulary().keys
    return [_make_row(key, owner, rules, meanings) for (key, owner), rules in rows.items()]


def explain(
    name: str,
    find_example: ExampleFinder,
    book: RuleRepository | None = None,
    rounds: Sequence[str] | None = None,
) -> Explanation:
    """What a code (``MLP304``) or a rule id means; a rule is taken from the newest round that has it.

    Args:
        name: the code or the id.
        find_example: finds an example of a rule.
        book: the rules; None for those of the package.
        rounds: names of the rounds to look in, in this order; None for all, the newest first.

    Raises:
        UsageError: there is no such code or rule.
    """
    book = book or open_rules()
    vocabulary = book.vocabulary()
    file_rules = vocabulary.list_file_rules()
    code = vocabulary.codes.get(name.upper()) or file_rules.get(name)
    if code is not None:
        return _explain_code(code, book)
    for kind in KINDS:
        if name.upper() == kind.code or name == kind.label:
            title, wants = (
                kind.label.replace("-", " "),
                f"Reported as: {kind.summary.replace('{found}', '…')}.",
            )
            return Explanation(kind.label, title, kind.code, kind.severity, wants, kind.why, kind.fix)
    known: set[str] = {*vocabulary.codes, *file_rules, *(kind.label for kind in KINDS)}
    for round_name in [entry.name for entry in reversed(book.index())] if rounds is None else rounds:
        ruleset = book.load(round_name)
        rules = {rule.id: rule for rule in list_rules(ruleset)}
        if name in rules:
            return _explain_rule(rules[name], ruleset, find_example(ruleset, rules[name]))
        known |= set(rules)
    meant = did_you_mean(name, sorted(known), "--list-rules lists them")
    raise UsageError(f"unknown code or rule {name!r}; {meant}")


def compare_rulesets(before: Ruleset, after: Ruleset, benchmark: str | None = None) -> list[Difference]:
    """What a later round changes, one line for each key; of one benchmark only, where one is given.

    Raises:
        UsageError: neither round knows the benchmark.
    """
    if benchmark is not None and benchmark not in (*before.benchmarks, *after.benchmarks):
        raise UsageError(f"neither {before.name} nor {after.name} knows the benchmark {benchmark!r}")
    found, in_both = [], {benchmark}
    if benchmark is None:
        in_both = {name for name in before.benchmarks if name in after.benchmarks}
        found += [Difference(name, "", "benchmark", "") for name in before.benchmarks if name not in in_both]
        found += [Difference(name, "", "", "benchmark") for name in after.benchmarks if name not in in_both]
    old, current = _statements(before, benchmark), _statements(after, benchmark)
    for scope, key in dict.fromkeys([*old, *current]):
        owner = scope.removeprefix("strict.").partition(".")[0]
        if owner in ("common", *DIVISIONS, "strict") or owner in in_both:
            was, now = old.get((scope, key), ""), current.get((scope, key), "")
            if was != now:
                found.append(Difference(scope, key, was, now))
    return found


def _statements(ruleset: Ruleset, benchmark: str | None) -> dict[tuple[str, str], str]:
    known: dict[tuple[str, str], list[str]] = {}
    for rule in list_rules(ruleset, None, benchmark if benchmark in ruleset.benchmarks else None):
        text = CLAUSES[rule.on].prefix + rule.text
        known.setdefault((rule.scope, rule.key), []).append(text)
    return {place: "; ".join(texts) for place, texts in known.items()}


def _variant_choices(ruleset: Ruleset, benchmark: str | None) -> list[tuple[str, ...]]:
    return [(), *[(name,) for name in ruleset.variants(benchmark)]]


def _make_row(key: str, variant: str, rules: list[Rule], meanings: dict[str, str]) -> KeyRow:
    occurs = "; ".join(rule.text for rule in rules if rule.on == OCCURS) or "any number"
    texts = [CLAUSES[rule.on].label + rule.text for rule in rules if rule.on != OCCURS]
    level = STRICT if all(rule.level == STRICT for rule in rules) else ""
    changed = sorted({name for rule in rules for name in rule.changed}, key=sort_key)
    return KeyRow(
        key,
        occurs,
        tuple(texts),
        variant,
        level,
        meanings.get(key.partition("|")[0], ""),
        min((rule.since for rule in rules), key=sort_key, default=""),
        tuple(changed),
        tuple([rule.id for rule in rules]),
    )


def _explain_code(code: Code, book: RuleRepository) -> Explanation:
    if code.rule:
        return Explanation(
            code.rule,
            code.title,
            code.code,
            code.severity,
            code.text,
            hint=code.hint,
            source=code.source,
            passing=code.passing,
            failing=code.failing,
        )
    newest = {entry.usage: entry.name for entry in book.index()}
    rulesets = map(book.load, newest.values())
    rules = {rule.id for each in rulesets for rule in list_rules(each) if rule.code == code.code}
    known = tuple(sorted(rules))
    return Explanation(code.code, code.title, code.code, wants=code.text, hint=code.hint, rules=known)


def _explain_rule(rule: Rule, ruleset: Ruleset, example: Example) -> Explanation:
    vocabulary = ruleset.vocabulary()
    code = vocabulary.codes[rule.code]
    meaning = vocabulary.keys.get(rule.key.partition("|")[0], "")
    wants = rule.summary or (
        f"{rule.key} is logged {rule.text.replace(' one', ' once', 1)}"
        if rule.on == OCCURS
        else f"{rule.key}: {CLAUSES[rule.on].subject} `{rule.text}`"
    )
    why = rule.why or f"{meaning} {code.text}".strip()
    return Explanation(
        rule.id,
        code.title,
        rule.code,
        rule.severity,
        wants,
        why,
        rule.hint or code.hint,
        rule.source or ruleset.source,
        rule.since,
        tuple(rule.changed),
        f"{rule.path}:{rule.line}",
        example.passing,
        example.failing,
    )
