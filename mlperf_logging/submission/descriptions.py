"""Checking a system description: its form, its fields by the round's schema, and what the logs of the system say."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from os import PathLike, fspath
from typing import Any, NamedTuple

from mlperf_logging.events import Severity
from mlperf_logging.rules.repository import RuleRepository, open_rules
from mlperf_logging.runs.evaluations import read_number
from mlperf_logging.runs.run import Run
from mlperf_logging.runs.side_files import read_side_file
from mlperf_logging.submission.description_fields import (
    COUNT,
    SOFTWARE,
    DescriptionField,
    DescriptionFields,
    load_description_fields,
)
from mlperf_logging.submission.findings import PlacedFinding, place_finding
from mlperf_logging.submission.located_json import MalformedError, Member, read_members
from mlperf_logging.suggestions import suggest_name

MARK = "FILL IN"
"""What a value begins with that only a person knows."""

NODES, ACCELERATORS, MODEL = "number_of_nodes", "accelerators_per_node", "accelerator_model_name"
DIVISION, STATUS = "division", "status"

_NOTHING = ("", "n/a", "na", "none", "-", "not applicable", "not known", "no accelerator", "no accelerators")
_NODES_IN_NAME = re.compile(r"(\d{1,6})x(?=\D)", re.ASCII)
_AVAILABILITY = {"cloud": ("cloud",), "onprem": ("onprem", "premise"), "preview": ("preview",)}
_AVAILABILITY["research"] = ("research", "rdi", "internal")
_MOST_LOGS_SHOWN = 1


class Description(NamedTuple):
    """A system description as it is in its file: its members, the last of each name; places are in the file."""

    path: str
    members: dict[str, Member]

    def text(self, name: str) -> str:
        """The value of a field as text; empty where there is none."""
        member = self.members.get(name)
        return "" if member is None or member.value is None else str(member.value).strip()

    def number(self, name: str) -> int | None:
        """The value of a field that is a whole number, written as text or as a number; else None."""
        member = self.members.get(name)
        return None if member is None else read_count(member.value)


def check_system_description(
    path: str | PathLike[str], ruleset: str, *, runs: Iterable[Run] = (), rules: RuleRepository | None = None
) -> list[PlacedFinding]:
    """What is wrong with a system description.

    Args:
        path: the JSON file.
        ruleset: ``usage/round``, which says what fields there are.
        runs: those of the system, for what they say of it; none where only the file is to be checked.
        rules: where the rounds are; None for those of the package.

    Returns:
        The findings, those on the file as a whole first, then by field in the order of the file.

    Raises:
        UsageError: there is no such ruleset.
        RuleError: a rule file is wrong.
    """
    schema = load_description_fields(rules or open_rules(), ruleset)
    description, found = read_description(fspath(path))
    if description is None:
        return found
    found += _check_names(description, schema)
    for name, member in description.members.items():
        if name in schema.fields:
            found += _check_value(description.path, schema.fields[name], member)
    found += _check_accelerators(description, schema)
    found += _compare_runs(description, list(runs), schema)
    return found


def read_description(path: str) -> tuple[Description | None, list[PlacedFinding]]:
    """A system description, None where it cannot be read, and what is wrong with its form."""
    name = os.path.basename(path)
    try:
        members = read_members(read_side_file(path))
    except OSError as error:
        message = f"{name} cannot be read: {error.strerror}"
        return None, [place_finding("description-unreadable", path, message)]
    except MalformedError as fault:
        rule = "description-not-object" if fault.is_value else "description-unreadable"
        line, column = fault.place
        return None, [place_finding(rule, path, f"{name}: {fault}", line=line, column=column)]
    found, seen = [], dict[str, Member]()
    for member in members:
        if member.name in seen:
            first = seen[member.name].name_place.line
            message = f"{member.name!r} appears again; the first one is on line {first}"
            found.append(_blame("description-field-repeated", path, member, message, at_name=True))
        seen[member.name] = member
    return Description(path, seen), found


def read_count(value: Any) -> int | None:
    """A whole number that is not negative, written as text or as a number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    text = str(value).strip()
    text = text[: -len(".0")] if text.endswith(".0") else text
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _blame(
    rule: str,
    path: str,
    member: Member,
    message: str,
    *,
    at_name: bool = False,
    severity: Severity | None = None,
    expected: str = "",
    found: str = "",
    hint: str = "",
) -> PlacedFinding:
    line, column = member.name_place if at_name else member.value_place
    return place_finding(
        rule,
        path,
        message,
        severity=severity,
        key=member.name,
        line=line,
        column=column,
        expected=expected,
        found=found,
        hint=hint,
    )


