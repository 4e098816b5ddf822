"""Names from logs made fit for all tools: for folders, for tags of TensorBoard, and for metrics and parameters of MLflow."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Any

from mlperf_logging.reports._escape import crop, encodable_text

LONGEST_PART, LONGEST_NAME = 80, 240
"""In characters: of a part between slashes, and of a name. MLflow takes 250, file systems 255 bytes a part."""

LONGEST_PARAM, LONGEST_TAG = 6_000, 5_000
"""In characters: MLflow refuses longer values."""

LARGEST_EXACT = 1 << 53
"""Whole numbers up to this are exact as floats; larger ones become text, digit by digit."""

PlainValue = str | int | float | bool

_UNFIT = re.compile(r"[^\w.\- ]")
_DIGITS = 6


def clean_name(name: str) -> str:
    """A name, perhaps with slashes, whose parts all tools take and that leads out of no folder.

    Letters of any script, digits, ``_``, ``-``, ``.`` and blanks stay; anything else becomes ``_``. Parts that mean the
    same or the parent folder become ``_``. What is too long is cropped and told apart by a checksum.
    """
    parts = [_clean_part(part) for part in name.split("/")]
    cleaned = "/".join(parts)
    if len(cleaned) <= LONGEST_NAME:
        return cleaned
    return f"{cleaned[: LONGEST_NAME - _DIGITS - 1].rstrip('/ .')}-{_sum_up(name)}"


def _clean_part(part: str) -> str:
    cleaned = _UNFIT.sub("_", part).strip(" .") or "_"
    if len(cleaned) > LONGEST_PART or len(cleaned.encode()) > 3 * LONGEST_PART:
        # 80 characters of four bytes do not fit with what is put behind them
        while len(cleaned) > LONGEST_PART - _DIGITS - 1 or len(cleaned.encode()) > 2 * LONGEST_PART:
            cleaned = cleaned[: LONGEST_PART - _DIGITS - 1] if len(cleaned) > LONGEST_PART else cleaned[:-1]
        cleaned = f"{cleaned.rstrip(' .')}-{_sum_up(part)}"
    return cleaned


def _sum_up(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:_DIGITS]


def tell_apart(name: str, taken: Collection[str]) -> str:
    """The name, or, where it is taken, the name with the first free number behind it."""
    if name not in taken:
        return name
    stem, number = name[: LONGEST_NAME - 8], 2
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"


def plain_value(value: Any, longest: int = LONGEST_PARAM) -> PlainValue:
    """A logged value as parameters hold it: numbers and truth values as they are, anything else as text.

    Numbers that a float does not hold exactly, NaN and infinity become text too, lists and objects JSON.
    """
    if isinstance(value, (bool, float)) and value - value == 0:
        return value
    if isinstance(value, int) and -LARGEST_EXACT <= value <= LARGEST_EXACT:
        return value
    return clean_text(_write_text(value), longest)


def clean_values(values: Mapping[str, Any], longest: int | None = None) -> dict[str, PlainValue]:
    """Values under names that all tools take; texts are cropped to the length that they take."""
    cleaned: dict[str, PlainValue] = {}
    for name, value in values.items():
        fit = tell_apart(clean_name(name), cleaned)
        cleaned[fit] = plain_value(value) if longest is None else plain_value(value, longest)
    return cleaned


def clean_text(text: str, longest: int) -> str:
    """A text that every store takes: no half characters, no NUL, not too long."""
    return crop(encodable_text(text).replace("\0", "\\0"), longest)


def _write_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        if isinstance(value, (int, float)):
            return str(value)
        import json

        return json.dumps(value, ensure_ascii=False)
    except ValueError:  # more digits than Python agrees to write
        return hex(value) if isinstance(value, int) else "?"
