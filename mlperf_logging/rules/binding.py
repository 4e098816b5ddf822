"""Binding a resolved ruleset: lists of benchmarks and tensors take the place of their names."""

from __future__ import annotations

from functools import partial
from typing import Any

from mlperf_logging.rules.brace_expansion import expand_names
from mlperf_logging.rules.clauses import ONCE_EACH
from mlperf_logging.rules.resolved import ResolvedRuleset
from mlperf_logging.rules.rule import CellRules, Rule


def bind_names(ruleset: ResolvedRuleset) -> ResolvedRuleset:
    """The ruleset with the names behind "in benchmarks" and "once in NAME" in place."""
    names = list(ruleset.benchmarks)

    def bind(cell: CellRules, lists: dict[str, list[str]] | None = None) -> CellRules:
        return cell._replace(rules=tuple([_bind_rule(rule, names, lists or {}) for rule in cell.rules]))

    benchmarks = {
        name: rules.map(partial(bind, lists=rules.lists)) for name, rules in ruleset.benchmarks.items()
    }
    return ruleset._replace(
        benchmarks=benchmarks, layers=ruleset.layers.map(bind), strict=ruleset.strict.map(bind)
    )


def _bind_rule(rule: Rule, names: list[str], lists: dict[str, list[str]]) -> Rule:
    if rule.on != ONCE_EACH:
        if "benchmarks" not in rule.text:
            return rule
        text = rule.text.replace("in benchmarks", f"in {{{', '.join(names)}}}")
        return rule._replace(node=_bind_node(rule.node, names), text=text)
    _, place, wanted = rule.node
    if wanted not in lists:
        raise rule.fail(f"there is no list {wanted!r} under 'lists'")
    return rule._replace(node=["once_each", place, wanted, expand_names(lists[wanted])])


def _bind_node(node: Any, names: list[str]) -> Any:
    if not isinstance(node, list):
        return node
    if node[:1] == ["membership"] and node[2:] == [["benchmarks"]]:
        return ["membership", node[1], *[["string", name] for name in names]]
    return [_bind_node(part, names) for part in node]
