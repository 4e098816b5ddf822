"""Rulesets in use: their formulas compiled for one kind of run."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from mlperf_logging.errors import RuleError
from mlperf_logging.events import DIVISIONS
from mlperf_logging.rules.binding import bind_names
from mlperf_logging.rules.clauses import ANY, END, EVERY, FIRST, OCCURS, ONCE_EACH, REST
from mlperf_logging.rules.closures import Closure, compile_formula
from mlperf_logging.rules.formula import Node, walk
from mlperf_logging.rules.resolved import BenchmarkRules, ResolvedRuleset, StateWords
from mlperf_logging.rules.rule import STRICT, Layer, Rule
from mlperf_logging.runs.summary import RUN_START, RUN_STOP

if TYPE_CHECKING:
    from mlperf_logging.rules.codes import Vocabulary

_LOOKING = frozenset({"logged", "count", "minutes_since"})
_NAMING = _LOOKING | {"at_least_one_of"}


class CompiledRule(NamedTuple):
    """A rule and the closure that evaluates its formula."""

    rule: Rule
    holds: Closure


class CompiledCell(NamedTuple):
    """Everything that is judged of one key's events, and what they change.

    Attributes:
        every: judged on each event; ``first`` on the first only, ``rest`` on the others.
        targets: must hold on at least one event.
        names: rules that require each of a list of names once.
        more: whether there are any of ``first``, ``rest``, ``targets`` and ``names``.
        first_only: whether only the first event is judged (identity keys).
        needs_values: whether some rule compares the values of repeated events.
        change: the state words that an event sets.
        pairs: rules that require the events to alternate with another key's.
        joined: whether the events are parts of joined ones.
    """

    every: tuple[CompiledRule, ...]
    first: tuple[CompiledRule, ...]
    rest: tuple[CompiledRule, ...]
    targets: tuple[CompiledRule, ...]
    names: tuple[CompiledRule, ...]
    more: bool
    first_only: bool
    needs_values: bool
    change: tuple[tuple[str, Closure], ...]
    pairs: tuple[Rule, ...]
    joined: bool


class Table:
    """The compiled rules for one kind of run; each is equal to itself only.

    Attributes:
        entries: by log key, for every key whose events matter; others only serve to suggest spellings.
        end: rules that are judged when the log has ended.
        initial_state: state words before the first event.
        join: how several events make one (see `joining`), or None.
        rules: all rules in force, in order.
        seen: keys whose events formulas on other events look at.
    """

    __slots__ = ("end", "entries", "initial_state", "join", "rules", "seen")

    def __init__(
        self,
        entries: dict[str, CompiledCell],
        end: tuple[CompiledRule, ...],
        initial_state: dict[str, Any],
        join: dict[str, str] | None,
        rules: tuple[Rule, ...],
        seen: frozenset[str],
    ) -> None:
        """Keep compiled rules."""
        self.entries = entries
        self.end = end
        self.initial_state = initial_state
        self.join = join
        self.rules = rules
        self.seen = seen


class Ruleset:
    """One round's complete rules.

    Attributes:
        name: ``usage/round``.
        usage: the part of the name before the slash.
        round: the part of the name behind it, for example its three numbers.
        title: as people call it.
        source: where the round's rules are written down.
        dialect: name of the log dialect.
        benchmarks: names, in the round's order.
        vocabulary: gives the codes and what is known of the keys.
        reading: how the log's records are read ("once" drops repeated records, "order" sorts by text).
        state: the words that keep what a run has shown so far.
        has_divisions: whether the round has a closed and an open division in its logs.
    """

    def __init__(self, resolved: ResolvedRuleset, vocabulary: "Callable[[], Vocabulary]") -> None:
        self.vocabulary = vocabulary
        self.name = resolved.name
        self.usage, _, self.round = resolved.name.partition("/")
        self.title = resolved.title
        self.source = resolved.source
        self.dialect = resolved.dialect
        self.benchmarks = tuple(resolved.benchmarks)
        self.reading = resolved.reading
        self.state = resolved.state
        self.has_divisions = any(
            layers.closed or layers.open
            for layers in (resolved.layers, *[rules.layers for rules in resolved.benchmarks.values()])
        )
        self._resolved = resolved
        self._tables: dict[tuple[Any, ...], Table] = {}
        self._variants: dict[str | None, dict[str, Closure]] = {}

    def _repr_html_(self) -> str:
        """The round for notebooks: what it is, and its benchmarks with what is known of them."""
        from mlperf_logging.markup import write_facts, write_grid, write_title

        facts = [("rules", self.name), ("log dialect", self.dialect), ("source", self.source)]
        shown = write_title(self.title or self.name) + write_facts(facts)
        names = ("area", "model", "dataset")
        rows = [(name, *(self.facts(name).get(fact, "") for fact in names)) for name in self.benchmarks]
        return shown + write_grid(("benchmark", *names), rows)

    def _of(self, benchmark: str | None) -> BenchmarkRules:
        return self._resolved.benchmarks.get(benchmark or "") or BenchmarkRules.empty()

    def facts(self, benchmark: str | None) -> dict[str, Any]:
        """Area, data set, model and runs of a benchmark, as the rule files say; empty if it is not known."""
        return dict(self._of(benchmark).facts)

    def join(self, benchmark: str | None) -> dict[str, str] | None:
        """How the benchmark's events are joined before they are judged, or None."""
        return self._of(benchmark).join

    def variant_nodes(self, benchmark: str | None) -> dict[str, Node]:
        """The benchmark's variants: name to the formula that says whether a log is of it."""
        variants = self._of(benchmark).variants
        return {name: variant.when for name, variant in variants.items() if variant.when is not None}

    def variants(self, benchmark: str | None) -> dict[str, Closure]:
        """The benchmark's variants: name to the closure that says whether a log is of it."""
        if benchmark not in self._variants:
            nodes = self.variant_nodes(benchmark)
            self._variants[benchmark] = {name: compile_formula(node) for name, node in nodes.items()}
        return self._variants[benchmark]

    def layers(
        self,
        division: str | None,
        benchmark: str | None,
        variants: tuple[str, ...] = (),
        *,
        strict: bool = False,
    ) -> list[Layer]:
        """The layers that hold for one kind of run, widest first."""
        names = ("both", division) if division in DIVISIONS else ("both",)
        parts, strict_parts = [self._resolved.layers], [self._resolved.strict]
        if len(names) == 2 or not self.has_divisions:
            rules = self._of(benchmark)
            parts += [rules.layers, *[rules.variants[variant].layers for variant in variants]]
            strict_parts.append(rules.strict)
        parts += strict_parts if strict else []
        lists = self._of(benchmark).lists
        return [bind_names(getattr(part, name), self.benchmarks, lists) for part in parts for name in names]

    def table(
        self,
        division: str | None,
        benchmark: str | None,
        variants: tuple[str, ...] = (),
        *,
        strict: bool = False,
        level: int | None = None,
        strict_codes: frozenset[str] | None = None,
    ) -> Table:
        """The compiled rules for one kind of run; kept, so that many logs share them.

        Args:
            division: ``"closed"``, ``"open"`` or None when it is not known: then only common rules apply.
            benchmark: a benchmark of the round, or None.
            variants: the benchmark's variants that apply.
            strict: whether the rules of level "strict" apply too.
            level: in rounds that grade, the highest level to apply; None for all.
            strict_codes: of the strict rules on single events only those with one of these codes; None for all. Some
                are judged on every loss, which is a waste where nobody reads what they find.

        Raises:
            RuleError: a formula of the rule files is wrong.
        """
        wanted = (division, benchmark, variants, strict, level, strict_codes)
        if wanted not in self._tables:
            layers = self.layers(division, benchmark, variants, strict=strict)
            self._tables[wanted] = compile_table(
                layers, self.state, self.join(benchmark), level, strict_codes
            )
        return self._tables[wanted]


