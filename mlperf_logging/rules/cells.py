"""Reading what a rule file says of one key: a cell of a key table, or a full record, into rules."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from mlperf_logging.errors import RuleError
from mlperf_logging.events import Severity
from mlperf_logging.rules.brace_expansion import expand_names
from mlperf_logging.rules.clauses import CLAUSES, OCCURS
from mlperf_logging.rules.codes import Vocabulary, choose_code
from mlperf_logging.rules.files import RuleMapping
from mlperf_logging.rules.formula import Node, parse_cell, walk
from mlperf_logging.rules.rule import CellRules, Rule

_NEEDED = ("id", "key", "cell", "code", "summary", "why", "pass", "fail")
_OPTIONAL = ("where", "severity", "level", "hint", "source")
_JOIN = ("key", "of", "by", "name")
_COUNTING = ("counts", "from", "begins", "epoch_samples")
_COUNTED = ("epochs", "samples", "tokens")
_RUNS = ("required", "dropped_each_side", "non_converged_allowed")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Origin(NamedTuple):
    """Where rules are read: layer and level as in `Rule`, the file's round, and the groups of keys, which decide codes."""

    scope: str
    round: str
    level: int | str | None
    vocabulary: Vocabulary


def check_record(record: RuleMapping, vocabulary: Vocabulary) -> None:
    """Refuse a rule record that lacks a field, has an unknown one or one that makes no sense."""
    record.allow(*_NEEDED, *_OPTIONAL)
    for needed in _NEEDED:
        if needed not in record:
            raise record.fail(f"a rule record needs {needed!r}", rule=record.get("id"))
    rule = record.take("id", str)
    if not _ID.fullmatch(rule):  # those with dots are the ids of cells
        raise record.fail("a record's id must be lowercase words joined by hyphens", "id", rule)
    check_fields(record, vocabulary, rule)


def check_fields(fields: RuleMapping, vocabulary: Vocabulary, rule: str) -> None:
    """Refuse values that the fields of a rule cannot have."""
    for field in ("key", "cell", "summary", "why", "hint", "source"):
        fields.take(field, str)
    for field in ("pass", "fail"):
        fields.take_texts(field)
    severity, code = fields.take("severity", str), fields.take("code", str)
    if severity not in (None, *Severity):
        raise fields.fail(f"the severity {severity!r} is neither 'error' nor 'warning'", "severity", rule)
    if code is not None and code not in vocabulary.codes:
        raise fields.fail(f"unknown code {code!r}; codes.yaml lists them", "code", rule)


def read_clause(record: RuleMapping, rule: str) -> tuple[str, Node, str]:
    """The one clause under ``cell`` as (kind, node, text), see `formula.parse_cell`."""
    try:
        clauses = parse_cell(record.take("cell", str)).clauses
    except RuleError as error:
        raise record.fail(str(error), "cell", rule) from None
    if len(clauses) != 1:
        raise record.fail("a rule record states one clause; write one record for each", "cell", rule)
    return clauses[0]


def read_lists(lists: RuleMapping, former: dict[str, list[str]]) -> dict[str, list[str]]:
    """Named lists of names, each in the notation of `brace_expansion`."""
    for name, patterns in lists.items():
        if not isinstance(patterns, list) or not all(isinstance(each, str) for each in patterns):
            raise lists.fail(f"{name!r} must be a list of names, not {patterns!r}", name)
        if former.get(name) == patterns:
            raise lists.fail(f"{name!r} repeats what the extended round says; remove it", name)
        try:
            expand_names(patterns)
        except ValueError as error:
            raise lists.fail(str(error), name) from None
    return {**former, **lists}


def read_join(change: RuleMapping, former: dict[str, str] | None) -> dict[str, str]:
    """How several events make one, see `joining`."""
    body = change.take("join", dict)
    body.allow(*_JOIN)
    join = {**(former or {}), **{field: body.take(field, str) for field in body}}
    for needed in _JOIN:
        if join.get(needed) is None:
            raise change.fail(f"'join' needs {needed!r}", "join")
    return join


def read_counting(change: RuleMapping, former: dict[str, Any] | None) -> dict[str, Any]:
    """What the logged ``epoch_num`` counts, and how many samples an epoch has.

    ``{counts: samples, from: 10000, epoch_samples: 168}``: ``epoch_num`` counts samples in truth, but for numbers
    below 10,000, which are epochs. ``begins``: what is logged before any training, where that is not 0.
    ``epoch_samples`` stands where logs do not agree on ``train_samples``.
    """
    body = change.take("progress", dict)
    body.allow(*_COUNTING)
    counted = body.take("counts", str, "epochs")
    if counted not in _COUNTED:
        raise body.fail(f"'counts' is one of {', '.join(_COUNTED)}, not {counted!r}", "counts")
    for field in _COUNTING[1:]:
        number = body.take(field, int)
        if number is not None and number < 1:
            raise body.fail(f"{field!r} must be a positive number, not {number}", field)
    counting = {"counts": counted, **{field: body[field] for field in _COUNTING[1:] if field in body}}
    if counting == former:
        raise change.fail("'progress' repeats what the extended round says; remove it", "progress")
    return counting


