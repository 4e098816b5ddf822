"""Resolving rounds: rule files that say what changed, into one complete ruleset with provenance.

A round's file names the round it extends and states only differences; a benchmark's file states the
benchmark's tables as they were when it joined. Every statement stands in one place, and a difference that
makes no difference is refused.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from mlperf_logging.errors import RuleError
from mlperf_logging.events import DIVISIONS
from mlperf_logging.parsing.dialects import load_dialects, rank_dialect
from mlperf_logging.rules import cells
from mlperf_logging.rules.cells import Origin
from mlperf_logging.rules.codes import Vocabulary
from mlperf_logging.rules.files import Mapping, load_rule_file
from mlperf_logging.rules.formula import Node, parse_formula
from mlperf_logging.rules.rule import STRICT, Entry, Layer, Rule

LAYERS = ("both", *DIVISIONS)
_ROUND_KEYS = (
    "extends",
    "title",
    "source",
    "dialect",
    "default_level",
    "reading",
    "benchmarks",
    "state",
    "common",
    *DIVISIONS,
    "strict",
    "rules",
    "amend",
    "drop",
    "tables",
    "change",
)
_FACT_KEYS = ("area", "dataset", "model")
_TABLE_KEYS = (*LAYERS, "variants", "strict", "lists", "join", "progress", "runs", "rules")


class Resolver:
    """Resolves rulesets of one folder of rule files, each file read once.

    Attributes:
        folder: the folder that holds ``training/``, ``hpc/``, ``benchmarks/`` and the vocabulary.
        vocabulary: the codes and the groups of keys.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.vocabulary = Vocabulary.load(folder)
        self._drafts: dict[str, dict[str, Any]] = {}
        self._rule_places: dict[str, tuple[str, int]] = {}

    def list_rulesets(self) -> list[str]:
        """All rulesets as ``usage/round``, oldest first within a usage, by number."""
        found = [
            f"{path.parent.name}/{path.stem}"
            for path in self.folder.glob("*/*.yaml")
            if path.stem[:1].isdigit()
        ]
        return sorted(found, key=sort_key)

    def resolve(self, name: str, _below: tuple[str, ...] = ()) -> dict[str, Any]:
        """The complete ruleset as a tree of JSON-able values.

        Raises:
            RuleError: a rule file is wrong; the message names file, line, rule and mend.
        """
        if name not in self._drafts:
            self._drafts[name] = self._resolve(name, _below)
        return self._drafts[name]

    def _resolve(self, name: str, below: tuple[str, ...]) -> dict[str, Any]:
        shown = f"{name}.yaml"
        record = load_rule_file(self.folder / shown, shown)
        record.allow(*_ROUND_KEYS)
        parent = record.take("extends", str)
        if parent is None:
            draft = _empty_draft()
        else:
            parent = parent if "/" in parent else f"{name.split('/', maxsplit=1)[0]}/{parent}"
            if parent in (name, *below):
                raise record.fail(f"{parent} and {name} extend each other; one of them must not", "extends")
            if not (self.folder / f"{parent}.yaml").is_file():
                raise record.fail(f"extends {parent}, which has no rule file", "extends")
            draft = copy.deepcopy(self.resolve(parent, (*below, name)))
        draft["name"] = name
        for key in ("title", "source", "dialect"):
            draft[key] = record.take(key, str, draft[key])
        if not draft["dialect"]:
            raise record.fail("the round does not say its dialect; add 'dialect'")
        if rank_dialect(draft["dialect"]) < 0:
            known = ", ".join(dialect.name for dialect in load_dialects())
            raise record.fail(f"there is no dialect {draft['dialect']!r}; known are {known}", "dialect")
        draft["default_level"] = record.take("default_level", int, draft["default_level"])
        if "reading" in record:
            record.take("reading", dict).allow("once", "order")
            draft["reading"] = record["reading"]
        _Change(self, draft, record, name).apply()
        return draft

    def load_benchmark(self, benchmark: str, asked: Mapping) -> Mapping:
        """The file of one benchmark.

        Raises:
            RuleError: there is none, or it names another benchmark.
        """
        path = self.folder / "benchmarks" / f"{benchmark}.yaml"
        if not path.is_file():
            raise asked.fail(
                f"benchmark {benchmark!r} has no file benchmarks/{benchmark}.yaml; add one", "benchmarks"
            )
        record = load_rule_file(path, f"benchmarks/{benchmark}.yaml")
        record.allow("benchmark", "extends", *_FACT_KEYS, *_TABLE_KEYS)
        if record.get("benchmark") != benchmark:
            raise record.fail(
                f"says benchmark {record.get('benchmark')!r} where the file is named {benchmark!r}"
            )
        return record

    def claim_id(self, rule: str, path: str, line: int) -> None:
        """Note where a rule id is defined.

        Raises:
            RuleError: the id is used at another place already.
        """
        place = self._rule_places.setdefault(rule, (path, line))
        if place != (path, line):
            raise RuleError(
                f"this id is used already in {place[0]}:{place[1]}; choose another",
                path=path,
                line=line,
                rule=rule,
            )


