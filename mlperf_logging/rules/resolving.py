"""Resolving rounds: rule files that say what changed, into one complete ruleset with provenance.

A round's file names the round it extends and states only differences; a benchmark's file states the
benchmark's tables as they were when it joined. Every statement is in one place, and a difference that
makes no difference is refused.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property, partial

from mlperf_logging.errors import RuleError
from mlperf_logging.events import DIVISIONS
from mlperf_logging.parsing.dialects import load_dialects, rank_dialect
from mlperf_logging.rules import cells
from mlperf_logging.rules.benchmark_lists import list_changes, put_in_order
from mlperf_logging.rules.cells import Origin
from mlperf_logging.rules.codes import Vocabulary
from mlperf_logging.rules.files import RuleFiles, RuleMapping
from mlperf_logging.rules.formula import Node, parse_formula, walk
from mlperf_logging.rules.resolved import (
    LAYER_NAMES,
    BaseRules,
    BenchmarkRules,
    Layers,
    ResolvedRuleset,
    Variant,
)
from mlperf_logging.rules.rule import STRICT, CellRules, Layer, Rule

_ROUND_KEYS = (
    *("extends", "title", "source", "clues", "dialect", "default_level", "reading", "benchmarks", "state"),
    *("common", *DIVISIONS, "strict", "rules", "amend", "drop", "tables", "change"),
)
_EPOCH, _MS_PER_DAY = date(1970, 1, 1).toordinal(), 86_400_000
_FACT_KEYS = ("area", "dataset", "model")
_TABLE_KEYS = (*LAYER_NAMES, "variants", "strict", "lists", "join", "progress", "runs", "rules")


class Resolver:
    """Resolves rulesets of one folder of rule files: of each only the rounds that it extends.

    A folder that holds only what differs from the rules of a `base` may extend its rounds, and has its codes and keys.
    """

    def __init__(self, files: RuleFiles, base: BaseRules | None = None) -> None:
        self.files = files
        self._base = base
        self._drafts: dict[str, ResolvedRuleset] = {}
        self._rule_places: dict[str, tuple[str, int]] = {}

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The codes and the groups of keys."""
        return Vocabulary.load(self.files, self._base.vocabulary if self._base is not None else None)

    def list_rulesets(self) -> list[str]:
        """All rulesets as ``usage/round``, oldest first within a usage, by number."""
        paths = [path for path in self.files.folder.glob("*/*.yaml") if path.stem[:1].isdecimal()]
        return sorted([f"{path.parent.name}/{path.stem}" for path in paths], key=sort_key)

    def list_outlines(self) -> list[tuple[str, str, list[str], float, float, list[str]]]:
        """Name, dialect, benchmarks and clues (see `RoundIndex`) of each ruleset, without a look at its rules."""
        names = self.list_rulesets()
        if not names:
            raise RuleError(f"there is no round in the folder {str(self.files.folder)!r}")
        return [(name, *self._outline(name)) for name in names]

    def _outline(self, name: str) -> tuple[str, list[str], float, float, list[str]]:
        dialect, benchmarks = "", list[str]()
        root, chain = self._list_chain(name)
        if self._base is not None and root is not None:
            dialect, benchmarks = self._base.outlines[root][0], list(self._base.outlines[root][1])
        for each in chain:
            record = self.files.load(each)
            dialect = record.take("dialect", str, dialect)
            if not dialect:
                raise record.fail("the round does not say its dialect; add 'dialect'")
            if rank_dialect(dialect) < 0:
                known = ", ".join(dialect.name for dialect in load_dialects())
                raise record.fail(f"unknown dialect {dialect!r}; known: {known}", "dialect")
            removed, added = list_changes(record, benchmarks)
            tables = record.take("tables", dict, RuleMapping())
            kept = [name for name in benchmarks if name not in removed]
            benchmarks = put_in_order(record, [*kept, *added, *tables])
        return dialect, benchmarks, *_list_clues(self.files.load(name))

    def resolve(self, name: str) -> ResolvedRuleset:
        """One ruleset, complete."""
        self._outline(name)
        root, chain = self._list_chain(name)
        parent = None
        for each in chain:
            if each not in self._drafts:
                if parent is not None:
                    draft = self._drafts[parent].copy()
                elif self._base is not None and root is not None:
                    draft = self._base.find(root).copy()
                else:
                    draft = ResolvedRuleset.empty(each)
                self._drafts[each] = self._apply_round(each, draft)
            parent = each
        return self._drafts[name]

    def _list_chain(self, name: str) -> tuple[str | None, list[str]]:
        """The round with all that it extends, the first one first; before them the round of the base that this one extends."""
        chain = [name]
        while True:
            record = self.files.load(chain[0])
            record.allow(*_ROUND_KEYS)
            parent = self.files.find_parent(chain[0], record)
            if parent is None or self.files.is_of_base(parent, chain[0]):
                return parent, chain
            if parent in chain:
                raise record.fail(
                    f"{parent} and {chain[0]} extend each other; one of them must not", "extends"
                )
            chain.insert(0, parent)

    def _apply_round(self, name: str, draft: ResolvedRuleset) -> ResolvedRuleset:
        record = self.files.load(name)
        if "reading" in record:
            record.take("reading", dict).allow("once", "order")
        draft = draft._replace(
            name=name,
            title=record.take("title", str, draft.title),
            source=record.take("source", str, draft.source),
            dialect=record.take("dialect", str, draft.dialect),
            default_level=record.take("default_level", int, draft.default_level),
            reading=record.get("reading", draft.reading),
        )
        _Change(self, draft, record).apply()
        return draft

    def load_benchmark(self, benchmark: str, asked: RuleMapping) -> RuleMapping:
        """The file of one benchmark."""
        if not self.files.has(f"benchmarks/{benchmark}"):
            raise asked.fail(
                f"benchmark {benchmark!r} has no file benchmarks/{benchmark}.yaml; add one", "benchmarks"
            )
        record = self.files.load(f"benchmarks/{benchmark}")
        record.allow("benchmark", "extends", *_FACT_KEYS, *_TABLE_KEYS)
        if record.get("benchmark") != benchmark:
            raise record.fail(
                f"says benchmark {record.get('benchmark')!r} but the file is named {benchmark!r}"
            )
        return record

    def claim_id(self, rule: str, path: str, line: int) -> None:
        """Note where a rule id is defined."""
        place = self._rule_places.setdefault(rule, (path, line))
        if place != (path, line):
            message = f"this id is already used in {place[0]}:{place[1]}; choose another"
            raise RuleError(message, path=path, line=line, rule=rule)