def read_runs(change: RuleMapping, former: dict[str, int] | None) -> dict[str, int]:
    """How many runs a result needs: ``{required, dropped_each_side, non_converged_allowed}``.

    ``attempts``: more runs may be made, up to so many, and the first that count make the result.
    """
    body = change.take("runs", dict)
    body.allow(*_RUNS, "attempts")
    for field in _RUNS:
        if body.take(field, int) is None:
            raise body.fail(f"'runs' must say {field!r}")
    runs = {field: body.take(field, int) for field in (*_RUNS, "attempts") if field in body}
    if runs["required"] <= 2 * runs["dropped_each_side"]:
        raise body.fail("'runs' must require more runs than are dropped", "required")
    if runs == former:
        raise change.fail("'runs' repeats what the extended round says; remove it", "runs")
    return runs


def split_records(cell: CellRules | None) -> tuple[CellRules | None, tuple[Rule, ...]]:
    """A cell's own rules and the records beside them: a cell that changes leaves those as they are."""
    if cell is None:
        return None, ()
    records = tuple([rule for rule in cell.rules if rule.summary])
    own = tuple([rule for rule in cell.rules if not rule.summary])
    return cell._replace(rules=own) if own else None, records


def list_statements(cell: CellRules) -> tuple[bool, list[tuple[str, str]]]:
    """What a cell says, for comparison with what another says."""
    return cell.also, [(rule.on, rule.text) for rule in cell.rules]


def rename_scope(cell: CellRules, old: str, new: str) -> CellRules:
    """The same cell under another scope: scopes and the ids of cells follow, those of records do not."""
    return cell._replace(rules=tuple([_rename_rule(rule, old, new) for rule in cell.rules]))


def _rename_rule(rule: Rule, old: str, new: str) -> Rule:
    for before, after in ((old, new), (f"strict.{old}", f"strict.{new}")):
        if rule.scope == before or rule.scope.startswith(f"{before}."):
            scope = after + rule.scope[len(before) :]
            name = after + rule.id[len(before) :] if rule.id.startswith(f"{before}.") else rule.id
            return rule._replace(id=name, scope=scope)
    return rule


def read_cell(key: str, text: str, place: RuleMapping, origin: Origin) -> CellRules:
    """The rules that a cell states, each clause a rule of its own."""
    try:
        cell = parse_cell(text)
    except RuleError as error:
        raise place.fail(str(error), key, f"{origin.scope}.{key}") from None
    clauses = list(cell.clauses)
    if not cell.also and not any(kind == OCCURS for kind, _, _ in clauses):
        clauses.insert(0, (OCCURS, ["exactly_one"], "exactly one"))
    group = origin.vocabulary.group_of(key)
    rules, used = [], set[str]()
    for kind, node, words in clauses:
        suffix = base = _suffix(kind, node)
        number = 2
        while suffix in used:
            suffix, number = f"{base}{number}", number + 1
        used.add(suffix)
        rules.append(
            Rule(
                id=f"{origin.scope}.{key}{suffix}",
                code=choose_code(group, kind, node),
                key=key,
                on=kind,
                node=node,
                text=words,
                severity=Severity.ERROR.value,
                level=origin.level,
                scope=origin.scope,
                since=origin.round,
                path=place.path,
                line=place.lines[key],
            )
        )
    return CellRules(cell.also, tuple(rules))


def read_record(record: RuleMapping, origin: Origin) -> Rule:
    """The rule that a full record states."""
    kind, node, words = read_clause(record, record["id"])
    return Rule(
        id=record["id"],
        code=record["code"],
        key=record["key"],
        on=kind,
        node=node,
        text=words,
        severity=record.get("severity", Severity.ERROR.value),
        level=record.get("level", origin.level),
        scope=origin.scope,
        summary=record["summary"],
        why=record["why"],
        hint=record.get("hint", ""),
        source=record.get("source", ""),
        since=origin.round,
        passing=tuple(record["pass"]),
        failing=tuple(record["fail"]),
        path=record.path,
        line=record.line,
    )


def _suffix(kind: str, node: Node) -> str:
    suffix = CLAUSES[kind].suffix
    if suffix is not None:
        return suffix
    places = {part[0] for part in walk(node)}
    if "present" in places:
        return ".complete"
    if places & {"logged", "previous", "count"}:
        return ".relation"
    if places & {"state", "minutes_since"}:
        return ".order"
    return ".metadata" if "meta" in places else ".value"
