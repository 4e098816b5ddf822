"""The dialects' grammars at work: lark parsers, the values they make, and what is wrong where they stop.

Loaded only when a record is not ordinary.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from functools import cache
from threading import Lock
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken
from lark.common import LexerConf
from lark.lexer import ContextualLexer, Lexer, LexerState
from lark.parsers.lalr_analysis import Reduce
from lark.parsers.lalr_parser_state import ParserState
from lark.visitors import merge_transformers

from mlperf_logging.parsing.diagnostics import KINDS
from mlperf_logging.parsing.dialects import Dialect, Parsed, ParseRecord, Unreadable
from mlperf_logging.parsing.payloads import PairDecoder, read_integer

EAGER_DEPTH = 20
"""A whole value is tried at once while at most so many symbols are on the parser's stack. That bounds how
often the same text is tried, so that reading stays linear in the length of a record."""

_FOLDER = os.path.dirname(__file__)
_WHITESPACE = re.compile(r"[ \t]*")
_NUMBER = re.compile(r"-?[0-9]")
_LITERAL = re.compile(r"(?:True|False|None)(?![A-Za-z0-9_])")
_WORD = re.compile(r"[^\W\d]")
_TEXT_START = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*')
_CUT_ESCAPE = re.compile(r"\\(?:u[0-9A-Fa-f]{0,3})?")
_PUNCTUATION = {"'": "SINGLE_QUOTE", "\x00": "ZERO", **{char: char for char in "{}[](),:"}}


def open_grammars(*, eager: bool = True) -> ParseRecord:
    """Make a parser of records; each dialect's grammar is built when it is first needed.

    An eager one decodes a whole JSON value at once where one is wanted and one is there, with the grammar over the
    result; the other takes lark's own lexer, token by token.
    """

    def parse(dialect: Dialect, text: str) -> Parsed | Unreadable:
        return build_grammar(dialect, eager).parse(text)

    return parse


@cache
def build_grammar(dialect: Dialect, eager: bool) -> Grammar:
    """Build a dialect's grammar, once per process; see `open_grammars`."""
    return Grammar(dialect, eager=eager)


class Grammar:
    """One dialect's grammar, ready to parse."""

    def __init__(self, dialect: Dialect, *, eager: bool) -> None:
        self._values = Values()
        self._lark = Lark.open(
            dialect.grammar_path,
            parser="lalr",
            lexer=make_eager_lexer(self._values) if eager else "contextual",
            regex=True,
            maybe_placeholders=False,
            transformer=merge_transformers(RecordFields(), json=self._values),  # type: ignore[no-untyped-call]
            import_paths=[_FOLDER],
        )
        marker = dialect.marker.decode()
        head = marker + dialect.sample_head
        self._samples = [(kind.label, [head + sample for sample in kind.samples]) for kind in KINDS]
        self._samples += [
            (label, [marker + sample for sample in samples]) for label, samples in dialect.head_samples
        ]
        self._labels: dict[tuple[Any, str], str] = {}
        self._lock = Lock()

    def parse(self, text: str) -> Parsed | Unreadable:
        """Parse a text that begins with a record."""
        with self._lock:
            self._values.whole.duplicates = []
            try:
                fields = self._parse_whole(text)
            except UnexpectedToken as error:
                place = error.pos_in_stream or 0
                if error.token.type != "COMPLETE":
                    return Unreadable(place, self._label(error))
                # A bracket or a comma behind a whole record is a rest, too, though the parser sees it first.
                self._values.whole.duplicates = []
                fields = {**self._parse_whole(text[:place]), "rest": place}
            return Parsed(fields, fields.pop("rest", None), self._values.whole.duplicates)

    def _parse_whole(self, text: str) -> Any:
        """Parse; an error is an unexpected token named after its kind, with the number of the parser's state."""
        try:
            return self._lark.parse(text)
        except UnexpectedInput as error:
            at_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
            place = len(text) if at_end else error.pos_in_stream or 0
            state, is_complete = settle(error.state)
            kind, place = ("COMPLETE", place) if is_complete else classify(text, place)
            token = Token(kind, kind, start_pos=place)
            raise UnexpectedToken(token, set(), state=state) from None  # type: ignore[no-untyped-call]

    def _label(self, error: UnexpectedToken) -> str:
        """The label of the sample that fails in the same state, if possible on the same kind of error."""
        case = (error.state, error.token.type)
        label = self._labels.get(case)
        if label is None:
            label = (
                error.match_examples(self._parse_whole, self._samples, use_accepts=False)
                or "words-out-of-shape"
            )
            self._labels[case] = label
        return label


class RecordFields(Transformer[Token, Any]):
    """What a record is made of: the texts of the terminals, and the payload."""

    def start(self, children: list[Any]) -> dict[str, Any]:
        """The record's fields; ``rest`` is the place where something else begins."""
        fields: dict[str, Any] = {}
        for child in children:
            if not isinstance(child, Token):
                fields["payload"] = child
            elif child.type == "REST":
                fields["rest"] = child.start_pos
            else:
                fields[child.type.lower()] = str(child)
        return fields