def sort_key(name: str) -> tuple[str, list[int]]:
    """Orders ``usage/round`` names by usage and then by the round's numbers."""
    usage, _, version = name.partition("/")
    return usage, [int(part) if part.isdigit() else 0 for part in version.split(".")]


def _empty_draft() -> dict[str, Any]:
    return {
        "title": "",
        "source": "",
        "dialect": "",
        "default_level": None,
        "reading": {},
        "benchmarks": [],
        "state": {"initial": {}, "on": {}},
        "layers": {layer: {} for layer in LAYERS},
        "strict": {layer: {} for layer in LAYERS},
        "tables": {},
    }


def _empty_table() -> dict[str, Any]:
    return {
        "facts": {},
        **{layer: {} for layer in LAYERS},
        "variants": {},
        "lists": {},
        "join": None,
        "strict": {layer: {} for layer in LAYERS},
    }


class _Change:
    """One round's file applied to the ruleset that it extends."""

    def __init__(self, resolver: Resolver, draft: dict[str, Any], record: Mapping, name: str) -> None:
        self.resolver = resolver
        self.draft = draft
        self.record = record
        self.round = name

    def apply(self) -> None:
        record, draft = self.record, self.draft
        if "benchmarks" in record:
            self._apply_benchmarks(record.take("benchmarks", dict))
        for name, table in record.take("tables", dict, Mapping()).sections():
            if name in draft["benchmarks"]:
                raise record["tables"].fail(f"{name!r} has a table already; use 'change'", name)
            draft["benchmarks"].append(name)
            draft["tables"][name] = _empty_table()
            draft["tables"][name]["facts"] = {key: table[key] for key in _FACT_KEYS if key in table}
            self._apply_table(name, table, _FACT_KEYS)
        if "state" in record:
            self._apply_state(record.take("state", dict))
        for layer, key in (("both", "common"), *zip(DIVISIONS, DIVISIONS, strict=True)):
            if key in record:
                self._apply_layer(draft["layers"][layer], record.take(key, dict), key)
        self._apply_strict(draft["strict"], record, "")
        for name, table in record.take("change", dict, Mapping()).sections():
            if name not in draft["tables"]:
                raise record["change"].fail(f"changes {name!r}, which is not a benchmark of this round", name)
            self._apply_table(name, table)
        self._add_records(record)
        for rule, fields in record.take("amend", dict, Mapping()).sections():
            self._amend(rule, fields)
        for rule in record.take_texts("drop"):
            self._replace_rule(rule, None)

    def _apply_benchmarks(self, change: Mapping) -> None:
        change.allow("add", "remove")
        draft, removed = (
            self.draft,
            change.take("remove", (list if change.get("remove") != "all" else str), []),
        )
        for name in list(draft["benchmarks"]) if removed == "all" else removed:
            if name not in draft["benchmarks"]:
                raise change.fail(f"removes {name!r}, which the extended round does not have", "remove")
            draft["benchmarks"].remove(name)
            self._former = {**getattr(self, "_former", {}), name: draft["tables"].pop(name)}
        for name in change.take_texts("add"):
            if name in draft["benchmarks"]:
                raise change.fail(f"adds {name!r}, which the extended round has already", "add")
            record = self.resolver.load_benchmark(name, self.record)
            parent = record.take("extends", str)
            if parent is None:
                table = _empty_table()
            else:
                base = draft["tables"].get(parent) or getattr(self, "_former", {}).get(parent)
                if base is None:
                    raise record.fail(
                        f"extends {parent!r}, which is not a benchmark of the round before", "extends"
                    )
                table = cells.rename_scope(copy.deepcopy(base), parent, name)
            table["facts"] = {key: record[key] for key in _FACT_KEYS if key in record}
            draft["benchmarks"].append(name)
            draft["tables"][name] = table
            self._apply_table(name, record, ("benchmark", "extends", *_FACT_KEYS))

    def _apply_state(self, change: Mapping) -> None:
        for key, words in change.sections():
            if key == "initial":
                self.draft["state"]["initial"].update(words)
                continue
            on = self.draft["state"]["on"].setdefault(key, {})
            for word, formula in words.items():
                on[word] = self._formula(
                    str(formula).lower() if isinstance(formula, bool) else str(formula), words, word
                )

    def _apply_table(self, name: str, change: Mapping, known: tuple[str, ...] = ()) -> None:
        table = self.draft["tables"][name]
        change.allow(*known, *_TABLE_KEYS)
        table["lists"] = cells.read_lists(change.take("lists", dict, Mapping()), table["lists"])
        if "join" in change:
            table["join"] = cells.read_join(change, table["join"])
        if "progress" in change:
            table["facts"]["progress"] = cells.read_counting(change, table["facts"].get("progress"))
        if "runs" in change:
            table["facts"]["runs"] = cells.read_runs(change, table["facts"].get("runs"))
        for layer in LAYERS:
            self._apply_division(table, change, layer, name, name)
        for variant, body in change.take("variants", dict, Mapping()).sections():
            body.allow("when", *LAYERS)
            target = table["variants"].setdefault(variant, {"when": None, **{layer: {} for layer in LAYERS}})
            if "when" in body:
                target["when"] = self._formula(body.take("when", str), body, "when")
            if target["when"] is None:
                raise change["variants"].fail(f"variant {variant!r} does not say when it applies", variant)
            for layer in LAYERS:
                self._apply_division(target, body, layer, f"{name}.{variant}", name)
        self._apply_strict(table["strict"], change, f"{name}.")
        self._add_records(change, name)

    def _apply_division(
        self, target: dict[str, Any], change: Mapping, layer: str, scope: str, name: str
    ) -> None:
        if layer not in change:
            return
        scope = scope if layer == "both" else f"{scope}.{layer}"
        if change[layer] == "as closed" and layer == "open":
            target[layer] = cells.rename_scope(
                copy.deepcopy(target["closed"]), f"{name}.closed", f"{name}.open"
            )
            return
        self._apply_layer(target[layer], change.take(layer, dict), scope)

    def _apply_strict(self, strict: dict[str, Any], change: Mapping, prefix: str) -> None:
        if STRICT not in change:
            return
        body = change.take(STRICT, dict)
        body.allow(*LAYERS)
        for layer in LAYERS:
            if layer in body:
                scope = f"strict.{prefix}{'' if layer == 'both' else layer}".rstrip(".")
                self._apply_layer(strict[layer], body.take(layer, dict), scope, STRICT)

    def _apply_layer(
        self, target: Layer, change: Mapping, scope: str, level: int | str | None = None
    ) -> None:
        for key, cell in change.items():
            former, records = cells.split_records(target.get(key))
            if cell is None:
                if former is None:
                    raise change.fail(
                        f"removes {key!r}, about which the extended round says nothing here", key
                    )
                del target[key]
                if records:
                    target[key] = Entry(True, records)
                continue
            if not isinstance(cell, str):
                raise change.fail(f"{key!r} must be a cell such as 'logged' or '== 0.9', not {cell!r}", key)
            entry = cells.read_entry(key, cell, change, self._origin(scope, level))
            if former is not None:
                if cells.list_statements(former) == cells.list_statements(entry):
                    raise change.fail(f"{key!r} says what the extended round says already; remove it", key)
                entry = self._keep_history(former, entry)
            target[key] = entry._replace(rules=(*entry.rules, *records))

    def _keep_history(self, former: Entry, entry: Entry) -> Entry:
        before = {rule.id: rule for rule in former.rules}
        rules = []
        for rule in entry.rules:
            old = before.get(rule.id)
            if old is None:
                rules.append(rule)
            elif old.text == rule.text:
                rules.append(rule._replace(since=old.since, changed=old.changed))
            else:
                rules.append(rule._replace(since=old.since, changed=(*old.changed, self.round)))
        return entry._replace(rules=tuple(rules))

    def _origin(self, scope: str, level: int | str | None) -> Origin:
        return Origin(scope, self.round, level or self.draft["default_level"], self.resolver.vocabulary)

    def _formula(self, text: str, place: Mapping, key: str) -> Node:
        try:
            return parse_formula(text)
        except RuleError as trouble:
            raise place.fail(str(trouble), key) from None

    def _add_records(self, place: Mapping, benchmark: str = "") -> None:
        for record in place.take("rules", list, []):
            if not isinstance(record, Mapping):
                raise place.fail(f"a rule record is a mapping of fields, not {record!r}", "rules")
            self._add_record(record, benchmark)

    def _add_record(self, record: Mapping, benchmark: str) -> None:
        cells.check_record(record, self.resolver.vocabulary)
        where = record.take("where", str, "common")
        layer = "both" if where == "common" else where
        if layer not in LAYERS:
            known = "common, closed and open"
            raise record.fail(f"where {where!r} is not a layer; there are {known}", "where", record["id"])
        part = self.draft["tables"][benchmark] if benchmark else self.draft
        strict = record.get("level") == STRICT
        target: Layer = part["strict"][layer] if strict else (part if benchmark else part["layers"])[layer]
        self.resolver.claim_id(record["id"], record.path, record.line)
        scope = ".".join(name for name in (STRICT if strict else "", benchmark, where) if name)
        scope = scope.removesuffix(".common") if benchmark else scope
        rule = cells.read_record(record, self._origin(scope, None))
        entry = target.get(record["key"]) or Entry(True, ())
        target[record["key"]] = entry._replace(rules=(*entry.rules, rule))

    def _amend(self, rule_id: str, fields: Mapping) -> None:
        fields.allow("cell", "severity", "summary", "why", "hint", "source", "code", "pass", "fail")
        cells.check_fields(fields, self.resolver.vocabulary, rule_id)
        old = self._find_rule(rule_id, self.record["amend"])
        new = old._replace(
            summary=fields.get("summary", old.summary),
            why=fields.get("why", old.why),
            hint=fields.get("hint", old.hint),
            source=fields.get("source", old.source),
            severity=fields.get("severity", old.severity),
            code=fields.get("code", old.code),
            passing=tuple(fields.get("pass", old.passing)),
            failing=tuple(fields.get("fail", old.failing)),
        )
        if "cell" in fields:
            kind, node, words = cells.read_clause(fields, rule_id)
            new = new._replace(on=kind, node=node, text=words)
        if new == old:
            raise self.record["amend"].fail("this amendment changes nothing; remove it", rule_id, rule_id)
        self._replace_rule(rule_id, new._replace(changed=(*old.changed, self.round)))

    def _find_rule(self, rule_id: str, place: Mapping) -> Rule:
        for layer in self._all_layers():
            for entry in layer.values():
                for rule in entry.rules:
                    if rule.id == rule_id:
                        return rule
        raise place.fail("there is no rule with this id to amend", rule_id, rule_id)

    def _replace_rule(self, rule_id: str, new: Rule | None) -> None:
        for layer in self._all_layers():
            for key, entry in list(layer.items()):
                rules = tuple([new if rule.id == rule_id else rule for rule in entry.rules])
                if rules != entry.rules:
                    kept = tuple([rule for rule in rules if rule is not None])
                    layer[key] = entry._replace(rules=kept)
                    if not kept:
                        del layer[key]
                    return
        raise self.record.fail(f"drops {rule_id!r}, which is not a rule here", "drop", rule_id)

    def _all_layers(self) -> list[Layer]:
        layers = [*self.draft["layers"].values(), *self.draft["strict"].values()]
        for table in self.draft["tables"].values():
            for part in (table, table["strict"], *table["variants"].values()):
                layers += [part[layer] for layer in LAYERS]
        return layers
