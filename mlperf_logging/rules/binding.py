"""Binding a resolved ruleset: lists of benchmarks and tensors take the place of their names."""

from __future__ import annotations

from typing import Any

from mlperf_logging.errors import RuleError
from mlperf_logging.events import DIVISIONS
from mlperf_logging.rules.brace_expansion import expand_names
from mlperf_logging.rules.rule import Entry, Rule


def finish_draft(draft: dict[str, Any]) -> dict[str, Any]:
    """The ruleset complete: "in benchmarks" and "once in NAME" bound, benchmarks of former rounds left out.

    Raises:
        RuleError: a rule names a list that its benchmark does not have.
    """
    names, tables = draft["benchmarks"], draft["tables"]
    layers = {layer: _bind(draft["layers"][layer], names, {}) for layer in draft["layers"]}
    bound = {name: _bind(tables[name], names, tables[name]["lists"]) for name in names}
    return {
        **draft,
        "layers": layers,
        "strict": _bind(draft["strict"], names, {}),
        "tables": bound,
        "divisions": any(part[layer] for part in (layers, *bound.values()) for layer in DIVISIONS),
    }


def _bind(value: Any, names: list[str], lists: dict[str, Any]) -> Any:
    if isinstance(value, Entry):
        return value._replace(rules=tuple([_bind_rule(rule, names, lists) for rule in value.rules]))
    if isinstance(value, dict):
        return {key: _bind(item, names, lists) for key, item in value.items()}
    return value


def _bind_rule(rule: Rule, names: list[str], lists: dict[str, Any]) -> Rule:
    if rule.on != "once_each":
        text = rule.text.replace("in benchmarks", f"in {{{', '.join(names)}}}")
        return rule._replace(node=_bind_node(rule.node, names), text=text)
    _, place, wanted = rule.node
    if wanted not in lists:
        raise RuleError(
            f"there is no list {wanted!r} under 'lists'", path=rule.path, line=rule.line, rule=rule.id
        )
    return rule._replace(node=["once_each", place, wanted, expand_names(lists[wanted])])


def _bind_node(node: Any, names: list[str]) -> Any:
    if not isinstance(node, list):
        return node
    if node[:1] == ["membership"] and node[2:] == [["benchmarks"]]:
        return ["membership", node[1], *[["string", name] for name in names]]
    return [_bind_node(part, names) for part in node]
