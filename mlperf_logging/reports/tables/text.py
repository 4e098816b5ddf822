"""Tables for people: aligned columns that break no word and no number, however narrow the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlperf_logging.reports._escape import measure_width, show_text
from mlperf_logging.reports.tables import BaseRenderer, Look
from mlperf_logging.reports.tables._narrow import shorten_names, shrink_widths, wrap_words
from mlperf_logging.tables import NAME, NOTES, PROSE, Column, Document, Table

_GAP = "  "
_LEAST_NAME, _LEAST_PROSE = 12, 24
_MOST_FOOTNOTES = 12
_BOLD, _DIM = "1", "2"


class Renderer(BaseRenderer):
    """On a narrow terminal prose wraps and names are shortened, then columns are hidden, then rows become blocks."""

    for_people = True

    def render(self, document: Document, look: Look) -> bytes:
        """The tables, a blank line between them, and the notes."""
        parts = [render_table(table, look) for table in document.tables]
        if document.notes:
            parts.append(_join_lines([line for text in document.notes for line in _wrap_line(text, look)]))
        return "\n".join(parts).encode("utf-8", "backslashreplace")


@dataclass
class _Block:
    """A column on its way to text: its head and, for each row, its lines."""

    column: Column
    head: str
    cells: list[list[str]]

    @cached_property
    def widest(self) -> int:
        return max(
            map(measure_width, [self.head, self.column.unit, *[line for cell in self.cells for line in cell]])
        )

    @cached_property
    def least(self) -> int:
        """The width below which it cannot go."""
        heads = max(measure_width(self.head), measure_width(self.column.unit))
        if self.column.kind == NAME:
            return self._find_least_name(min(self.widest, max(heads, _LEAST_NAME)))
        if self.column.kind == PROSE:
            words = [word for cell in self.cells for line in cell for word in line.split(" ")]
            return min(self.widest, max([heads, _LEAST_PROSE, *map(measure_width, words)]))
        return self.widest

    def _find_least_name(self, least: int) -> int:
        """The smallest width at which shortened names are still as many different ones."""
        names = {line for cell in self.cells for line in cell}
        for width in range(least, self.widest, 2):
            if len(set(shorten_names(names, width).values())) == len(names):
                return width
        return self.widest

    def narrow(self, width: int) -> list[list[str]]:
        """The cells within a width that is not below the least."""
        if self.widest <= width:
            return self.cells
        if self.column.kind == NAME:
            shown = shorten_names([line for cell in self.cells for line in cell], width)
            return [[shown[line] for line in cell] for cell in self.cells]
        return [[part for line in cell for part in wrap_words(line, width)] for cell in self.cells]


def render_table(table: Table, look: Look) -> str:
    """A table as text."""
    if not table.rows:
        return _join_lines([*_wrap_line(table.empty or table.title, look), *_render_footnotes(table, look)])
    footnotes: dict[str, int] = {}
    blocks = [
        _make_block(column, [row[index] for row in table.rows], footnotes)
        for index, column in enumerate(table.columns)
        if column.priority is not None
    ]
    blocks = [block for block in blocks if any(any(cell) for cell in block.cells)]
    said = [block for block in blocks if _is_said_once(block)]
    blocks = [block for block in blocks if block not in said]
    shared = [f"{block.head} {block.cells[0][0]}" for block in said]
    title = ", ".join(part for part in (table.title, *shared) if part)
    lines = _wrap_line(title, look, _BOLD) if title else []
    lines += _align(blocks, look)
    below = [f"[{number}] {text}" for text, number in list(footnotes.items())[:_MOST_FOOTNOTES]]
    if len(footnotes) > _MOST_FOOTNOTES:
        below.append(f"… and {len(footnotes) - _MOST_FOOTNOTES:,} more notes (--format json shows all)")
    lines += ["", *[part for text in below for part in _wrap_line(text, look)]] if below else []
    return _join_lines(lines + _render_footnotes(table, look))


def _make_block(column: Column, values: Sequence[Any], footnotes: dict[str, int]) -> _Block:
    if column.kind == NOTES:
        notes = [(value,) if isinstance(value, str) else value or () for value in values]
        cells = [
            [" ".join(f"[{footnotes.setdefault(text, len(footnotes) + 1)}]" for text in each if text)]
            for each in notes
        ]
    elif column.kind == PROSE:
        cells = [
            [show_text(line) for line in (value if isinstance(value, tuple) else (column.write(value),))]
            or [""]
            for value in values
        ]
    else:
        cells = [[show_text(column.write(value))] for value in values]
    return _Block(column, show_text(column.title or column.name), cells)


def _is_said_once(block: _Block) -> bool:
    return (
        block.column.said_once
        and all(cell == block.cells[0] for cell in block.cells)
        and block.cells[0] != [""]
    )


def _align(blocks: list[_Block], look: Look) -> list[str]:
    """The columns side by side, low-priority ones hidden if there is no room; one block per row as the last resort."""
    shown = blocks
    while (widths := _fit(shown, look.width)) is None:
        weight = max(block.column.priority or 0 for block in shown)
        if not weight:
            return _stack(blocks, look)
        shown = [block for block in shown if block.column.priority != weight]
    cells = [block.narrow(width) for block, width in zip(shown, widths, strict=True)]
    heads = [[block.head for block in shown]]
    if any(block.column.unit for block in shown):
        heads.append([block.column.unit for block in shown])
    lines = [_paint(_join(head, widths, shown), look, _BOLD) for head in heads]
    lines.append(_paint(_GAP.join("─" * width for width in widths), look, _DIM))
    for row in range(len(cells[0])):
        height = max(len(column[row]) for column in cells)
        for line in range(height):
            parts = [column[row][line] if line < len(column[row]) else "" for column in cells]
            lines.append(_join(parts, widths, shown))
    hidden = [block.head for block in blocks if block not in shown]
    if hidden:
        note = f"… hidden: {', '.join(hidden)}; a wider terminal or --format json shows all"
        lines += _wrap_line(note, look, _DIM)
    return lines


def _fit(blocks: Sequence[_Block], width: int | None) -> list[int] | None:
    """The width of each column within the width of all, or None where they have no room."""
    widest = [block.widest for block in blocks]
    if width is None:
        return widest
    room = width - len(_GAP) * (len(blocks) - 1)
    if sum(widest) <= room:
        return widest
    return shrink_widths(widest, [block.least for block in blocks], room)


def _join(cells: Sequence[str], widths: Sequence[int], blocks: Sequence[_Block]) -> str:
    padded = []
    for cell, width, block in zip(cells, widths, blocks, strict=True):
        padding = " " * (width - measure_width(cell))
        padded.append(padding + cell if block.column.align == "right" else cell + padding)
    return _GAP.join(padded)


def _stack(blocks: Sequence[_Block], look: Look) -> list[str]:
    """One block of lines per row: a line for each column that holds something."""
    labels = max(measure_width(block.head) for block in blocks) + 4 if blocks else 0
    lines: list[str] = []
    for row in range(len(blocks[0].cells) if blocks else 0):
        lines += [""] if lines else []
        for place, block in enumerate(blocks):
            unit = f" {block.column.unit}" if block.column.unit else ""
            texts = [f"{line}{unit}" for line in block.cells[row] if line]
            if not texts:
                continue
            head = f"{'  ' if place else ''}{block.head}"
            longest = max(measure_width(word) for text in texts for word in text.split())
            margin = labels if look.width is None or longest <= look.width - labels else 4
            parts = [part for text in texts for part in _wrap(text, look.width, margin)]
            if margin == labels:
                padding = " " * (labels - measure_width(head))
                lines.append(f"{_paint(head, look, _DIM)}{padding}{parts.pop(0)}")
            else:
                lines.append(_paint(head, look, _DIM))
            lines += [" " * margin + part for part in parts]
    return lines


def _render_footnotes(table: Table, look: Look) -> list[str]:
    """A blank line and the lines below a table; the texts of facts begin in one column."""
    labels = max((len(each[0]) + 3 for each in table.footnotes if isinstance(each, tuple)), default=0)
    lines = [""] if table.footnotes else []
    for each in table.footnotes:
        name, text = map(show_text, each if isinstance(each, tuple) else ("", each))
        margin = labels if isinstance(each, tuple) else 0
        parts = _wrap(text, look.width, margin)
        lines += [(name if not number else "").ljust(margin) + part for number, part in enumerate(parts)]
    return lines


def _wrap_line(text: str, look: Look, style: str = "") -> list[str]:
    return [_paint(part, look, style) for part in _wrap(show_text(text), look.width)]


def _wrap(text: str, width: int | None, margin: int = 0) -> list[str]:
    return [text] if width is None else wrap_words(text, max(width - margin, 3))


def _join_lines(lines: Sequence[str]) -> str:
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _paint(text: str, look: Look, style: str) -> str:
    return f"\033[{style}m{text}\033[0m" if look.color and style and text else text
