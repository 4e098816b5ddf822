"""Reading formulas and cells: text of a rule file into a small syntax tree of plain lists.

The tree is made of JSON values only (lists, strings, numbers), so that a resolved ruleset can be kept as
JSON and read back without trusting anything: `closures` accepts the node names listed here and no others.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from mlperf_logging.errors import RuleError
from mlperf_logging.rules.clauses import CLAUSES, FORMULA_CLAUSES, OCCURS, ONCE_EACH

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

Node = list[Any]
"""A syntax tree: ``[name, operand, …]`` where operands are nodes, texts or numbers."""

_GREATEST = 1e300
"""A number beyond this is a slip; for no bound at all there is the word ``infinity``."""

MAX_LENGTH = 1_000
"""Longest cell or formula, in characters."""

MAX_DEPTH = 64
"""Deepest formula: each operator within another, each term of a sum, is one level."""

_SYMBOLS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "modulo": "mod"}


@cache
def build_parser() -> "Lark":
    """The LALR parser for ``formula.lark``, built once per process."""
    from pathlib import Path

    from lark import Lark

    grammar = Path(__file__).with_name("formula.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", start=["cell", "formula"], propagate_positions=True)


def parse_formula(text: str) -> Node:
    """The syntax tree of one formula."""
    return _to_node(_parse(text, "formula"))


class Cell(NamedTuple):
    """What a cell says: (kind, node, text) of each clause; `also`: it adds to the wider layer's cell."""

    also: bool
    clauses: tuple[tuple[str, Node, str], ...]


@cache
def parse_cell(text: str) -> Cell:
    """The clauses of a cell as (kind, node, text).

    Kinds: ``every``, ``first``, ``rest``, ``any`` and ``end`` with a formula's node; ``occurs`` with a node
        such as ``["exactly_one"]``, ``["at_least", 2]`` or ``["at_least_one_of", "epoch_start"]``;
        ``once_each`` with ``["once_each", place, name of a list]``.

    The same cell is in many tables, so what was parsed is kept; nobody changes a node.
    """
    clauses: list[tuple[str, Node, str]] = []
    also, *trees = _parse(text, "cell").children
    clause: Any  # a tree of lark's, whose children are typed too loosely to follow
    for clause in trees:
        kind = str(clause.data)
        if kind in FORMULA_CLAUSES:
            formula = clause.children[0]
            words = text[clause.meta.start_pos : clause.meta.end_pos]
            clauses.append(
                (kind, _to_node(formula), words.removeprefix(CLAUSES[kind].prefix.strip()).strip())
            )
        elif kind == ONCE_EACH:
            place, names = clause.children
            clauses.append(
                (kind, [kind, _to_node(place), str(names)], text[clause.meta.start_pos : clause.meta.end_pos])
            )
        else:
            operands = [int(t) if t.type == "INT" else str(t) for t in clause.children]
            clauses.append((OCCURS, [kind, *operands], _occurs_text(kind, operands)))
    return Cell(also is not None, tuple(clauses))


def _occurs_text(kind: str, operands: list[Any]) -> str:
    words = kind.replace("_", " ")
    if kind == "at_least":
        return f"at least {operands[0]}"
    if kind == "alternating":
        return f"alternating with {operands[0]}"
    if kind == "at_least_one_of":
        return f"at least one of this or {operands[0]}"
    return f"{words} {operands[0]}" if operands else words


def _parse(text: str, start: str) -> "Tree[Token]":
    from lark.exceptions import UnexpectedInput

    if len(text) > MAX_LENGTH:
        raise RuleError(f"this {start} has {len(text)} characters; the limit is {MAX_LENGTH}")
    try:
        tree = build_parser().parse(text, start=start)
    except UnexpectedInput as error:
        if getattr(getattr(error, "token", None), "type", "") == "$END":
            raise RuleError(f"cannot read the {start} {text!r}: it ends too early") from None
        place = error.pos_in_stream if error.pos_in_stream is not None else len(text)
        place = len(text) if place < 0 else place
        raise RuleError(
            f"cannot read the {start} {text!r} at {text[place : place + 12]!r} (character {place + 1})"
        ) from None
    if _is_deep(tree):
        raise RuleError(f"this {start} nests more than {MAX_DEPTH} deep; a sum nests with each term")
    return tree