class Values(Transformer[Token, Any]):
    """What JSON means; the methods are named after the rules.

    Attributes:
        whole: decodes values that need not be taken apart, and keeps the names that were repeated.
    """

    def __init__(self) -> None:
        super().__init__()
        self.whole = PairDecoder()

    def object(self, members: list[Any]) -> dict[str, Any]:
        """Make an object of its members; note names repeated in it."""
        return self.whole.make_object(_take_apart(members))

    def member(self, children: list[Any]) -> tuple[str, Any]:
        """A member's name and value."""
        name, value = children
        return json.loads(name), value

    def array(self, values: list[Any]) -> list[Any]:
        """A list of its values."""
        return _take_apart(values)

    def text(self, children: list[Token]) -> str:
        """Text without its quotes and escapes."""
        return str(json.loads(children[0]))

    def number(self, children: list[Token]) -> int | float:
        """A number, or one of the words for numbers that are not finite."""
        token = str(children[0])
        return read_integer(token) if token.lstrip("-").isdecimal() else float(token)

    def true(self, _: list[Token]) -> bool:
        """The word for true."""
        return True

    def false(self, _: list[Token]) -> bool:
        """The word for false."""
        return False

    def null(self, _: list[Token]) -> None:
        """The word for nothing."""

    def decoded(self, children: list[Token]) -> Any:
        """A value that was decoded whole."""
        return children[0].value

    def whole_members(self, children: list[Token]) -> _WholeParts:
        """Members or values that were decoded whole."""
        return _WholeParts(children[0].value)

    whole_values = whole_members


class _WholeParts(list[Any]):
    """Members or values that were decoded whole, as distinct from a list that is one value."""


def _take_apart(children: list[Any]) -> list[Any]:
    """The members or values of which the first ones may have been decoded whole."""
    return [*children[0], *children[1:]] if children and isinstance(children[0], _WholeParts) else children


def make_eager_lexer(values: Values) -> type[Lexer]:
    """Make a lexer class that gives a whole JSON value as one token, decoded by the standard library in C.

    Where that fails, and for all else, it gives what lark's contextual lexer gives; so the grammar sees a
    value piece by piece only on the way to the place where it is malformed.
    """
    decoders = (
        ("json__MEMBERS", values.whole.decode_members),
        ("json__VALUES", values.whole.decode_values),
        ("json__DECODED", values.whole.decode_value),
    )

    class EagerLexer(Lexer):
        __future_interface__ = 2

        def __init__(self, conf: LexerConf) -> None:
            self._conf = conf
            self._lexer: ContextualLexer | None = None

        def lex(self, lexer_state: LexerState, parser_state: ParserState[Any]) -> Iterator[Token]:
            states = parser_state.parse_conf.states
            if self._lexer is None:
                self._lexer = ContextualLexer(
                    self._conf, {state: list(table) for state, table in states.items()}
                )
            lexers = self._lexer.lexers
            text: Any = getattr(lexer_state.text, "text", lexer_state.text)
            line = lexer_state.line_ctr
            try:
                while True:
                    state = parser_state.position
                    wanted = states[state]
                    if len(parser_state.state_stack) <= EAGER_DEPTH:
                        for name, decode in decoders:
                            if name in wanted and (found := decode(text, line.char_pos)):
                                token = Token(name, "", start_pos=line.char_pos)
                                token.value, line.char_pos = found
                                yield token
                                break
                        else:
                            yield lexers[state].next_token(lexer_state, parser_state)
                    else:
                        yield lexers[state].next_token(lexer_state, parser_state)
            except EOFError:
                return

    return EagerLexer


def settle(state: Any) -> tuple[int, bool]:
    """Let the parser make the reductions that it makes whatever comes next.

    Lexers differ in how far the parser has reduced when they stop; afterwards it is in the same state.
    """
    stack = list(state.state_stack)
    states = state.parse_conf.states
    while True:
        actions = list(states[stack[-1]].values())
        action, rule = actions[0]
        if action is not Reduce or any(other is not rule for _, other in actions):
            return int(stack[-1]), "REST" in states[stack[-1]]
        del stack[len(stack) - len(rule.expansion) :]
        stack.append(states[stack[-1]][rule.origin.name][1])


def classify(text: str, place: int) -> tuple[str, int]:
    """The kind of the error at a place of a text, and the place of the very character where that is further on."""
    if place >= len(text):
        return "END", len(text)
    char = text[place]
    if char == '"':
        end = _TEXT_START.match(text, place).end()  # type: ignore[union-attr]
        return ("STRING", place) if text[end : end + 1] == '"' else _classify_text(text, end)
    if char in _PUNCTUATION:
        return _PUNCTUATION[char], place
    if char.isalnum() and text[place - 1 : place].isdecimal():
        return "MALFORMED_NUMBER", place
    if _NUMBER.match(text, place):
        return "NUMBER", place
    if char in "+-.":
        return "MALFORMED_NUMBER", place
    if _LITERAL.match(text, place):
        return "LITERAL", place
    if char < " ":
        return "CONTROL", place
    return ("WORD" if _WORD.match(text, place) else "OTHER"), place


def _classify_text(text: str, place: int) -> tuple[str, int]:
    """Classify what ends a string that is not closed."""
    if place >= len(text) or _CUT_ESCAPE.fullmatch(text, place):
        return "END", len(text)
    return {"\x00": "ZERO", "\\": "ESCAPE"}.get(text[place], "CONTROL"), place
