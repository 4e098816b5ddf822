"""The vocabulary of findings: what each code means, and which keys belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mlperf_logging.rules.clauses import ANY, OCCURS, ONCE_EACH
from mlperf_logging.rules.formula import Node, walk

if TYPE_CHECKING:
    from mlperf_logging.rules.files import RuleFiles

LIFECYCLE, EVALUATION, HYPERPARAMETER = "lifecycle", "evaluation", "hyperparameter"

CONFLICTING = {"MLP101": "MLP102", "MLP301": "MLP302", "MLP401": "MLP406"}
"""Code of "missing" to that of "logged more than once, with different values"."""

REPEATED = {"MLP101": "MLP103", "MLP301": "MLP303", "MLP401": "MLP407"}
"""Code of "missing" to that of "logged more than once, each time with the same value"."""


class Code(NamedTuple):
    """One kind of finding.

    Attributes:
        code: ``MLPxxx``.
        title: a few words.
        text: what it means and why it matters.
        hint: how to fix it.
        rule: id of the one rule that gives it, where that is about a submission's files rather than a log; else empty.
        severity: ``"error"`` or ``"warning"``, of the rule's findings.
        source: where the rule is written.
        passing: lines of an example that satisfies the rule.
        failing: lines of an example that breaks it.
    """

    code: str
    title: str
    text: str
    hint: str
    rule: str = ""
    severity: str = ""
    source: str = ""
    passing: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()


class Vocabulary(NamedTuple):
    """The codes, and what is known of the keys.

    Attributes:
        codes: all codes, by name.
        groups: group of each key that is not a hyperparameter.
        keys: one sentence on each key.
    """

    codes: dict[str, Code]
    groups: dict[str, str]
    keys: dict[str, str]

    @classmethod
    def load(cls, files: RuleFiles, base: Vocabulary | None = None) -> Vocabulary:
        """Read ``codes.yaml`` and ``keys.yaml`` of a folder of rule files, or take the codes of a base and add keys."""
        groups, sentences = (dict(base.groups), dict(base.keys)) if base is not None else ({}, {})
        if base is None or files.has("keys"):
            for group, members in files.load("keys").sections():
                sentences |= members
                if group != HYPERPARAMETER:
                    groups |= dict.fromkeys(members, group)
        if base is not None:
            return base._replace(groups=groups, keys=sentences)
        codes = files.load("codes")
        for name, body in codes.sections():
            for needed in ("title", "text"):
                if needed not in body:
                    raise codes.fail(f"{name!r} needs {needed!r}", name)
        known = {
            name: Code(
                name,
                body["title"],
                body["text"],
                body.get("hint", ""),
                *[body.get(field, "") for field in ("rule", "severity", "source")],
                *[tuple(body.get(field, ())) for field in ("passing", "failing")],
            )
            for name, body in codes.items()
        }
        return cls(known, groups, sentences)

    def list_file_rules(self) -> dict[str, Code]:
        """The rules about a submission's files, by id; each has a code of its own."""
        return {code.rule: code for code in self.codes.values() if code.rule}

    def group_of(self, key: str) -> str:
        """The group of a key (of the first, where two are given with ``|`` between)."""
        return self.groups.get(key.partition("|")[0], HYPERPARAMETER)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Vocabulary:
        """A vocabulary from the JSON form of its fields."""
        codes = {
            name: Code._make([*head, tuple(passing), tuple(failing)])
            for name, (*head, passing, failing) in value["codes"].items()
        }
        return cls(**{**value, "codes": codes})


def choose_code(group: str, kind: str, node: Node) -> str:
    """The code of a rule that a cell states: by the key's group and by what the clause speaks of."""
    places = {part[0] for part in walk(node)}
    if kind == OCCURS:
        if node[0] == "alternating":
            return "MLP203"
        if group == EVALUATION:
            return "MLP401"
        return "MLP301" if group == HYPERPARAMETER else "MLP101"
    if kind == ONCE_EACH:
        return "MLP306"
    if group == EVALUATION:
        if kind == ANY:
            return "MLP403"
        if "present" in places:
            return "MLP402"
        if "state" in places:
            return "MLP204"
        return "MLP404" if "meta" in places else "MLP405"
    if "state" in places:
        return "MLP201"
    if "minutes_since" in places:
        return "MLP202"
    if group == HYPERPARAMETER:
        return "MLP305" if places & {"logged", "previous", "count"} else "MLP304"
    if group == LIFECYCLE:
        return "MLP108"
    return "MLP104"