def _is_deep(tree: "Tree[Token]") -> bool:
    """Whether those who go down a tree, each level a call, would go too deep."""
    level: list[Any] = [tree]
    for _ in range(MAX_DEPTH):
        inner = [each for each in level if hasattr(each, "children")]
        if any(each.data == "comparison" and len(each.children) > MAX_DEPTH for each in inner):
            return True  # compared one after the other
        level = [kid for each in inner for kid in each.children]
    return bool(level)


def _to_node(tree: Any) -> Node:
    """Lark's tree as plain lists; the only place that knows lark's types."""
    name, kids = str(tree.data), tree.children
    if name == "number":
        digits = str(kids[0]).replace("_", "")
        if abs(float(digits)) > _GREATEST:
            raise RuleError(f"the number {digits[:20]}{'…' * (len(digits) > 20)} is too large")
        return ["number", float(digits) if any(c in digits for c in ".eE") else int(digits)]
    if name in {"string", "word"}:
        return ["string", str(kids[0]).strip('"')]
    if name in {"meta", "event", "state", "logged", "count", "minutes_since"}:
        return [name, str(kids[0])]
    if name == "field":
        return ["field", _to_node(kids[0]), str(kids[1])]
    if name == "index_of_logged":
        return ["index", ["logged", str(kids[0])], _to_node(kids[1])]
    if name == "call":
        return ["call", str(kids[0]), *map(_to_node, kids[1:])]
    if name in {"comparison", "value_comparison"}:
        head: Node = ["comparison"] if name == "comparison" else ["comparison", ["value"]]
        return head + [str(kid) if hasattr(kid, "type") else _to_node(kid) for kid in kids]
    if name in {"membership", "value_membership"}:
        subject = _to_node(kids[0]) if name == "membership" else ["value"]
        return ["membership", subject, *map(_to_node, kids[-1].children)]
    if name in {"in_benchmarks", "value_in_benchmarks"}:
        return ["membership", _to_node(kids[0]) if kids else ["value"], ["benchmarks"]]
    return [name, *map(_to_node, kids)]


def walk(node: Node) -> list[Node]:
    """The node and every node below it, outermost first."""
    found = [node]
    for operand in node[1:]:
        if isinstance(operand, list):
            found.extend(walk(operand))
    return found


def write_formula(node: Node) -> str:
    """A formula's text from its tree (used where no source text exists, and by round-trip tests)."""
    name, *rest = node
    match name:
        case "number":
            return repr(rest[0])
        case "string":
            return f'"{rest[0]}"'
        case "value" | "infinity" | "true" | "false" | "null" | "benchmarks":
            return str(name)
        case "meta" | "event" | "state":
            return f"{name}.{rest[0]}"
        case "logged" | "count":
            return f"{name}({rest[0]})"
        case "minutes_since":
            return f"minutes_since(first {rest[0]})"
        case "field":
            return f"{write_formula(rest[0])}.{rest[1]}"
        case "index":
            return f"{write_formula(rest[0])}[{write_formula(rest[1])}]"
        case "present" | "previous":
            return f"{name}({write_formula(rest[0])})"
        case "call":
            return f"{rest[0]}({', '.join(map(write_formula, rest[1:]))})"
        case "comparison":
            return (
                "(" + " ".join(part if isinstance(part, str) else write_formula(part) for part in rest) + ")"
            )
        case "membership" if rest[1] == ["benchmarks"]:
            return f"({write_formula(rest[0])} in benchmarks)"
        case "membership":
            return f"({write_formula(rest[0])} in {{{', '.join(map(write_formula, rest[1:]))}}})"
        case "conjunction" | "disjunction":
            return "(" + (" and " if name == "conjunction" else " or ").join(map(write_formula, rest)) + ")"
        case "negation":
            return f"(not {write_formula(rest[0])})"
        case "negative":
            return f"(-{write_formula(rest[0])})"
        case "conditional":
            return f"({write_formula(rest[0])} if {write_formula(rest[1])} else {write_formula(rest[2])})"
        case "power":
            return f"({write_formula(rest[0])} ^ {write_formula(rest[1])})"
        case _:
            return f"({write_formula(rest[0])} {_SYMBOLS[name]} {write_formula(rest[1])})"
