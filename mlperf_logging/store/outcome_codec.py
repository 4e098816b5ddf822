"""What commands keep of logs, as text: named tuples as JSON lists of their fields, checked when they are read.

A store may come from a stranger, so nothing in it runs as code, and what does not have the expected form is refused. Every
value comes back as it was: whole numbers stay whole, and infinite and missing numbers are written as Python's ``json`` does.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from enum import Enum
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

Convert = Callable[[Any], Any]

_SCALARS: dict[Any, tuple[type, ...]] = {
    str: (str,),
    bool: (bool,),
    int: (int,),
    float: (int, float),  # logs write a time or a size as either
    NoneType: (NoneType,),
}
_JSON_SCALARS = (str, bool, int, float, NoneType)


class OutcomeCodec:
    """Writes values of one type as text and reads them back.

    A type is a named tuple, an enumeration of texts, `str`, `bytes`, `bool`, `int`, `float`, `Any` (a JSON value), or
    made of these with ``tuple[T, ...]``, ``list``, ``dict`` or ``Mapping`` from `str`, ``frozenset[str]``, and ``T | None``.
    """

    def __init__(self, kind: Any, names: Mapping[str, Any] | None = None) -> None:
        """Prepare both directions.

        Args:
            kind: the type.
            names: types that modules name only for type checkers.
        """
        converters = _Converters(names or {})
        self._to_plain, self._from_plain = converters.find(kind)

    def write(self, value: Any) -> str:
        """The value as ASCII text; `ValueError` where it holds what cannot come back as it was."""
        return json.dumps(self._to_plain(value), separators=(",", ":"))

    def read(self, text: str) -> Any:
        """The value that was written; `ValueError` where the text is none of this type."""
        try:
            return self._from_plain(json.loads(text))
        except RecursionError:
            raise ValueError("it nests too deep") from None


class _Converters:
    """Functions to plain JSON values and back, by type."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = dict(names)

    def find(self, kind: Any) -> tuple[Convert, Convert]:
        origin, arguments = get_origin(kind), get_args(kind)
        if kind is Any:
            return _check_json, _keep
        if kind is bytes:
            return (lambda value: b64encode(value).decode()), (lambda text: b64decode(text, validate=True))
        if kind in _SCALARS:
            check = _make_check(_SCALARS[kind])
            return check, check
        if origin in (Union, UnionType):
            return self._find_union([each for each in arguments if each is not NoneType])
        if origin is tuple or origin is list:
            return _make_sequence(origin, *self.find(arguments[0]))
        if origin is frozenset:
            return sorted, _make_sequence(frozenset, *self.find(arguments[0]))[1]
        if origin is not None and issubclass(origin, Mapping):
            return _make_mapping(*self.find(arguments[1]))
        if isinstance(kind, type) and issubclass(kind, Enum):
            return (lambda value: kind(value).value), kind
        return self._find_record(kind)

    def _find_union(self, kinds: list[Any]) -> tuple[Convert, Convert]:
        if all(kind in _SCALARS for kind in kinds):
            check = _make_check((NoneType, *[each for kind in kinds for each in _SCALARS[kind]]))
            return check, check
        (kind,) = kinds
        write, read = self.find(kind)
        return (
            lambda value: None if value is None else write(value),
            lambda value: None if value is None else read(value),
        )

    def _find_record(self, kind: Any) -> tuple[Convert, Convert]:
        hints = get_type_hints(kind, localns=self._names)
        fields = [self.find(hints[name]) for name in kind._fields]
        writers, readers = [each[0] for each in fields], [each[1] for each in fields]

        def write(value: Any) -> list[Any]:
            if type(value) is not kind:
                raise ValueError(f"{value!r} is no {kind.__name__}")
            return [write(part) for write, part in zip(writers, value, strict=True)]

        def read(value: Any) -> Any:
            if type(value) is not list:
                raise ValueError(f"{kind.__name__} is a list")
            return kind(*[read(part) for read, part in zip(readers, value, strict=True)])

        return write, read


UNKEPT = SimpleNamespace(DataFrame=NoneType)
"""Stands for a library whose tables are never kept."""


def _make_check(kinds: tuple[type, ...]) -> Convert:
    def check(value: Any) -> Any:
        if type(value) in kinds:
            return value
        if isinstance(value, Enum) and isinstance(value, str) and str in kinds:
            return value.value  # equal to the text, and written as it everywhere
        raise ValueError(
            f"{type(value).__name__} in place of {' or '.join([kind.__name__ for kind in kinds])}"
        )

    return check


def _make_sequence(collect: Any, write: Convert, read: Convert) -> tuple[Convert, Convert]:
    def read_all(value: Any) -> Any:
        if type(value) is not list:
            raise ValueError("a sequence is a list")
        return collect([read(each) for each in value])

    return (lambda value: [write(each) for each in value]), read_all


def _make_mapping(write: Convert, read: Convert) -> tuple[Convert, Convert]:
    def convert(value: Any, one: Convert) -> dict[str, Any]:
        if not isinstance(value, Mapping) or not all(type(key) is str for key in value):
            raise ValueError("a mapping is an object with texts as keys")
        return {key: one(each) for key, each in value.items()}

    return (lambda value: convert(value, write)), (lambda value: convert(value, read))


def _check_json(value: Any) -> Any:
    """The value, where JSON has it as it is: a tuple, say, would come back as a list."""
    if type(value) is list:
        return [_check_json(each) for each in value]
    if type(value) is dict:
        return {_check_json_key(key): _check_json(each) for key, each in value.items()}
    if type(value) in _JSON_SCALARS:
        return value
    raise ValueError(f"{type(value).__name__} is no JSON value")


def _check_json_key(key: Any) -> str:
    if type(key) is not str:
        raise ValueError(f"the key {key!r} is no text")
    return key


def _keep(value: Any) -> Any:
    return value