def _check_names(description: Description, schema: DescriptionFields) -> Iterator[PlacedFinding]:
    """Missing and unknown fields; a field that is missing because it is misspelt is one finding, where it is."""
    path, members = description.path, description.members
    missing = [name for name, field in schema.fields.items() if not field.optional and name not in members]
    for name, member in members.items():
        if name in schema.fields or not schema.fields:
            continue
        meant = suggest_name(name, missing)
        if meant is not None:
            missing.remove(meant)
            message = f"the field {meant!r} is missing; {name!r} is not a field"
            hint = f"Did you mean {meant!r}?"
            rule = "description-field-missing"
            yield _blame(rule, path, member, message, at_name=True, expected=meant, found=name, hint=hint)
            continue
        near = suggest_name(name, [each for each in schema.fields if each not in members])
        hint = f"Did you mean {near!r}?" if near is not None else ""
        message = f"{name!r} is not a field of a system description"
        yield _blame("description-field-unknown", path, member, message, at_name=True, found=name, hint=hint)
    for name in missing:
        message = f"the field {name!r} is missing ({schema.fields[name].meaning})"
        yield place_finding("description-field-missing", path, message, key=name, expected=name)


def _check_value(path: str, field: DescriptionField, member: Member) -> Iterator[PlacedFinding]:
    name, value = field.name, member.value
    fault = _find_type_fault(field, value)
    if fault:
        severity = Severity.ERROR if field.joined else Severity.WARNING
        message = f"{name!r} is {_name_type(value)}, not {fault}"
        yield _blame("description-field-type", path, member, message, severity=severity, expected=fault)
        return
    text = value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if text.startswith(MARK) or f'"{MARK}' in text:
        yield _blame("description-placeholder", path, member, f"{name!r} is not filled in", found=text)
    elif field.kind == COUNT:
        count = read_count(value)
        if count is None or count < field.least:
            wanted = f"a whole number from {field.least} on"
            message = f"{name!r} is {_quote(text)}, not {wanted}"
            yield _blame("description-count", path, member, message, expected=wanted, found=text)
    elif field.filled and not text:
        yield _blame("description-empty", path, member, f"{name!r} is empty ({field.meaning})")
    elif not field.allows(text if field.any_case else value):
        wanted = ", ".join(map(_quote, field.values))
        near = suggest_name(text, field.values)
        hint = f"Did you mean {_quote(near)}?" if near is not None else ""
        message = f"{name!r} is {_quote(text)}; it must be one of {wanted}"
        yield _blame("description-value", path, member, message, expected=wanted, found=text, hint=hint)


def _find_type_fault(field: DescriptionField, value: Any) -> str:
    """What a value should be; empty where it is."""
    if isinstance(value, str) or (field.kind == SOFTWARE and isinstance(value, (list, dict))):
        return ""
    if field.kind == COUNT and not field.joined and type(value) in (int, float):
        return ""
    return "text, a list or an object" if field.kind == SOFTWARE else "text"


