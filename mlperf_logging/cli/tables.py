"""Tables for a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence

from mlperf_logging.cli.output import measure_terminal, wants_color

_STYLES = ("bold", "", "", "dim")


def render_table(
    titles: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str = "", width: int | None = None
) -> str:
    """Rows as aligned columns that wrap within the terminal's width; empty columns are left out.

    Args:
        titles: heads of the columns.
        rows: one text a column.
        caption: a line above the table.
        width: columns to stay within; None for those of the terminal.
    """
    import io

    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = [list(row) for row in rows]
    used = [index for index in range(len(titles)) if any(row[index] for row in rows)]
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index in used:
        style = _STYLES[min(index, len(_STYLES) - 1)]
        # What a row is about stays whole, so that it can be searched for and copied; the rest gives way.
        table.add_column(titles[index], style=style, overflow="fold", no_wrap=index == 0)
    for row in rows:
        table.add_row(*[Text(row[index]) for index in used])
    is_terminal = sys.stdout.isatty()
    text = io.StringIO()
    console = Console(
        file=text,
        force_terminal=wants_color("auto", is_terminal=is_terminal, environment=os.environ),
        width=width or measure_terminal(os.environ),
        highlight=False,
        legacy_windows=False,
    )
    if caption:
        console.print(Text(caption))
    if used:
        console.print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def align_columns(titles: Sequence[str], rows: Sequence[Sequence[str]], right: set[str]) -> str:
    """Rows in aligned columns that do not wrap; it needs no library, so that a command starts cold quickly.

    Args:
        titles: heads of the columns.
        rows: one text a column.
        right: titles of the columns that are aligned to the right.
    """
    widths = [max(len(row[index]) for row in [titles, *rows]) for index in range(len(titles))]
    lines = []
    for row in [titles, ["─" * width for width in widths], *rows]:
        cells = [
            cell.rjust(width) if title in right else cell.ljust(width)
            for cell, width, title in zip(row, widths, titles, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"
