"""The values that a resolved ruleset is made of. They are read-only, and JSON in compiled rules."""

from typing import Any, NamedTuple

from mlperf_logging.errors import RuleError
from mlperf_logging.rules.formula import Node

STRICT = "strict"
"""Level of rules that the written rules state and no public check tests."""


class Rule(NamedTuple):
    """One statement about one key, with all that a message or a document needs.

    Attributes:
        id: stable name, unique over all rule files, for example ``"common.run_start"``.
        code: ``MLPxxx``, the kind of finding that breaking it gives.
        key: the log key, or two keys with ``|`` between.
        on: the kind of clause, one of `clauses.CLAUSES`.
        node: the syntax tree of the formula (of the occurrence, for ``occurs``).
        text: the formula as written.
        severity: ``"error"`` or ``"warning"``.
        level: 1 or 2 where a ruleset grades, ``"strict"``, or None.
        scope: the layer that says it: ``common``, ``closed``, ``open``, ``<benchmark>``,
            ``<benchmark>.closed`` …
        summary: what it requires, in a sentence; empty where the formula says it all.
        why: the reason; empty where the code's explanation says it.
        hint: how to fix a violation; empty for the code's own.
        source: where the requirement comes from; empty for the round's own source.
        since: the round that introduced it.
        changed: the rounds that changed it since.
        passing: events of an example that satisfies it; empty where examples are derived from the formula.
        failing: events of an example that breaks it.
        path: the rule file.
        line: line in the rule file.
    """

    id: str
    code: str
    key: str
    on: str
    node: Node
    text: str
    severity: str
    level: int | str | None
    scope: str
    summary: str = ""
    why: str = ""
    hint: str = ""
    source: str = ""
    since: str = ""
    changed: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    path: str = ""
    line: int = 0

    @classmethod
    def from_json(cls, value: Any) -> "Rule":
        """A rule from its JSON form, in which its tuples are lists."""
        *head, changed, passing, failing, path, line = value
        return cls._make([*head, tuple(changed), tuple(passing), tuple(failing), path, line])

    def fail(self, message: str) -> RuleError:
        """An error of the rule, with its place."""
        return RuleError(message, path=self.path, line=self.line, rule=self.id)

    @property
    def can_fail(self) -> bool:
        """False for the clause "any number", which only says that a key is known."""
        return bool(self.node[0] != "any_number")


class CellRules(NamedTuple):
    """All rules that one layer states about one key; `also`: they add to the wider layer's and replace none."""

    also: bool
    rules: tuple[Rule, ...]

    @classmethod
    def from_json(cls, value: Any) -> "CellRules":
        """The rules from their JSON form."""
        also, rules = value
        return cls(also, tuple([Rule.from_json(rule) for rule in rules]))


Layer = dict[str, CellRules]
"""The rules of one layer, by key."""
