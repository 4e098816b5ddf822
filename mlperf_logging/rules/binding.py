"""Binding the cells of a ruleset: lists of benchmarks and tensors take the place of their names.

That is done where a table is made, not where a round is resolved: a round that extends another may change the lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlperf_logging.rules.clauses import ONCE_EACH
from mlperf_logging.rules.rule import Layer, Rule


def bind_names(layer: Layer, benchmarks: Sequence[str], lists: Mapping[str, list[str]]) -> Layer:
    """The cells with the names behind "in benchmarks" and "once in NAME" in place."""
    bound = dict(layer)
    for key, cell in layer.items():
        rules = [_bind_rule(rule, benchmarks, lists) for rule in cell.rules]
        if any(new is not old for new, old in zip(rules, cell.rules, strict=True)):
            bound[key] = cell._replace(rules=tuple(rules))
    return bound


def _bind_rule(rule: Rule, names: Sequence[str], lists: Mapping[str, list[str]]) -> Rule:
    if rule.on != ONCE_EACH:
        if "benchmarks" not in rule.text:
            return rule
        text = rule.text.replace("in benchmarks", f"in {{{', '.join(names)}}}")
        return rule._replace(node=_bind_node(rule.node, names), text=text)
    _, place, wanted = rule.node
    if wanted not in lists:
        raise rule.fail(f"there is no list {wanted!r} under 'lists'")
    from mlperf_logging.rules.brace_expansion import expand_names

    return rule._replace(node=["once_each", place, wanted, expand_names(lists[wanted])])


def _bind_node(node: Any, names: Sequence[str]) -> Any:
    if not isinstance(node, list):
        return node
    if node[:1] == ["membership"] and node[2:] == [["benchmarks"]]:
        return ["membership", node[1], *[["string", name] for name in names]]
    return [_bind_node(part, names) for part in node]