def sort_key(name: str) -> tuple[str, list[int]]:
    """Orders ``usage/round`` names by usage and then by the round's numbers."""
    usage, _, version = name.partition("/")
    return usage, [int(part) if part.isdecimal() else 0 for part in version.split(".")]


def _doubles_state(node: Node) -> bool:
    """Whether a node puts what state words hold into itself: what it gives grows exponentially with the events."""
    is_product = node[0] in ("multiply", "power")
    parts = node[1:] if is_product else node[3:] if node[:2] == ["call", "append"] else []
    return bool(parts) and all(any(each[0] == "state" for each in walk(part)) for part in parts)


def _list_clues(record: RuleMapping) -> tuple[float, float, list[str]]:
    """From when until when the runs of a round were made, in milliseconds since the epoch; keys that are new in logs."""
    clues = record.take("clues", dict)
    if clues is None:
        return 0, 0, []
    clues.allow("from", "until", "keys")
    try:
        days = [date.fromisoformat(clues[name]).toordinal() for name in ("from", "until") if name in clues]
    except (ValueError, TypeError):
        raise record.fail(
            "'from' and 'until' must be dates such as \"2001-12-31\", in quotes", "clues"
        ) from None
    if len(days) == 1 or days != sorted(days):
        raise record.fail("'from' and 'until' stand together, the earlier date first", "clues")
    first, last = days or (_EPOCH, _EPOCH - 1)
    until = last + 1  # the last day counts
    return (first - _EPOCH) * _MS_PER_DAY, (until - _EPOCH) * _MS_PER_DAY, clues.take_texts("keys")


