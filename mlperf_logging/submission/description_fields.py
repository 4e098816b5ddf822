"""The fields of a system description and the known accelerators: ``systems/USAGE-ROUND.yaml`` says what changed."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, NamedTuple

from mlperf_logging.rules.beside import RoundData, Tables
from mlperf_logging.rules.files import RuleMapping
from mlperf_logging.rules.repository import RuleRepository

TEXT, COUNT, SOFTWARE = KINDS = ("text", "count", "software")
"""Kinds of values: text; a whole number; text, a list, or an object from name to version."""

_FLAGS = ("filled", "optional", "joined", "any_case")
_NO_LETTER = re.compile(r"\((?:R|TM)\)|[\W_]+", re.IGNORECASE)


class DescriptionField(NamedTuple):
    """One field of a system description.

    Attributes:
        name: its name in the file.
        meaning: what it says.
        kind: one of `KINDS`.
        values: those that are allowed; empty where any is.
        any_case: whether upper and lower case are the same in `values`.
        least: the smallest count.
        filled: whether it must not be empty.
        optional: whether it may be left out.
        joined: whether the public tools stop at anything but text.
    """

    name: str
    meaning: str
    kind: str = TEXT
    values: tuple[str, ...] = ()
    any_case: bool = False
    least: int = 0
    filled: bool = False
    optional: bool = False
    joined: bool = False

    def allows(self, value: str) -> bool:
        """Whether the value is one of those that are allowed."""
        if self.any_case:
            return value.casefold() in [each.casefold() for each in self.values]
        return not self.values or value in self.values


class DescriptionFields(NamedTuple):
    """What a round expects of a system description: its fields by name, and the models of accelerators by maker."""

    fields: dict[str, DescriptionField]
    accelerators: dict[str, tuple[str, ...]]

    def knows_accelerator(self, text: str) -> bool:
        """Whether a text names a known model, however it writes spaces, dashes and capital letters."""
        squeezed = _squeeze(text)
        return any(_squeeze(model) in squeezed for models in self.accelerators.values() for model in models)

    def list_accelerators(self) -> list[str]:
        """The known models."""
        return [model for models in self.accelerators.values() for model in models]


def load_description_fields(rules: RuleRepository, name: str) -> DescriptionFields:
    """What the round ``usage/round`` expects of a system description; nothing where the rules say nothing of it."""
    tables = DESCRIPTIONS.load(rules, name)
    fields = {
        field: DescriptionField(field, **{**body, "values": tuple(body.get("values", ()))})
        for field, body in tables.get("fields", {}).items()
    }
    return DescriptionFields(fields, {maker: tuple(models) for maker, models in _makers(tables).items()})


def _makers(tables: Tables) -> dict[str, list[str]]:
    return tables.get("accelerators", {})


def _squeeze(text: str) -> str:
    return _NO_LETTER.sub("", text).casefold()


def _change_description(tables: Tables, record: RuleMapping) -> None:
    record.allow("extends", "remove", "fields", "accelerators")
    fields = tables.setdefault("fields", {})
    for name in record.take_texts("remove"):
        if fields.pop(name, None) is None:
            raise record.fail(f"removes {name!r}, which the previous round does not have", "remove")
    for name, change in record.take("fields", dict, RuleMapping()).sections():
        _change_field(fields.setdefault(name, {}), change, name)
    makers = tables.setdefault("accelerators", {})
    added = record.take("accelerators", dict, RuleMapping())
    for maker in added:
        models = added.take_texts(maker)
        known = makers.setdefault(maker, [])
        _refuse_repeated(models, known, added, maker)
        known += models


def _change_field(field: dict[str, Any], change: RuleMapping, name: str) -> None:
    change.allow("meaning", "kind", "values", "least", *_FLAGS)
    for key, value in change.items():
        if key in field and field[key] == value:
            raise change.fail(f"{key!r} repeats what the previous round says; remove it", key)
        if key in _FLAGS and not isinstance(value, bool):
            raise change.fail(f"{key!r} must be true or false, not {value!r}", key)
    if change.take("kind", str, TEXT) not in KINDS:
        raise change.fail(f"'kind' must be one of {', '.join(KINDS)}", "kind")
    change.take("least", int)
    change.take_texts("values")
    field.update(change)
    if not field.get("meaning"):
        raise change.fail(f"the field {name!r} needs 'meaning'")


def _refuse_repeated(models: list[str], known: Collection[str], added: RuleMapping, maker: str) -> None:
    twice = next((model for model in models if model in known), None)
    if twice is not None:
        raise added.fail(f"the previous round knows {twice!r}; remove it", maker)


DESCRIPTIONS = RoundData("systems", _change_description)
"""Fields of system descriptions, as the build compiles them."""
