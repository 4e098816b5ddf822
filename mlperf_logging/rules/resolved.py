"""What the rule files of a round resolve to: complete, with nothing left to look up, and the same as JSON.

The values are named tuples of plain values, so `json` writes them as they are, and ``from_json`` of each class reads
them back. Cells and rules are immutable and shared between the rounds that have them in common.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from mlperf_logging.events import DIVISIONS
from mlperf_logging.rules.formula import Node
from mlperf_logging.rules.rule import CellRules, Layer, Rule

if TYPE_CHECKING:
    from mlperf_logging.rules.codes import Vocabulary

LAYER_NAMES = ("both", *DIVISIONS)

CellChange = Callable[[CellRules], CellRules]


class Layers(NamedTuple):
    """The cells, by key, for all runs, whatever the division, and those for each division."""

    both: Layer
    closed: Layer
    open: Layer

    @classmethod
    def empty(cls) -> Layers:
        """Layers that say nothing."""
        return cls({}, {}, {})

    @classmethod
    def from_json(cls, value: Any) -> Layers:
        """Layers from their JSON form."""
        return cls(*[{key: CellRules.from_json(cell) for key, cell in layer.items()} for layer in value])

    def map(self, change: CellChange) -> Layers:
        """The same layers with each cell changed."""
        return Layers(*[{key: change(cell) for key, cell in layer.items()} for layer in self])


class Variant(NamedTuple):
    """A way of running a benchmark that has cells of its own, and the formula that says whether a log is of it."""

    when: Node | None
    layers: Layers


class BenchmarkRules(NamedTuple):
    """What a round says of one benchmark.

    Attributes:
        facts: area, data set, model, runs and progress.
        layers: its cells.
        strict: its cells of level "strict".
        variants: by name.
        lists: named lists of names, for ``once in NAME``.
        join: how several events make one (see `joining`), or None.
    """

    facts: dict[str, Any]
    layers: Layers
    strict: Layers
    variants: dict[str, Variant]
    lists: dict[str, list[str]]
    join: dict[str, str] | None

    @classmethod
    def empty(cls) -> BenchmarkRules:
        """A benchmark of which nothing is said."""
        return cls({}, Layers.empty(), Layers.empty(), {}, {}, None)

    @classmethod
    def from_json(cls, value: Any) -> BenchmarkRules:
        """A benchmark's rules from their JSON form."""
        facts, layers, strict, variants, lists, join = value
        return cls(
            facts,
            Layers.from_json(layers),
            Layers.from_json(strict),
            {name: Variant(when, Layers.from_json(cells)) for name, (when, cells) in variants.items()},
            lists,
            join,
        )

    def map(self, change: CellChange) -> BenchmarkRules:
        """The same rules in dicts of their own, with each cell changed."""
        return BenchmarkRules(
            dict(self.facts),
            self.layers.map(change),
            self.strict.map(change),
            {name: Variant(when, cells.map(change)) for name, (when, cells) in self.variants.items()},
            self.lists,
            self.join,
        )

    def list_layers(self) -> list[Layer]:
        """All layers of cells."""
        variants = [layer for variant in self.variants.values() for layer in variant.layers]
        return [*self.layers, *self.strict, *variants]


class StateWords(NamedTuple):
    """The words that keep what a run has shown: values at first, where not false; by key, the formulas that set them."""

    initial: dict[str, Any]
    on: dict[str, dict[str, Node]]


class ResolvedRuleset(NamedTuple):
    """One round, complete; what has the name of an attribute of `Ruleset` means the same.

    Attributes:
        default_level: level of cells, in rounds that grade.
        benchmarks: the rules of each benchmark by its name, in the round's order.
        layers: the cells for all benchmarks.
        strict: those of level "strict".
    """

    name: str
    title: str
    source: str
    dialect: str
    default_level: int | None
    reading: dict[str, Any]
    benchmarks: dict[str, BenchmarkRules]
    state: StateWords
    layers: Layers
    strict: Layers

    @classmethod
    def empty(cls, name: str) -> ResolvedRuleset:
        """A round that says nothing."""
        return cls(name, "", "", "", None, {}, {}, StateWords({}, {}), Layers.empty(), Layers.empty())

    @classmethod
    def from_json(cls, value: Any) -> ResolvedRuleset:
        """A round from its JSON form."""
        *head, benchmarks, state, layers, strict = value
        rules = {name: BenchmarkRules.from_json(body) for name, body in benchmarks.items()}
        return cls._make(
            [*head, rules, StateWords(*state), Layers.from_json(layers), Layers.from_json(strict)]
        )

    def copy(self) -> ResolvedRuleset:
        """The same round in dicts of its own, so that a later round can change them."""
        return self.map(lambda cell: cell)

    def map(self, change: CellChange) -> ResolvedRuleset:
        """The same round in dicts of its own, with each cell changed."""
        state = StateWords(
            dict(self.state.initial), {key: dict(words) for key, words in self.state.on.items()}
        )
        return self._replace(
            benchmarks={name: rules.map(change) for name, rules in self.benchmarks.items()},
            state=state,
            layers=self.layers.map(change),
            strict=self.strict.map(change),
        )

    def list_layers(self) -> list[Layer]:
        """All layers of cells, those of the benchmarks last."""
        of_benchmarks = [layer for rules in self.benchmarks.values() for layer in rules.list_layers()]
        return [*self.layers, *self.strict, *of_benchmarks]

    def find_rules(self, rule_id: str) -> Iterator[Rule]:
        """The rules of an id."""
        cells = (cell for layer in self.list_layers() for cell in layer.values())
        return (rule for cell in cells for rule in cell.rules if rule.id == rule_id)


class BaseRules(NamedTuple):
    """Rules that those of a folder may extend.

    Attributes:
        outlines: dialect and benchmarks of each round, by ``usage/round``.
        vocabulary: the codes and the groups of keys.
        find: gives a round, resolved.
    """

    outlines: dict[str, tuple[str, tuple[str, ...]]]
    vocabulary: Vocabulary
    find: Callable[[str], ResolvedRuleset]
