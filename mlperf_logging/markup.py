"""Values as HTML for notebooks: small, escaped, and in the colors of whatever stands around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

MOST_ROWS = 20
"""So many rows a notebook shows; programs have them all."""

_LONGEST_TEXT = 400
_CELL = "padding:2px 10px 2px 0;vertical-align:top;text-align:{align};background:none"
_HEAD = "border-bottom:1px solid currentColor;font-weight:600"
_TABLE = "border-collapse:collapse;font-size:13px;margin:4px 0;color:inherit;background:none"
_MARKS = {"pass": ("✓", "#237737"), "fail": ("✗", "#C7330F"), "error": ("!", "#C7330F")}


def to_printable(text: object) -> str:
    """A text with what cannot be printed replaced: control characters, and marks that turn the direction of writing."""
    return "".join(letter if letter.isprintable() else "�" for letter in str(text))


def write_text(value: object) -> str:
    """A value as text in HTML: nothing in it is markup, nothing is invisible, and it is not endless."""
    text = str(value)
    cropped = text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
    return escape(to_printable(cropped.replace("\n", " ")))


def write_title(title: object, outcome: str = "") -> str:
    """A line that names what follows, with the sign of a verdict where there is one."""
    mark, color = _MARKS.get(outcome, ("", ""))
    sign = (
        f'<span style="color:{color}" aria-hidden="true">{mark}</span> {write_text(outcome)} · '
        if mark
        else ""
    )
    return f"<div><strong>{sign}{write_text(title)}</strong></div>"


def write_facts(facts: Iterable[tuple[str, object]]) -> str:
    """Facts with their names, those that are not known left out."""
    shown = " · ".join(
        f"{write_text(name)} {write_text(fact)}" for name, fact in facts if fact is not None and fact != ""
    )
    return f'<div style="font-size:13px">{shown}</div>' if shown else ""


def write_grid(
    heads: Sequence[str],
    rows: Sequence[Sequence[object]],
    numeric: Iterable[int] = (),
    notes: Iterable[str] = (),
) -> str:
    """A table of texts, its first `MOST_ROWS` rows, with a line that says how many there are more.

    Columns without a text are left out.

    Args:
        heads: one for each column.
        rows: a text for each column.
        numeric: places of the columns that are aligned right.
        notes: lines below.
    """
    right, shown = set(numeric), rows[:MOST_ROWS]
    places = [place for place in range(len(heads)) if not shown or any(row[place] != "" for row in shown)]
    styles = {place: _CELL.format(align="right" if place in right else "left") for place in places}
    head = "".join(
        f'<th scope="col" style="{styles[place]};{_HEAD}">{write_text(heads[place])}</th>' for place in places
    )
    body = "".join(
        '<tr style="background:none">'
        + "".join(f'<td style="{styles[place]}">{write_text(row[place])}</td>' for place in places)
        + "</tr>"
        for row in shown
    )
    lines = list(notes)
    if len(rows) > MOST_ROWS:
        lines.insert(0, f"… and {len(rows) - MOST_ROWS:,} more rows")
    below = "".join(f'<div style="font-size:12px">{write_text(line)}</div>' for line in lines)
    return f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}'
