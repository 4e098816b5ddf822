"""How text fits a narrow terminal: names lose their middle, prose wraps between words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from mlperf_logging.reports._escape import measure_width

_ELLIPSIS = "…"


def shorten_names(names: Iterable[str], width: int) -> dict[str, str]:
    """Names within a width, each without its middle; the cut is where it leaves the most names different."""
    distinct = list(dict.fromkeys(names))
    long = [name for name in distinct if measure_width(name) > width]
    columns = zip(*long, strict=False) if len(long) > 1 else ()
    start = sum(1 for _ in takewhile(lambda letters: len(set(letters)) == 1, columns))
    best: dict[str, str] = {}
    for head in dict.fromkeys(((width - 1) // 2, (width - 1) // 4, 3 * (width - 1) // 4, 0, -1)):
        shown = {
            name: name if measure_width(name) <= width else _cut_name(name, width, head, start)
            for name in distinct
        }
        if not best or len(set(shown.values())) > len(set(best.values())):
            best = shown
        if len(set(best.values())) == len(distinct):
            break
    return best


def _cut_name(name: str, width: int, head: int, start: int) -> str:
    """A name without its middle; with a negative head, what follows the beginning that all names share."""
    if head < 0:
        return _ELLIPSIS + take_columns(name[max(start - 1, 0) :], width - 2) + _ELLIPSIS
    kept = take_columns(name, head)
    tail = take_columns(name[::-1], width - 1 - head)[::-1]
    return f"{kept}{_ELLIPSIS}{tail}"


def take_columns(text: str, width: int) -> str:
    """The beginning of a text that fits into a width."""
    if text.isascii():
        return text[: max(width, 0)]
    end = len(text)
    while measure_width(text[:end]) > width:
        end -= 1
    return text[:end]


def wrap_words(text: str, width: int) -> list[str]:
    """A text in lines that end between words; a single word that is wider than the width loses its middle."""
    if measure_width(text) <= width:
        return [text]
    indent = " " * min(len(text) - len(text.lstrip(" ")), width // 2)
    lines: list[str] = []
    line = indent
    for word in text.split():
        shown = shorten_names([word], max(width - len(indent), 3))[word]
        extended = f"{line} {shown}" if line.strip() else indent + shown
        if line.strip() and measure_width(extended) > width:
            lines.append(line)
            extended = indent + shown
        line = extended
    return [*lines, line]


def shrink_widths(widest: Sequence[int], least: Sequence[int], room: int) -> list[int] | None:
    """Widths that fill a room, the widest columns made narrower first; None where the least do not fit."""
    if sum(least) > room:
        return None
    widths = list(widest)
    for _ in range(sum(widest) - room):
        place = max(range(len(widths)), key=lambda each: (widths[each] > least[each], widths[each]))
        widths[place] -= 1
    return widths
