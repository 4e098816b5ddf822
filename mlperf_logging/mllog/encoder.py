"""Values to JSON text, spaced like ``json.dumps`` writes it, whatever a training script logs.

Everything a log line holds comes through here. The text is always one line of ASCII that any strict JSON
reader accepts:

* numpy, TensorFlow, JAX and torch scalars and arrays are recognized by what they can do (``tolist``,
  ``numpy``), so none of these libraries is imported;
* enums give their value, paths their text, dates ISO 8601, dataclasses an object, sets a list, ``Decimal``
  its exact digits;
* infinity is the number ``1e999``: valid JSON that readers with binary floating point take for infinity;
  NaN, for which JSON has no number, is the text ``"NaN"``;
* what cannot be encoded is its ``repr``, and the caller learns its type, so that nothing is lost and no run
  dies.

A value is what its real type says. ``__class__`` is not asked, for objects may lie about it (mocks do).
"""

from __future__ import annotations

import json.encoder
import sys
from enum import Enum

TYPE_CHECKING = False  # importing typing would cost more than this whole package
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

INFINITY = "1e999"
NAN = '"NaN"'
SIMPLIFYING_METHODS = ("tolist", "numpy", "item", "isoformat", "total_seconds")

encode_text = json.encoder.encode_basestring_ascii


def encode_value(value: object) -> tuple[str, str | None]:
    """Write any object as JSON, with the name of the first type that had to be its ``repr``, or None."""
    try:
        return "".join(_encode_plain(value, 0)), None
    except Exception:  # noqa: BLE001 - a foreign object's method may raise anything
        failed: list[str] = []
        return _encode_carefully(value, failed, set()), failed[0] if failed else None


def encode_float(value: float) -> str:
    """Write a float with the fewest digits that read back the same; for NaN and infinity see the module."""
    text = float.__repr__(value)
    if "n" not in text:
        return text
    return NAN if text == "nan" else text.replace("inf", INFINITY)


def simplify_value(value: Any) -> object:
    """Turn an object that JSON does not know into a simpler one, or raise `TypeError` where none is known."""
    kind = type(value)
    if issubclass(kind, Enum):
        return value.value
    if _is_decimal(kind):
        raise TypeError("a Decimal keeps its digits only where its text is written by hand")
    if hasattr(kind, "__fspath__"):
        return value.__fspath__()
    if issubclass(kind, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8")
    if issubclass(kind, type):
        raise TypeError("a class has no JSON form")
    if hasattr(kind, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in kind.__dataclass_fields__}
    for method in SIMPLIFYING_METHODS:
        simplify = getattr(value, method, None)
        if callable(simplify):
            simpler: object = simplify()
            if type(simpler) is not kind:
                return simpler
    if issubclass(kind, (set, frozenset)):
        return _sort_if_possible(value)
    return _simplify_by_protocol(value, kind)


def _simplify_by_protocol(value: Any, kind: type) -> object:
    from collections.abc import Mapping, Sequence, ValuesView
    from collections.abc import Set as AbstractSet

    if issubclass(kind, Mapping):
        return dict(value)
    if issubclass(kind, (Sequence, AbstractSet, ValuesView)) or hasattr(kind, "popleft"):
        return list(value)
    if hasattr(kind, "__index__"):
        return value.__index__()
    if hasattr(kind, "__float__"):
        return float(value)
    raise TypeError("no simpler form is known")


def _sort_if_possible(values: Iterable[object]) -> list[object]:
    try:
        return sorted(values)  # type: ignore[type-var]
    except TypeError:
        return sorted(values, key=repr)


def _make_plain_encoder() -> Callable[[object, int], Iterable[str]]:
    """The standard library's encoder, made once; `json.dumps` with a ``default`` makes one for each call."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is not None:
        return make(None, simplify_value, encode_text, None, ": ", ", ", False, False, False)  # type: ignore[no-any-return]
    encoder = json.JSONEncoder(allow_nan=False, default=simplify_value)
    return lambda value, _: encoder.iterencode(value)


_encode_plain = _make_plain_encoder()


def _encode_carefully(value: Any, failed: list[str], open_ids: set[int]) -> str:
    """Write a value piece by piece, replacing by its repr only what has no JSON form."""
    kind = type(value)
    if value is None or issubclass(kind, (bool, str, int, float)):
        return _encode_scalar(value, failed)
    if id(value) in open_ids:
        failed.append(_name_type(kind))
        return encode_text(f"<the same {_name_type(kind)} again>")
    open_ids.add(id(value))
    try:
        if issubclass(kind, dict):
            return _encode_object(value.items(), failed, open_ids)
        if issubclass(kind, (list, tuple)):
            items = [_encode_carefully(item, failed, open_ids) for item in value]
            return f"[{', '.join(items)}]"
        if _is_decimal(kind):
            return _encode_decimal(value)
        return _encode_carefully(simplify_value(value), failed, open_ids)
    except Exception:  # noqa: BLE001 - see encode_value
        failed.append(_name_type(kind))
        return encode_text(_describe(value))
    finally:
        open_ids.discard(id(value))


def _encode_scalar(value: Any, failed: list[str]) -> str:
    kind = type(value)
    if value is None:
        return "null"
    if issubclass(kind, str):
        return encode_text(value)
    if kind is bool:
        return "true" if value else "false"
    if issubclass(kind, float):
        return encode_float(value)
    try:
        return int.__repr__(value)
    except ValueError:  # more decimal digits than Python agrees to write
        failed.append("int")
        return encode_text(hex(value))


def _encode_object(items: Iterable[tuple[Any, object]], failed: list[str], open_ids: set[int]) -> str:
    members = []
    for name, item in items:
        plain: Any = name.value if issubclass(type(name), Enum) else name
        if not issubclass(type(plain), str):
            if plain is None or issubclass(type(plain), (bool, int, float)):
                plain = _encode_scalar(plain, failed).strip('"')
            else:
                plain = _describe(plain)
        members.append(f"{encode_text(plain)}: {_encode_carefully(item, failed, open_ids)}")
    return "{" + ", ".join(members) + "}"


def _is_decimal(kind: type) -> bool:
    decimal = sys.modules.get("decimal")  # whoever has a Decimal has loaded it
    return decimal is not None and issubclass(kind, decimal.Decimal)


def _encode_decimal(value: object) -> str:
    digits: str = sys.modules["decimal"].Decimal.__str__(value)
    if "N" in digits:  # NaN, sNaN, and both with a payload of digits
        return NAN
    return digits.replace("Infinity", INFINITY)


def _name_type(kind: type) -> str:
    """The name that a type was given, whatever its metaclass says."""
    return str(type.__dict__["__name__"].__get__(kind))


def _describe(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - a repr that fails must not kill a run
        return f"<{_name_type(type(value))} without a working repr>"
