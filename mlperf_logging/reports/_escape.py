"""Text from foreign logs made safe to show: on a terminal, in XML, in one line."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

_SHOWN_AS_IS = "\u00a0\u200d\u3000"  # spaces of other scripts, and the joiner inside composed emoji


def show_text(text: str) -> str:
    r"""The text with everything that a terminal or a reader could be fooled by written as an escape.

    Control characters (line feeds and escape codes too), direction overrides and lone surrogates become
    ``\n``, ``\x1b``, ``\u202e``; the result is one line that any UTF-8 stream takes.
    """
    return _replace_hidden(text, lambda character: ascii(character)[1:-1])


def show_lines(text: str) -> str:
    """The text as `show_text` writes it, line by line."""
    return "\n".join(map(show_text, text.split("\n")))


def _replace_hidden(text: str, escape: Callable[[str], str]) -> str:
    """The text with what cannot be seen replaced."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in _SHOWN_AS_IS else escape(character)
        for character in text
    )


def encode_json(value: object) -> str:
    """A value as JSON that every reader takes, on one line.

    NaN and infinity become null; a lone surrogate (a file name that is not UTF-8) becomes its escape as text. What
    cannot be seen is written as an escape of JSON, which readers turn back.
    """
    import orjson

    try:
        return _replace_hidden(orjson.dumps(value).decode("utf-8"), _escape_json)
    except (orjson.JSONEncodeError, TypeError):  # lone surrogates, and whole numbers beyond 64 bits
        import json

        text = json.dumps(_encodable(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return _replace_hidden(text, _escape_json)


def _escape_json(character: str) -> str:
    import json

    return json.dumps(character)[1:-1]


def encodable_text(text: str) -> str:
    """The text with lone surrogates written as escapes, so that any UTF-8 stream takes it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _encodable(value: object) -> object:
    if isinstance(value, str):
        return encodable_text(value)
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {encodable_text(str(key)): _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value


def measure_width(text: str) -> int:
    """Columns that a text takes on a terminal: wide characters count two, combining ones none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(character) or character == "\u200d" else 1 + (east_asian_width(character) in "WF")
        for character in text
    )


def crop(text: str, limit: int) -> str:
    """The text, or its beginning and an ellipsis where it is longer than the limit."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
