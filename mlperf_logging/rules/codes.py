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
    """One kind of finding: ``MLPxxx``, a few words, what it means and why it matters, how to fix it."""

    code: str
    title: str
    text: str
    hint: str


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
            name: Code(name, body["title"], body["text"], body.get("hint", ""))
            for name, body in codes.items()
        }
        return cls(known, groups, sentences)

    def group_of(self, key: str) -> str:
        """The group of a key (of the first, where two are given with ``|`` between)."""
        return self.groups.get(key.partition("|")[0], HYPERPARAMETER)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Vocabulary:
        """A vocabulary from the JSON form of its fields."""
        return cls(**{**value, "codes": {name: Code(*body) for name, body in value["codes"].items()}})


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
