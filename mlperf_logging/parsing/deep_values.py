"""Values that nest deeper than the decoder of Python's json module can follow: where they end, and how deep they are."""

from __future__ import annotations

import re

_TEXT = r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\x00-\x1f]*)*"'
_WORD = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null|NaN|-?Infinity"
_TOKEN = rf"[ \t]*(?:(\[(?:[ \t]*\[)*)|(\{{)|(\](?:[ \t]*\])*)|(\}})|(,)|(:)|({_TEXT})|({_WORD}))"
_LISTS, _OBJECT, _LIST_ENDS, _OBJECT_END, _COMMA, _COLON, _STRING = range(1, 8)

# What may come next: a value, or the end of the list; a name, or the end of the object; a colon; a comma or an end.
_VALUE, _FIRST_VALUE, _NAME, _FIRST_NAME, _BEFORE_VALUE, _NEXT = range(6)


def find_deep_end(text: str, place: int) -> tuple[int, int]:
    """Where the JSON value that begins at a place of a text ends, -1 where it is broken, and how deep it nests.

    The same end as `json.JSONDecoder().raw_decode` finds, at any depth: lists that begin or end one after the other are
    taken at once, and no call nests.
    """
    match = re.compile(_TOKEN).match
    is_open: list[tuple[str, int]] = []  # what is open, the outermost first: "[" so many times, or "{"
    depth = deepest = 0
    wanted = _VALUE
    while found := match(text, place):
        kind, place = found.lastindex, found.end()
        if kind == _LISTS and wanted in (_VALUE, _FIRST_VALUE):
            count = found[_LISTS].count("[")
            depth += count
            if is_open and is_open[-1][0] == "[":
                count += is_open.pop()[1]
            is_open.append(("[", count))
            wanted = _FIRST_VALUE
        elif kind == _OBJECT and wanted in (_VALUE, _FIRST_VALUE):
            depth += 1
            is_open.append(("{", 1))
            wanted = _FIRST_NAME
        elif kind == _LIST_ENDS and wanted in (_NEXT, _FIRST_VALUE) and is_open[-1][0] == "[":
            count, most = found[_LIST_ENDS].count("]"), is_open.pop()[1]
            if count > most:  # the whole value ends here, or the list's end stands where an object's should
                return (-1 if is_open else _find_nth(text, found.start(), most)), deepest
            if count < most:
                is_open.append(("[", most - count))
            depth -= count
            wanted = _NEXT
        elif kind == _OBJECT_END and wanted in (_NEXT, _FIRST_NAME) and is_open[-1][0] == "{":
            is_open.pop()
            depth -= 1
            wanted = _NEXT
        elif kind == _COMMA and wanted == _NEXT:
            wanted = _VALUE if is_open[-1][0] == "[" else _NAME
        elif kind == _COLON and wanted == _BEFORE_VALUE:
            wanted = _VALUE
        elif kind == _STRING and wanted in (_NAME, _FIRST_NAME):
            wanted = _BEFORE_VALUE
        elif kind is not None and kind >= _STRING and wanted in (_VALUE, _FIRST_VALUE):
            wanted = _NEXT
        else:
            break
        deepest = max(deepest, depth)
        if not depth:
            return place, deepest
    return -1, deepest


def _find_nth(text: str, place: int, number: int) -> int:
    """The place behind so many ends of lists, from some place on."""
    for _ in range(number):
        place = text.index("]", place) + 1
    return place
