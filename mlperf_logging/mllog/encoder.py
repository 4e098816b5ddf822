"""Values to JSON text, spaced like ``json.dumps`` writes it, whatever a training script logs.

Everything a log line holds comes through here. The text is always one line of ASCII that any strict JSON
reader accepts:

* numpy, TensorFlow, JAX and torch scalars and arrays are told by what they can do (``tolist``, ``numpy``),
  so none of these libraries is imported;
* enums give their value, paths their text, dates ISO 8601, dataclasses an object, sets a list, ``Decimal``
  its exact digits;
* infinity is the number ``1e999``: valid JSON that readers with binary floating point take for infinity;
  NaN, for which JSON has no number, is the text ``"NaN"``;
* what cannot be encoded is its ``repr``, and the caller is told, so that nothing is lost and no run dies.
"""

from __future__ import annotations

import json.encoder
from enum import Enum

TYPE_CHECKING = False  # importing typing would cost more than this whole package
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

INFINITY = "1e999"
NAN = '"NaN"'

encode_text = json.encoder.encode_basestring_ascii


def encode_value(value: object) -> tuple[str, str | None]:
    """Write a value as JSON.

    Args:
        value: any object.

    Returns:
        The JSON text, and the name of the type that had to be written as its ``repr`` (None where all went
        well).
    """
    try:
        return "".join(_encode_plain(value, 0)), None
    except Exception:  # noqa: BLE001 - a foreign object's method may raise anything; the careful writer copes
        failed: list[str] = []
        return _encode_carefully(value, failed, set()), failed[0] if failed else None


def encode_float(value: float) -> str:
    """Write a float with the fewest digits that read back the same; for NaN and infinity see the module."""
    if value - value == 0.0:
        return float.__repr__(value)
    if value != value:  # noqa: PLR0124 - only NaN differs from itself
        return NAN
    return INFINITY if value > 0 else "-" + INFINITY


def simplify_value(value: object) -> object:
    """Turn an object that JSON does not know into one that it may know.

    Args:
        value: an object that is no text, number, bool, None, dict, list or tuple.

    Returns:
        A simpler object; it may need simplifying again.

    Raises:
        TypeError: nothing simpler is known.
    """
    if isinstance(value, Enum):
        return value.value
    if _is_decimal(value):
        raise TypeError("a Decimal keeps its digits only where its text is written by hand")
    if hasattr(value, "__fspath__"):
        return value.__fspath__()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8")
    fields = getattr(value, "__dataclass_fields__", None)
    if isinstance(value, type):
        raise TypeError(f"{value!r} is a type")
    if fields is not None:
        return {name: getattr(value, name) for name in fields}
    for method in ("tolist", "numpy", "item", "isoformat", "total_seconds"):
        simplify = getattr(value, method, None)
        if callable(simplify):
            simpler: object = simplify()
            if type(simpler) is not type(value):
                return simpler
    if isinstance(value, (set, frozenset)):
        return _sort_if_possible(value)
    return _simplify_by_protocol(value)


def _simplify_by_protocol(value: object) -> object:
    from collections.abc import Mapping, Sequence, ValuesView
    from collections.abc import Set as AbstractSet

    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (Sequence, AbstractSet, ValuesView)) or hasattr(value, "popleft"):
        return list(value)  # type: ignore[call-overload]
    if hasattr(value, "__index__"):
        return value.__index__()
    if hasattr(value, "__float__"):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _sort_if_possible(values: Iterable[object]) -> list[object]:
    try:
        return sorted(values)  # type: ignore[type-var]
    except TypeError:
        return sorted(values, key=repr)


def _make_plain_encoder() -> Callable[[object, int], Iterable[str]]:
    """The standard library's encoder, made once; `json.dumps` with a ``default`` makes one for each call."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is not None:
        plain: Callable[[object, int], Iterable[str]] = make(
            None, simplify_value, encode_text, None, ": ", ", ", False, False, False
        )
        return plain
    encoder = json.JSONEncoder(allow_nan=False, default=simplify_value)
    return lambda value, _: encoder.iterencode(value)


_encode_plain = _make_plain_encoder()


def _encode_carefully(value: object, failed: list[str], open_ids: set[int]) -> str:
    """Write a value piece by piece, replacing by its repr only what has no JSON form."""
    if value is None or isinstance(value, (bool, str, int, float)):
        return _encode_scalar(value, failed)
    if id(value) in open_ids:
        failed.append(type(value).__name__)
        return encode_text(f"<the same {type(value).__name__} again>")
    open_ids.add(id(value))
    try:
        if isinstance(value, dict):
            return _encode_object(value, failed, open_ids)
        if isinstance(value, (list, tuple)):
            return "[" + ", ".join([_encode_carefully(item, failed, open_ids) for item in value]) + "]"
        if _is_decimal(value):
            return _encode_decimal(str(value))
        return _encode_carefully(simplify_value(value), failed, open_ids)
    except Exception:  # noqa: BLE001 - see encode_value
        failed.append(type(value).__name__)
        return encode_text(_describe(value))
    finally:
        open_ids.discard(id(value))


def _encode_scalar(value: str | float | None, failed: list[str]) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return encode_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return encode_float(value)
    try:
        return int.__repr__(value)
    except ValueError:  # more decimal digits than Python agrees to write
        failed.append("int")
        return encode_text(hex(value))


def _encode_object(value: Mapping[object, object], failed: list[str], open_ids: set[int]) -> str:
    members = []
    for name, item in value.items():
        plain = name.value if isinstance(name, Enum) else name
        if not isinstance(plain, str):
            if plain is None or isinstance(plain, (bool, int, float)):
                plain = _encode_scalar(plain, failed).strip('"')
            else:
                plain = _describe(plain)
        members.append(f"{encode_text(plain)}: {_encode_carefully(item, failed, open_ids)}")
    return "{" + ", ".join(members) + "}"


def _is_decimal(value: object) -> bool:
    return type(value).__module__ == "decimal" and type(value).__name__ == "Decimal"


def _encode_decimal(digits: str) -> str:
    if "N" in digits:  # NaN, sNaN, and both with a payload of digits
        return NAN
    return digits.replace("Infinity", INFINITY)


def _describe(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - a repr that fails must not kill a run
        return f"<{type(value).__name__} without a working repr>"
