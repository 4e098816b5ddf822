"""Where in a record the blamed part is, so that a caret can point at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlperf_logging.compliance.findings import Finding

_SPACE = " \t"
_FORM = "MLP0"
_ORDER = "MLP2"
_TEXT_BEHIND = "MLP013"


def locate_blame(finding: Finding) -> tuple[int, int] | None:
    """The part of a finding's excerpt that the finding is about.

    Form findings point at the place where the payload stops making sense, order findings at the key, all
    others at the value, or at the metadata field that the rule names.
    """
    text = finding.excerpt
    if not text:
        return None
    payload = text.find("{")
    spans, fault = _read_fields(text, payload) if payload >= 0 else ({}, None)
    if finding.code == _TEXT_BEHIND and payload >= 0:
        return _find_text_behind(text, payload) or _first_word(text)
    if finding.code.startswith(_FORM):
        return (fault, min(fault + 1, len(text))) if fault is not None else _first_word(text)
    key_span = spans.get("key") or _find_key(text, finding.key, payload)
    if finding.code.startswith(_ORDER):
        return key_span or _first_word(text)
    metadata_span = _find_metadata(text, spans, finding.expected) if "meta." in finding.expected else None
    return metadata_span or spans.get("value") or _find_bare_value(text, key_span) or _first_word(text)


def _read_fields(text: str, start: int) -> tuple[dict[str, tuple[int, int]], int | None]:
    """Spans of the values in the JSON object at `start`, and where reading it failed, if it did."""
    import json

    decoder = json.JSONDecoder(strict=False)
    spans: dict[str, tuple[int, int]] = {}
    place = start + 1
    try:
        while True:
            place = _skip_space(text, place)
            if text.startswith("}", place):
                return spans, None
            name, place = decoder.raw_decode(text, place)
            place = _skip_space(text, place)
            if not isinstance(name, str) or not text.startswith(":", place):
                return spans, place
            begin = _skip_space(text, place + 1)
            _, place = decoder.raw_decode(text, begin)
            spans[name] = begin, place
            place = _skip_space(text, place)
            if not text.startswith(",", place):
                return spans, None if text.startswith("}", place) else place
            place += 1
    except json.JSONDecodeError as error:
        return spans, error.pos
    except RecursionError:
        return spans, place


def _find_text_behind(text: str, start: int) -> tuple[int, int] | None:
    """What stands behind the JSON object at `start`."""
    import json

    try:
        _, end = json.JSONDecoder(strict=False).raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return (_skip_space(text, end), len(text)) if end < len(text) else None


def _find_metadata(text: str, spans: dict[str, tuple[int, int]], expected: str) -> tuple[int, int] | None:
    """The metadata field that a rule names, or the whole metadata where the field is not there."""
    if "metadata" not in spans:
        return None
    start, end = spans["metadata"]
    name = expected.partition("meta.")[2]
    length = next((i for i, letter in enumerate(name) if not (letter.isalnum() or letter == "_")), len(name))
    inner, _ = _read_fields(text, start) if text.startswith("{", start) else ({}, None)
    return inner.get(name[:length], (start, end))


def _find_key(text: str, key: str | None, payload: int) -> tuple[int, int] | None:
    if not key:
        return None
    end = text.find(f"{key}:") if payload < 0 else text.find(f"{key}:", 0, payload)
    end = text.find(key) if end < 0 else end
    return (end, end + len(key)) if end >= 0 else None


def _find_bare_value(text: str, key_span: tuple[int, int] | None) -> tuple[int, int] | None:
    """The text after ``key:`` in a dialect without objects, or the key where nothing does."""
    if key_span is None or not text.startswith(":", key_span[1]):
        return key_span
    start = _skip_space(text, key_span[1] + 1)
    return (start, len(text.rstrip())) if start < len(text) else key_span


def _first_word(text: str) -> tuple[int, int]:
    end = text.find(" ")
    return 0, end if end > 0 else len(text)


def _skip_space(text: str, place: int) -> int:
    while place < len(text) and text[place] in _SPACE:
        place += 1
    return place