def merge_layers(layers: list[Layer], level: int | None) -> dict[str, list[Rule]]:
    """The rules in force by key: a more specific cell replaces the wider or, ``also``, adds to it."""
    merged: dict[str, list[Rule]] = {}
    for layer in layers:
        for key, cell in layer.items():
            rules = [
                rule
                for rule in cell.rules
                if level is None or not isinstance(rule.level, int) or rule.level <= level
            ]
            strict = any(rule.level == STRICT for rule in rules)
            if (cell.also or strict) and key in merged:
                known = {(rule.on, str(rule.node)) for rule in merged[key]}
                has_occurs = any(rule.on == OCCURS for rule in merged[key])
                merged[key] = merged[key] + [
                    rule
                    for rule in rules
                    if (rule.on, str(rule.node)) not in known
                    and not (strict and rule.on == OCCURS and has_occurs)
                ]
            elif rules:
                merged[key] = rules
    return merged


def compile_table(
    layers: list[Layer],
    state: StateWords,
    join: dict[str, str] | None = None,
    level: int | None = None,
    strict_codes: frozenset[str] | None = None,
) -> Table:
    """Merge layers, widest first, and compile their formulas; for level and strict codes see `Ruleset.table`."""
    words = frozenset(state.initial) | {word for change in state.on.values() for word in change}
    by_key: dict[str, list[CompiledRule]] = {}
    end: list[CompiledRule] = []
    rules: list[Rule] = []
    for key, key_rules in merge_layers(layers, level).items():
        for rule in key_rules:
            if strict_codes is not None and _is_of_single_events(rule) and rule.code not in strict_codes:
                continue
            rules.append(rule)
            compiled = CompiledRule(rule, _compile_rule(rule, words))
            if rule.on == END:
                end.append(compiled)
            for part in key.split("|"):
                by_key.setdefault(part, []).append(compiled)
    changes = {
        key: tuple([(word, compile_formula(node, words)) for word, node in change.items()])
        for key, change in state.on.items()
    }
    nodes = [rule.node for rule in rules] + [node for change in state.on.values() for node in change.values()]
    naming = [part for node in nodes for part in walk(node) if part[0] in _NAMING]
    source = join["of"] if join else None
    pairs = [rule for rule in rules if rule.node[0] == "alternating"]
    keys = {
        *by_key,
        *changes,
        *[str(part[1]) for part in naming],
        RUN_START,
        RUN_STOP,
        *[rule.node[1] for rule in pairs],
    }
    keys |= {source} if source else set()
    entries = {
        key: _compile_cell(
            key,
            by_key.get(key, []),
            changes.get(key, ()),
            tuple([rule for rule in pairs if key in (rule.key, rule.node[1])]),
            joined=key == source,
        )
        for key in keys
    }
    seen = frozenset([str(part[1]) for part in naming if part[0] in _LOOKING])
    initial = {word: state.initial.get(word, False) for word in words}
    return Table(entries, tuple(end), initial, join, tuple(rules), seen)


