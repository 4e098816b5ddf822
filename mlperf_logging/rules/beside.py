"""Data that a round has beside its rules, such as reference points: files that say what changed since the round before.

``FOLDER/USAGE-ROUND.yaml`` says which round it ``extends``; a round without such a file has the data of the round that its
rule file extends.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

from mlperf_logging.rules.files import RuleFiles, RuleMapping
from mlperf_logging.rules.repository import RuleRepository

Tables = dict[str, dict[str, Any]]
"""What a kind of data comes to for one round: JSON values, by name."""
INDEX = "index"
"""The compiled document that says which one holds a round's data: rounds with equal data share one, those without have none."""


class RoundData(NamedTuple):
    """One kind of data beside the rules.

    Attributes:
        folder: where its files are, and its compiled documents.
        change: changes the data of the round before by what a file says, in place.
    """

    folder: str
    change: Callable[[Tables, RuleMapping], None]

    def load(self, rules: RuleRepository, name: str) -> Tables:
        """The data of ``usage/round``; empty if it has none.

        Raises:
            UsageError: there is no such round.
            RuleError: a file is wrong.
        """
        rules.load(name)
        return self._find(rules, name)

    def resolve(
        self,
        files: RuleFiles,
        name: str,
        find_in_base: Callable[[str], Tables] | None = None,
        above: tuple[str, ...] = (),
    ) -> Tables:
        """The data of one round.

        Args:
            files: the rule files.
            name: ``usage/round``.
            find_in_base: gives the data of a round of the rules that those of the files extend, where they do.
            above: the rounds that extend it and ask.
        """
        file = f"{self.folder}/{name.replace('/', '-')}"
        has_file = files.has(file)
        record = files.load(file if has_file else name)
        parent = files.find_parent(name, record)
        tables: Tables = {}
        if parent is not None and find_in_base is not None and files.is_of_base(parent, name):
            tables = copy.deepcopy(find_in_base(parent))
        elif parent is not None:
            if parent in (name, *above):
                raise record.fail(f"{parent} and {name} extend each other; one of them must not", "extends")
            tables = self.resolve(files, parent, find_in_base, (*above, name))
        if has_file:
            self.change(tables, record)
        return tables

    def _find(self, rules: RuleRepository, name: str) -> Tables:
        if rules.is_compiled:
            document = rules.read_compiled(f"{self.folder}/{INDEX}").get(name)
            tables: Tables = rules.read_compiled(f"{self.folder}/{document}") if document is not None else {}
            return tables
        base = rules.base
        find_in_base = None if base is None else lambda parent: self._find(base, parent)
        return self.resolve(rules.files, name, find_in_base)
