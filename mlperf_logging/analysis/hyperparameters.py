"""Hyperparameters of several submissions side by side, with what the rules let differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mlperf_logging.analysis.columns import make_table, name_columns
from mlperf_logging.analysis.grouping import GROUP
from mlperf_logging.analysis.reading import RunRows
from mlperf_logging.rules.clauses import OCCURS
from mlperf_logging.rules.formula import Node, walk
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.rules.rule import Rule
from mlperf_logging.rules.rulesets import Ruleset
from mlperf_logging.tables import FLAG, TEXT, Column

if TYPE_CHECKING:
    import pandas as pd

FIXED, COMPUTED, CHOICE, BOUNDED, FREE, UNKNOWN = (
    "required equal",
    "computed",
    "one of a set",
    "bounded",
    "free",
    "not in the rules",
)
FREEDOMS = (FIXED, COMPUTED, CHOICE, BOUNDED, FREE, UNKNOWN)
"""What the rules let a submitter do with a value, the strictest first."""

HYPERPARAMETER_COLUMNS = name_columns(
    Column("benchmark", TEXT, "benchmark of the runs"),
    Column("key", TEXT, "log key"),
    Column("freedom", TEXT, "what the rules leave open: " + ", ".join(FREEDOMS)),
    Column("rule", TEXT, "what the rules require of the value; empty where it is free"),
    Column("submitter", TEXT, "submitter of the runs"),
    Column("system", TEXT, "system of the runs"),
    Column("value", TEXT, "the values of the group's runs as JSON, each once; empty where none was logged"),
    Column("differs", FLAG, "whether the groups of the benchmark log different values"),
    Column("breaks_rule", FLAG, "whether a rule blames the value in one of the runs"),
)
"""Columns of `tabulate_hyperparameters`, one row per key and group of runs."""

_TRIVIAL = {(">", 0), (">=", 0), (">=", 1), (">", -1), ("!=", "")}


class KeyRule(NamedTuple):
    """What the rules require of one key's values.

    Attributes:
        freedom: one of `FREEDOMS`.
        text: the formulas, as written.
    """

    freedom: str
    text: str


def tabulate_hyperparameters(rows: Iterable[RunRows], *, rules: str | None = None) -> pd.DataFrame:
    """The hyperparameters of each group of runs, with what the rules say about each.

    Keys that the rules count among evaluations, times and identities are left out, and so is the seed. The rules are
    those of the groups' round and division, the strict ones included.

    Args:
        rows: what `read_rows` gave for each log.
        rules: folder of other rule files; None for those of the package.

    Returns:
        One row per benchmark, key and group, see `HYPERPARAMETER_COLUMNS`; the keys that differ first.
    """
    by_benchmark: dict[str, dict[tuple[str, ...], list[RunRows]]] = {}
    for each in rows:
        if each.ruleset is not None:
            group = tuple(str(each.run.get(name) or "") for name in GROUP)
            by_benchmark.setdefault(group[0], {}).setdefault(group, []).append(each)
    book = open_rules(rules)
    found: list[dict[str, Any]] = []
    for benchmark, groups in sorted(by_benchmark.items()):
        members = [run for runs in groups.values() for run in runs]
        ruleset = book.load(str(members[0].ruleset))
        wanted = list_key_rules(ruleset, benchmark, members[0].division, members[0].variants)
        found += _compare_groups(benchmark, groups, wanted, _choose_keys(members, ruleset))
    return make_table(found, HYPERPARAMETER_COLUMNS)


def list_key_rules(
    ruleset: Ruleset, benchmark: str, division: str | None, variants: tuple[str, ...] = ()
) -> dict[str, KeyRule]:
    """What the rules require of the values of each key; of an unknown benchmark only what all have in common."""
    known = benchmark if benchmark in ruleset.benchmarks else None
    rules: dict[str, list[Rule]] = {}
    for rule in ruleset.table(division, known, variants, strict=True).rules:
        for key in rule.key.split("|"):
            rules.setdefault(key, []).append(rule)
    return {key: _summarize(each) for key, each in rules.items()}


def pivot_hyperparameters(
    table: pd.DataFrame, benchmark: str, *, only_different: bool = True
) -> pd.DataFrame:
    """One benchmark's hyperparameters with a column for each "submitter system", for people to read.

    Values that break a rule end in " (!)".
    """
    rows = table[table["benchmark"] == benchmark]
    if only_different:
        rows = rows[rows["differs"].fillna(value=False)]
    marks = rows["breaks_rule"].fillna(value=False).map({True: " (!)", False: ""})
    shown = rows.assign(
        group=rows["submitter"].fillna("") + " " + rows["system"].fillna(""),
        value=rows["value"].fillna("") + marks.astype("string"),
    )
    wide = shown.pivot_table(
        index=["key", "freedom", "rule"],
        columns="group",
        values="value",
        aggfunc="first",
        sort=False,
        dropna=False,
    )
    return wide.dropna(how="all").reset_index().rename_axis(columns=None)


def _choose_keys(runs: Sequence[RunRows], ruleset: Ruleset) -> list[str]:
    """Keys that are settings: hyperparameters of the rules, and others that each run logs once and for all."""
    vocabulary = ruleset.vocabulary()
    keys = dict.fromkeys(key for run in runs for key in run.hyperparameters)
    return [key for key in keys if key not in vocabulary.groups and key != "seed"]


def _compare_groups(
    benchmark: str,
    groups: dict[tuple[str, ...], list[RunRows]],
    wanted: dict[str, KeyRule],
    keys: Sequence[str],
) -> list[dict[str, Any]]:
    rows = []
    for key in keys:
        requirement = wanted.get(key, KeyRule(UNKNOWN, ""))
        values = {group: _collect_values(key, runs) for group, runs in groups.items()}
        differs = len(set(values.values())) > 1
        rows += [
            {
                "benchmark": benchmark,
                "key": key,
                "freedom": requirement.freedom,
                "rule": requirement.text,
                "submitter": group[1],
                "system": group[2],
                "value": values[group] or None,
                "differs": differs,
                "breaks_rule": any(key in run.broken for run in runs),
            }
            for group, runs in groups.items()
        ]
    order = {freedom: index for index, freedom in enumerate(FREEDOMS)}
    return sorted(rows, key=lambda row: (not row["differs"], order[row["freedom"]], row["key"]))


def _collect_values(key: str, runs: Iterable[RunRows]) -> str:
    texts = {
        json.dumps(_plain(run.hyperparameters[key]), sort_keys=True)
        for run in runs
        if key in run.hyperparameters
    }
    return "; ".join(sorted(texts))


def _plain(value: Any) -> Any:
    """Integral floats as integers: one writer logs 2, another 2.0."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value


