"""Where rules come from: the rule files of a folder, or what the build has compiled from them.

A folder holds one or the other. A checkout, and any folder that ``--rules`` names, holds rule files; of these just the
rounds that are requested are resolved, each time anew. An installed package holds the compiled rules in their place.
So there is never a copy that could be older than its source. A folder without codes of its own says only what differs
from the rules that ship with the package: its rounds extend theirs.
"""

from __future__ import annotations

import json
from functools import cache, cached_property
from os import PathLike, fspath, path
from typing import TYPE_CHECKING, Any

from mlperf_logging.bundled import RULES_FOLDER
from mlperf_logging.rules.resolved import ResolvedRuleset
from mlperf_logging.rules.rounds import RoundIndex, find_round
from mlperf_logging.rules.rulesets import Ruleset

if TYPE_CHECKING:
    from mlperf_logging.rules.codes import Vocabulary
    from mlperf_logging.rules.files import RuleFiles
    from mlperf_logging.rules.resolving import Resolver

COMPILED = "compiled"
"""Folder of the compiled rules, within that of the rules."""


class RuleRepository:
    """All rulesets of one folder of rules, which may be compiled, each loaded once.

    Attributes:
        folder: the folder.
        is_compiled: whether it holds what the build has compiled.
        base: the rules that those of the folder extend; None where the folder is complete.
    """

    def __init__(self, folder: str | PathLike[str] | None = None) -> None:
        self.folder = fspath(folder) if folder is not None else RULES_FOLDER
        is_complete = path.exists(f"{self.folder}/codes.yaml")
        self.is_compiled = not is_complete and path.isdir(f"{self.folder}/{COMPILED}")
        self.base = None if is_complete or self.is_compiled else open_rules()
        self._rulesets: dict[str, Ruleset] = {}
        self._index: list[RoundIndex] = []
        self._found: dict[tuple[str, str | None], RoundIndex] = {}
        self._vocabulary: Vocabulary | None = None

    def index(self) -> list[RoundIndex]:
        """All rounds, oldest first within a usage."""
        if not self._index:
            outlines = self.read_compiled("index") if self.is_compiled else self._resolver.list_outlines()
            self._index = [
                RoundIndex(name, dialect, tuple(names), begin, end, frozenset(keys))
                for name, dialect, names, begin, end, keys in outlines
            ]
        return self._index

    def find(self, name: str, usage: str | None = None) -> RoundIndex:
        """The round that a name means, see `find_round`; remembered, as many logs ask for the same."""
        wanted = name, usage
        if wanted not in self._found:
            self._found[wanted] = find_round(self.index(), name, usage)
        return self._found[wanted]

    @cached_property
    def usages(self) -> tuple[str, ...]:
        """The usages that have rounds."""
        return tuple(dict.fromkeys([entry.usage for entry in self.index()]))

    def load(self, name: str) -> Ruleset:
        """One ruleset by its name, see `find_round`."""
        if name not in self._rulesets:
            name = self.find(name).name
        if name not in self._rulesets:
            self._rulesets[name] = Ruleset(self.find_resolved(name), self.vocabulary)
        return self._rulesets[name]

    def vocabulary(self) -> Vocabulary:
        """The codes and what is known of the keys."""
        if not self.is_compiled:
            return self._resolver.vocabulary
        if self._vocabulary is None:
            from mlperf_logging.rules.codes import Vocabulary

            self._vocabulary = Vocabulary.from_json(self.read_compiled("vocabulary"))
        return self._vocabulary

    @property
    def files(self) -> RuleFiles:
        """The rule files, where the rules are not compiled."""
        return self._resolver.files

    def read_compiled(self, name: str) -> Any:
        """A document that the build has compiled, as JSON values."""
        with open(f"{self.folder}/{COMPILED}/{name}.json", "rb") as file:
            return json.loads(file.read())

    def find_resolved(self, name: str) -> ResolvedRuleset:
        """What the rule files of one round, by ``usage/round``, resolve to."""
        if self.is_compiled:
            return ResolvedRuleset.from_json(self.read_compiled(name))
        return self._resolver.resolve(name)

    @cached_property
    def _resolver(self) -> Resolver:
        from mlperf_logging.rules.files import RuleFiles
        from mlperf_logging.rules.resolved import BaseRules
        from mlperf_logging.rules.resolving import Resolver

        if self.base is None:
            return Resolver(RuleFiles(self.folder))
        outlines = {entry.name: (entry.dialect, entry.benchmarks) for entry in self.base.index()}
        base = BaseRules(outlines, self.base.vocabulary(), self.base.find_resolved)
        return Resolver(RuleFiles(self.folder, outlines), base)


def open_rules(folder: str | PathLike[str] | None = None) -> RuleRepository:
    """Rules, opened once per process: of a folder, of an installed package, or, for None, those of this package.

    Raises:
        UsageError: there is no such folder, and no installed package has rules of this name.
    """
    return _open_once(find_rules_folder(fspath(folder)) if folder is not None else RULES_FOLDER)


def find_rules_folder(name: str) -> str:
    """The folder of rules: itself, or that of an installed package that offers rules under a name.

    Such a package declares an entry point of the group ``mlperf_logging.rules`` that names the package, in it or
    itself, whose folder holds the rule files. Nothing of it is imported.

    Raises:
        UsageError: there is none.
    """
    if path.isdir(name):
        return name
    from mlperf_logging.rules.installed import find_installed_rules

    return find_installed_rules(name)


@cache
def _open_once(folder: str) -> RuleRepository:
    return RuleRepository(folder)


def load_ruleset(name: str, *, rules: str | PathLike[str] | None = None) -> Ruleset:
    """One round's rules, for example ``load_ruleset("training/R")`` for a round R.

    Args:
        name: ``usage/round``, or another way to write it, see `find_round`.
        rules: folder of other rule files; None means those that ship with the package.

    Raises:
        UsageError: there is no such ruleset.
        RuleError: a rule file is wrong.
    """
    return open_rules(rules).load(name)
