"""Fingerprints of rules: equal ones mean that the same log gets the same verdict."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlperf_logging.rules.repository import RuleRepository

_SUFFIXES = (".yaml", ".json")


def fingerprint_files(rules: RuleRepository) -> str:
    """The SHA-256 of all files of a folder of rules and of the rules that these extend; nothing is resolved."""
    digest = hashlib.sha256()
    for folder in (rules.folder, *([rules.base.folder] if rules.base is not None else [])):
        for path in sorted(_list_files(folder)):
            with open(path, "rb") as file:
                content = file.read()
            digest.update(
                f"{os.path.relpath(path, folder)}\0{len(content)}\0".encode("utf-8", "surrogateescape")
            )
            digest.update(content)
    return digest.hexdigest()


def fingerprint_ruleset(rules: RuleRepository, name: str | None) -> str:
    """The SHA-256 of what judging by one ruleset depends on: what it resolves to, and what choosing it looks at.

    Args:
        rules: the rules.
        name: ``usage/round``; None for all rulesets together.

    Raises:
        UsageError: there is no such ruleset.
        RuleError: a rule file is wrong.
    """
    index = [(*entry[:-1], sorted(entry.keys)) for entry in rules.index()]
    names = [entry.name for entry in rules.index()] if name is None else [name]
    parts = [index, rules.vocabulary(), *map(rules.find_resolved, names)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _list_files(folder: str) -> Iterator[str]:
    for place, _, names in os.walk(folder):
        yield from [os.path.join(place, name) for name in names if name.endswith(_SUFFIXES)]