class _Change:
    """One round's file applied to a copy of the ruleset that it extends."""

    def __init__(self, resolver: Resolver, draft: ResolvedRuleset, record: RuleMapping) -> None:
        self.resolver = resolver
        self.draft = draft
        self.record = record

    def apply(self) -> None:
        record, draft = self.record, self.draft
        self._apply_benchmarks()
        for name, table in record.take("tables", dict, RuleMapping()).sections():
            if name in draft.benchmarks:
                raise record["tables"].fail(f"{name!r} already has a table; use 'change'", name)
            draft.benchmarks[name] = BenchmarkRules.empty()
            draft.benchmarks[name].facts.update({key: table[key] for key in _FACT_KEYS if key in table})
            self._apply_table(name, table, _FACT_KEYS)
        held = dict(draft.benchmarks)
        draft.benchmarks.clear()
        draft.benchmarks.update({name: held[name] for name in put_in_order(record, list(held))})
        for key, words in record.take("state", dict, RuleMapping()).sections():
            self._apply_state(key, words)
        for layer, key in zip(draft.layers, ("common", *DIVISIONS), strict=True):
            if key in record:
                self._apply_layer(layer, record.take(key, dict), key)
        self._apply_strict(draft.strict, record, "")
        for name, table in record.take("change", dict, RuleMapping()).sections():
            if name not in draft.benchmarks:
                raise record["change"].fail(f"changes {name!r}, which is not a benchmark of this round", name)
            self._apply_table(name, table)
        self._add_records(record)
        for rule, fields in record.take("amend", dict, RuleMapping()).sections():
            self._amend(rule, fields)
        for rule in record.take_texts("drop"):
            self._replace_rule(rule, None)

    def _apply_benchmarks(self) -> None:
        benchmarks = self.draft.benchmarks
        former = dict(benchmarks)
        removed, added = list_changes(self.record, list(benchmarks))
        for name in removed:
            del benchmarks[name]
        for name in added:
            record = self.resolver.load_benchmark(name, self.record)
            parent = record.take("extends", str)
            rules = BenchmarkRules.empty()
            if parent is not None:
                base = benchmarks.get(parent) or former.get(parent)
                if base is None:
                    raise record.fail(
                        f"extends {parent!r}, which is not a benchmark of the previous round", "extends"
                    )
                rules = base.map(partial(cells.rename_scope, old=parent, new=name))
            facts = {key: record[key] for key in _FACT_KEYS if key in record}
            benchmarks[name] = rules._replace(facts=facts)
            self._apply_table(name, record, ("benchmark", "extends", *_FACT_KEYS))

    def _apply_state(self, key: str, words: RuleMapping) -> None:
        state = self.draft.state
        if key == "initial":
            state.initial.update(words)
            return
        on = state.on.setdefault(key, {})
        for word, formula in words.items():
            text = str(formula).lower() if isinstance(formula, bool) else str(formula)
            on[word] = self._formula(text, words, word)
            if any(map(_doubles_state, walk(on[word]))):
                raise words.fail(f"{word!r} would double with each event: {text}", word)

    def _apply_table(self, name: str, change: RuleMapping, known: tuple[str, ...] = ()) -> None:
        rules = self.draft.benchmarks[name]
        change.allow(*known, *_TABLE_KEYS)
        rules = rules._replace(lists=cells.read_lists(change.take("lists", dict, RuleMapping()), rules.lists))
        if "join" in change:
            rules = rules._replace(join=cells.read_join(change, rules.join))
        self.draft.benchmarks[name] = rules
        if "progress" in change:
            rules.facts["progress"] = cells.read_counting(change, rules.facts.get("progress"))
        if "runs" in change:
            rules.facts["runs"] = cells.read_runs(change, rules.facts.get("runs"))
        self._apply_layers(rules.layers, change, name, name)
        for variant, body in change.take("variants", dict, RuleMapping()).sections():
            body.allow("when", *LAYER_NAMES)
            when, layers = rules.variants.get(variant, Variant(None, Layers.empty()))
            if "when" in body:
                when = self._formula(body.take("when", str), body, "when")
            if when is None:
                raise change["variants"].fail(f"variant {variant!r} does not say when it applies", variant)
            rules.variants[variant] = Variant(when, layers)
            self._apply_layers(layers, body, f"{name}.{variant}", name)
        self._apply_strict(rules.strict, change, f"{name}.")
        self._add_records(change, name)

    def _apply_layers(self, layers: Layers, change: RuleMapping, scope: str, name: str) -> None:
        for layer, target in zip(LAYER_NAMES, layers, strict=True):
            if layer == "open" and change.get(layer) == "as closed":
                target.clear()
                rename = partial(cells.rename_scope, old=f"{name}.closed", new=f"{name}.open")
                target.update({key: rename(cell) for key, cell in layers.closed.items()})
            elif layer in change:
                within = scope if layer == "both" else f"{scope}.{layer}"
                self._apply_layer(target, change.take(layer, dict, {}), within)

    def _apply_strict(self, strict: Layers, change: RuleMapping, prefix: str) -> None:
        if STRICT not in change:
            return
        body = change.take(STRICT, dict)
        if body is None:
            return
        body.allow(*LAYER_NAMES)
        for layer, target in zip(LAYER_NAMES, strict, strict=True):
            if layer in body:
                scope = f"strict.{prefix}{'' if layer == 'both' else layer}".rstrip(".")
                self._apply_layer(target, body.take(layer, dict, {}), scope, STRICT)

    def _apply_layer(
        self, target: Layer, change: RuleMapping, scope: str, level: int | str | None = None
    ) -> None:
        for key, cell in change.items():
            former, records = cells.split_records(target.get(key))
            if cell is None:
                if former is None:
                    raise change.fail(f"removes {key!r}, which the extended round does not mention here", key)
                del target[key]
                if records:
                    target[key] = CellRules(True, records)
                continue
            if not isinstance(cell, str):
                raise change.fail(f"{key!r} must be a cell such as 'logged' or '== 0.9', not {cell!r}", key)
            read = cells.read_cell(key, cell, change, self._origin(scope, level))
            if former is not None:
                if cells.list_statements(former) == cells.list_statements(read):
                    raise change.fail(f"{key!r} repeats what the extended round says; remove it", key)
                read = self._keep_history(former, read)
            target[key] = read._replace(rules=(*read.rules, *records))

    def _keep_history(self, former: CellRules, cell: CellRules) -> CellRules:
        before = {rule.id: rule for rule in former.rules}
        rules = []
        for rule in cell.rules:
            old = before.get(rule.id)
            if old is None:
                rules.append(rule)
            elif old.text == rule.text:
                rules.append(rule._replace(since=old.since, changed=old.changed))
            else:
                rules.append(rule._replace(since=old.since, changed=(*old.changed, self.draft.name)))
        return cell._replace(rules=tuple(rules))

    def _origin(self, scope: str, level: int | str | None) -> Origin:
        return Origin(scope, self.draft.name, level or self.draft.default_level, self.resolver.vocabulary)

    def _formula(self, text: str, place: RuleMapping, key: str) -> Node:
        try:
            return parse_formula(text)
        except RuleError as error:
            raise place.fail(str(error), key) from None

    def _add_records(self, place: RuleMapping, benchmark: str = "") -> None:
        for record in place.take("rules", list, []):
            if not isinstance(record, RuleMapping):
                raise place.fail(f"a rule record is a mapping of fields, not {record!r}", "rules")
            self._add_record(record, benchmark)

    def _add_record(self, record: RuleMapping, benchmark: str) -> None:
        cells.check_record(record, self.resolver.vocabulary)
        where = record.take("where", str, "common")
        layer = "both" if where == "common" else where
        if layer not in LAYER_NAMES:
            known = "common, closed and open"
            raise record.fail(f"where {where!r} is not a layer; there are {known}", "where", record["id"])
        part = self.draft.benchmarks[benchmark] if benchmark else self.draft
        strict = record.get("level") == STRICT
        target: Layer = getattr(part.strict if strict else part.layers, layer)
        self.resolver.claim_id(record["id"], record.path, record.line)
        for other in self.draft.find_rules(record["id"]):
            if (other.path, other.line) != (record.path, record.line):
                place = f"{other.path}:{other.line}"
                raise record.fail(
                    f"{record['id']!r} is the id of a rule in {place}; choose another, or use 'amend'"
                )
        scope = ".".join(name for name in (STRICT if strict else "", benchmark, where) if name)
        scope = scope.removesuffix(".common")
        rule = cells.read_record(record, self._origin(scope, None))
        cell = target.get(record["key"]) or CellRules(True, ())
        target[record["key"]] = cell._replace(rules=(*cell.rules, rule))

    def _amend(self, rule_id: str, fields: RuleMapping) -> None:
        fields.allow("cell", "severity", "summary", "why", "hint", "source", "code", "pass", "fail")
        cells.check_fields(fields, self.resolver.vocabulary, rule_id)
        old = next(self.draft.find_rules(rule_id), None)
        if old is None:
            raise self.record["amend"].fail("there is no rule with this id to amend", rule_id, rule_id)
        same = ("summary", "why", "hint", "source", "severity", "code")
        new = old._replace(
            **{name: fields[name] for name in same if name in fields},
            passing=tuple(fields.get("pass", old.passing)),
            failing=tuple(fields.get("fail", old.failing)),
        )
        if "cell" in fields:
            kind, node, words = cells.read_clause(fields, rule_id)
            new = new._replace(on=kind, node=node, text=words)
        if new == old:
            raise self.record["amend"].fail("this amendment changes nothing; remove it", rule_id, rule_id)
        self._replace_rule(rule_id, new._replace(changed=(*old.changed, self.draft.name)))

    def _replace_rule(self, rule_id: str, new: Rule | None) -> None:
        for layer in self.draft.list_layers():
            for key, cell in list(layer.items()):
                rules = tuple([new if rule.id == rule_id else rule for rule in cell.rules])
                if rules != cell.rules:
                    kept = tuple([rule for rule in rules if rule is not None])
                    layer[key] = cell._replace(rules=kept)
                    if not kept:
                        del layer[key]
                    return
        raise self.record.fail(f"drops {rule_id!r}, which is not a rule here", "drop", rule_id)