def _is_of_single_events(rule: Rule) -> bool:
    """Whether it is a strict rule that is judged on events one by one."""
    return rule.level == STRICT and rule.on in (EVERY, FIRST, REST)


def _compile_rule(rule: Rule, words: frozenset[str]) -> Closure:
    if rule.on == OCCURS:
        return lambda _event, _memory: True
    node = rule.node[1] if rule.on == ONCE_EACH else rule.node
    try:
        return compile_formula(node, words)
    except RuleError as error:
        raise rule.fail(str(error)) from None


def _compile_cell(
    key: str,
    compiled: list[CompiledRule],
    change: tuple[tuple[str, Closure], ...],
    pairs: tuple[Rule, ...],
    *,
    joined: bool,
) -> CompiledCell:
    def pick(kind: str) -> tuple[CompiledRule, ...]:
        return tuple([each for each in compiled if each.rule.on == kind])

    first, rest, targets, names = (pick(kind) for kind in (FIRST, REST, ANY, ONCE_EACH))
    return CompiledCell(
        pick(EVERY),
        first,
        rest,
        targets,
        names,
        more=bool(first or rest or targets or names),
        first_only=key.startswith("submission_"),
        needs_values=any(each.rule.node[0] == "exactly_one" for each in compiled),
        change=change,
        pairs=pairs,
        joined=joined,
    )
