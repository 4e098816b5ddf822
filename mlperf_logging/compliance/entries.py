"""Reading what a rule file says of one key: a cell of a key table, or a full record, into rules."""

from __future__ import annotations

from typing import NamedTuple

from mlperf_logging.compliance.codes import Vocabulary, choose_code
from mlperf_logging.compliance.formula import Node, parse_cell, walk
from mlperf_logging.compliance.rulefiles import Mapping
from mlperf_logging.compliance.rules import Entry, Rule
from mlperf_logging.errors import RuleError

_NEEDED = ("id", "key", "cell", "code", "summary", "why", "pass", "fail")
_OPTIONAL = ("where", "severity", "level", "hint", "source")


class Origin(NamedTuple):
    """Where rules are being read.

    Attributes:
        scope: the layer, see `Rule.scope`.
        round: the round whose file is read.
        level: level of the rules, see `Rule.level`.
        vocabulary: the groups of keys, which decide the codes.
    """

    scope: str
    round: str
    level: int | str | None
    vocabulary: Vocabulary


def check_record(record: Mapping) -> None:
    """Refuse a rule record that lacks a field or has an unknown one.

    Raises:
        RuleError: as said.
    """
    record.allow(*_NEEDED, *_OPTIONAL)
    for needed in _NEEDED:
        if needed not in record:
            raise record.fail(f"a rule record needs {needed!r}", rule=record.get("id"))


def read_entry(key: str, text: str, place: Mapping, origin: Origin) -> Entry:
    """The rules that a cell states, each clause a rule of its own.

    Args:
        key: the log key (or two with ``|`` between).
        text: the cell.
        place: the mapping that holds it, for messages.
        origin: where it is read.

    Raises:
        RuleError: the cell cannot be read; the message names file, line and rule.
    """
    try:
        cell = parse_cell(text)
    except RuleError as trouble:
        raise place.fail(str(trouble), key, f"{origin.scope}.{key}") from None
    clauses = list(cell.clauses)
    if not cell.also and not any(kind == "occurs" for kind, _, _ in clauses):
        clauses.insert(0, ("occurs", ["exactly_one"], "exactly one"))
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
                id=f"{origin.scope}.{key}{suffix}", code=choose_code(group, kind, node), key=key, on=kind,
                node=node, text=words, severity="error", level=origin.level,
                scope=origin.scope, summary="", why="", hint="", source="", since=origin.round, changed=(),
                passing=(), failing=(), path=place.path, line=place.lines[key],
            )
        )  # fmt: skip
    return Entry(cell.also, tuple(rules))


def read_record(record: Mapping, origin: Origin) -> Rule:
    """The rule that a full record states.

    Raises:
        RuleError: its cell cannot be read or states more than one clause.
    """
    try:
        clauses = parse_cell(record.take("cell", str)).clauses
    except RuleError as trouble:
        raise record.fail(str(trouble), "cell", record["id"]) from None
    if len(clauses) != 1:
        raise record.fail("a rule record states one clause; write one record for each", "cell", record["id"])
    (kind, node, words) = clauses[0]
    return Rule(
        id=record["id"], code=record["code"], key=record["key"], on=kind, node=node, text=words,
        severity=record.get("severity", "error"), level=record.get("level", origin.level),
        scope=origin.scope, summary=record["summary"], why=record["why"], hint=record.get("hint", ""),
        source=record.get("source", ""), since=origin.round, changed=(), passing=tuple(record["pass"]),
        failing=tuple(record["fail"]), path=record.path, line=record.line,
    )  # fmt: skip


def _suffix(kind: str, node: Node) -> str:
    if kind != "every":
        return {"occurs": "", "any": ".target", "once_each": ".names"}.get(kind, f".{kind}")
    places = {part[0] for part in walk(node)}
    if "present" in places:
        return ".complete"
    if places & {"logged", "previous", "count"}:
        return ".relation"
    if places & {"state", "minutes_since"}:
        return ".order"
    return ".metadata" if "meta" in places else ".value"