def _check_accelerators(description: Description, schema: DescriptionFields) -> Iterator[PlacedFinding]:
    count, member = description.number(ACCELERATORS), description.members.get(MODEL)
    if count is None or member is None or not isinstance(member.value, str):
        return
    model = description.text(MODEL)
    if model.startswith(MARK):
        return
    is_named = model.casefold() not in _NOTHING
    if is_named != (count > 0):
        message = (
            f"{ACCELERATORS!r} is {count}, but {MODEL!r} is {_quote(model)}"
            if count
            else f"{ACCELERATORS!r} is 0, but {MODEL!r} names {_quote(model)}"
        )
        yield _blame("description-accelerator-missing", description.path, member, message, found=model)
    elif is_named and schema.accelerators and not schema.knows_accelerator(model):
        words = [word for word in re.split(r"[\s()/,_-]+", model) if word]
        near = next(
            (name for word in words if (name := suggest_name(word, schema.list_accelerators()))), None
        )
        hint = f"Did you mean {_quote(near)}?" if near is not None else ""
        message = f"no known accelerator is called {_quote(model)}"
        rule = "description-accelerator-unknown"
        yield _blame(rule, description.path, member, message, found=model, hint=hint)


def _compare_runs(
    description: Description, runs: Sequence[Run], schema: DescriptionFields
) -> Iterator[PlacedFinding]:
    """A finding for each field that logs contradict, on the first log that does, with the number of others."""
    checks = {
        NODES: ("description-nodes", _find_other_nodes),
        ACCELERATORS: ("description-accelerators", _find_other_accelerators),
        DIVISION: ("description-division", _find_other_division),
        STATUS: ("description-status", _find_other_status),
    }
    for name, (rule, find_other) in checks.items():
        member = description.members.get(name)
        if member is None:
            continue
        said = [(run, other) for run in runs if (other := find_other(description, run, schema)) is not None]
        if said:
            run, other = said[0]
            more = len(said) - _MOST_LOGS_SHOWN
            logs = os.path.basename(run.path) + (f" and {more} other log{'s' * (more > 1)}" if more else "")
            message = f"{name!r} is {_quote(description.text(name))}, but {logs} {other}"
            yield _blame(rule, description.path, member, message, found=description.text(name))


def _find_other_nodes(description: Description, run: Run, schema: DescriptionFields) -> str | None:
    nodes = description.number(NODES)
    if nodes is None:
        return None
    if run.node_count is not None:
        return None if run.node_count == nodes else f"logged number_of_nodes {run.node_count:g}"
    platform = run.platform or ""
    named = _NODES_IN_NAME.match(platform)
    if named is None or int(named[1]) == nodes:
        return None
    each = description.number(ACCELERATORS) or 0
    if int(named[1]) in (each, nodes * each) and schema.knows_accelerator(platform):
        return None  # the number before an accelerator's name may be that of the accelerators
    return f"logged submission_platform {_quote(platform)}, which means {named[1]} nodes"


def _find_other_accelerators(description: Description, run: Run, schema: DescriptionFields) -> str | None:
    each, logged = description.number(ACCELERATORS), read_number(run.hyperparameters.get(ACCELERATORS))
    return None if None in (each, logged) or each == logged else f"logged accelerators_per_node {logged:g}"


def _find_other_division(description: Description, run: Run, schema: DescriptionFields) -> str | None:
    said = description.text(DIVISION).casefold()
    if not run.division or not said or said.startswith(MARK.casefold()) or said == run.division:
        return None
    return f"logged submission_division {_quote(run.division)}"


def _find_other_status(description: Description, run: Run, schema: DescriptionFields) -> str | None:
    said = description.text(STATUS).casefold()
    fits = [name for name, words in _AVAILABILITY.items() if any(word in said for word in words)]
    logged = run.availability
    if not fits or logged not in _AVAILABILITY or logged in fits:
        return None
    return f"logged submission_status {_quote(logged)}"


def _name_type(value: Any) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "null")


def _quote(text: str) -> str:
    return f'"{text}"'
