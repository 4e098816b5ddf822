"""A curve drawn with characters: eight dots in each, for a terminal or a log."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of the dots of a character, by row and column; see the Unicode block of braille patterns."""

_BRAILLE = 0x2800
_TARGET = "┄"
_BARS = "▁▂▃▄▅▆▇█"
_FAR = 0.1
_FLATTENING = 2.0


class Scale(NamedTuple):
    """The ends of an axis."""

    low: float
    high: float

    def place(self, value: float, length: int) -> int:
        """The number of the cell of so many that a value falls into; the nearest for one beyond the ends."""
        # Halves: the difference of two of the largest numbers is none.
        span = self.high / 2 - self.low / 2
        share = (value / 2 - self.low / 2) / span if span > 0 else 0.0
        return int(min(max(share, 0.0) * length, length - 1))


def draw_curve(
    points: Sequence[tuple[float, float]], x: Scale, y: Scale, width: int, height: int, target: float | None
) -> list[str]:
    """The lines of a picture of a curve, the topmost first; a dashed line is the target.

    Args:
        points: places and values, by place.
        x: ends of the axis of places.
        y: ends of the axis of values.
        width: columns.
        height: lines.
        target: value of the dashed line, or None.
    """
    cells = [[0] * width for _ in range(height)]
    former: tuple[int, int] | None = None
    for place, value in points:
        column, row = x.place(place, 2 * width), 4 * height - 1 - y.place(value, 4 * height)
        for dot_column, dot_row in _join(former, (column, row)):
            cells[dot_row // 4][dot_column // 2] |= _DOTS[dot_row % 4][dot_column % 2]
        former = column, row
    line = None if target is None else (4 * height - 1 - y.place(target, 4 * height)) // 4
    return [
        "".join(
            chr(_BRAILLE + cell) if cell else _TARGET if number == line else " " for cell in cells[number]
        )
        for number in range(height)
    ]


def draw_span(
    x: Scale, width: int, low: float, high: float, fill: str, marks: Iterable[tuple[float, str]] = ()
) -> str:
    """A line with a part filled, to stand below a curve, and characters at some places."""
    cells = [" "] * width
    for column in range(x.place(low, width), x.place(high, width) + 1):
        cells[column] = fill
    for place, mark in marks:
        cells[x.place(place, width)] = mark
    return "".join(cells)


def draw_sparkline(values: Sequence[float], width: int) -> str:
    """Values as bars of one line, the latest to the right."""
    shown = list(values)
    if len(shown) > width:
        shown = [shown[(number + 1) * len(shown) // width - 1] for number in range(width)]
    if not shown:
        return ""
    scale = fit_values(shown, None)
    return "".join(_BARS[scale.place(value, len(_BARS))] for value in shown)


def fit_values(values: Sequence[float], target: float | None) -> Scale:
    """Ends of an axis of values: a tenth of them is beyond its ends where they would flatten the others."""
    wanted = [] if target is None else [target]
    ordered = sorted(values)
    if not ordered:
        return Scale(min(wanted, default=0.0), max(wanted, default=1.0))
    far = math.ceil(len(ordered) * _FAR) if len(ordered) >= 1 / _FAR else 0
    kept = ordered[far : len(ordered) - far]
    reach = _FLATTENING * (kept[-1] - kept[0])
    near = [value for value in ordered if kept[0] - reach <= value <= kept[-1] + reach] if reach else ordered
    return Scale(min([*near, *wanted]), max([*near, *wanted]))


def _join(start: tuple[int, int] | None, end: tuple[int, int]) -> Iterable[tuple[int, int]]:
    """The dots of a straight line."""
    if start is None:
        return [end]
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    return [
        (
            start[0] + round((end[0] - start[0]) * step / steps),
            start[1] + round((end[1] - start[1]) * step / steps),
        )
        for step in range(steps + 1)
    ]