def _summarize(rules: Iterable[Rule]) -> KeyRule:
    texts, freedoms = [], [FREE]
    for rule in rules:
        if rule.on == OCCURS:
            continue
        freedom = _classify(rule.node)
        freedoms.append(freedom)
        if freedom != FREE and rule.text not in texts:
            texts.append(rule.text)
    return KeyRule(min(freedoms, key=FREEDOMS.index), "; ".join(texts))


def _classify(node: Node) -> str:
    name, *rest = node
    if name == "conjunction":
        return min((_classify(part) for part in rest), key=FREEDOMS.index)
    looks_elsewhere = any(part[0] in {"logged", "meta", "event", "count"} for part in walk(node))
    if name == "comparison" and rest[0] == ["value"] and len(rest) == 3:
        sign, other = rest[1], rest[2]
        if looks_elsewhere:
            return COMPUTED if sign == "==" else BOUNDED
        if sign == "==":
            return FIXED
        is_plain = other[0] in {"number", "string"}
        return FREE if is_plain and (sign, other[1]) in _TRIVIAL else BOUNDED
    if name == "membership" and rest[0] == ["value"]:
        return FIXED if len(rest) == 2 and rest[1][0] != "benchmarks" else CHOICE
    if name == "disjunction" and all(_classify(part) in {FIXED, CHOICE} for part in rest):
        return CHOICE
    if name == "call" and rest[0] == "close" and looks_elsewhere:
        return COMPUTED
    if name == "call" and rest[0] == "integer" and rest[1] == ["value"]:
        return FREE  # any whole number
    return COMPUTED if looks_elsewhere and "==" in rest else BOUNDED
