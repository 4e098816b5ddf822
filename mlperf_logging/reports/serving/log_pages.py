"""A log as pages of numbered lines: everything is escaped, long lines and long logs are cut."""

from __future__ import annotations

import os
from typing import IO, NamedTuple
from urllib.parse import quote

from mlperf_logging.parsing.sources import CutShort, read_blocks
from mlperf_logging.reports._escape import crop, show_text

LINES_PER_PAGE = 1_000
LONGEST_SHOWN = 4_000
"""So many characters of a line are shown."""

_MOST_BYTES = 4
"""Of one character in UTF-8."""


class LogPage(NamedTuple):
    """A part of a log.

    Attributes:
        first: number of the first line shown; lines are counted from 1.
        lines: the lines as they are shown, with everything that cannot be seen as an escape.
        total: how many lines the log has.
        note: what is wrong with the log's end; empty where nothing is.
    """

    first: int
    lines: list[str]
    total: int
    note: str = ""


def address_log(path: str, line: int | None = None) -> str:
    """The address of a log below the report's own: its page with a line, at this line.

    Args:
        path: the log as the report names it; any file name, valid UTF-8 or not.
        line: number of the line, counted from 1; None for the log's beginning.
    """
    address = f"/log?path={quote(os.fsencode(path))}"
    return address if line is None else f"{address}&line={line}#L{line}"


def read_log_page(file: IO[bytes], line: int) -> LogPage:
    """Read the page of a log on which a line stands; the last one where there is no such line.

    The log is read block by block, so a log of any size takes little memory, and is decompressed where it has to be.

    Args:
        file: the log, at its beginning.
        line: number of the line, counted from 1.

    Raises:
        UnreadableLogError: the log cannot be read, or its compression is broken.
    """
    page = _read_page(file, (max(line, 1) - 1) // LINES_PER_PAGE)
    if not page.lines:
        file.seek(0)
        page = _read_page(file, max(page.total - 1, 0) // LINES_PER_PAGE)
    return page


def _read_page(file: IO[bytes], number: int) -> LogPage:
    """Read one page, the first of which is 0; it has no lines where the log ends before it."""
    first, stop = number * LINES_PER_PAGE, (number + 1) * LINES_PER_PAGE
    lines, ended, note = [], 0, ""
    last = _Line()
    for block in read_blocks(file):
        if isinstance(block, CutShort):
            note = f"The {block.compression} data of this file ends too early."
            break
        count = block.count(b"\n")
        if ended + count < first or ended >= stop:  # another page's
            ended += count
            last = _Line().add(block[block.rfind(b"\n") + 1 :])
            continue
        *whole, rest = block.split(b"\n")
        for piece in whole:
            if first <= ended < stop:
                lines.append(last.add(piece).show())
            ended += 1
            last = _Line()
        last = last.add(rest)
    if last.length:
        if first <= ended < stop:
            lines.append(last.show())
        ended += 1
    return LogPage(first + 1, lines, ended, note)


class _Line(NamedTuple):
    """A line that may continue in the next block: the bytes that may be shown, and how many there are in all."""

    start: bytes = b""
    length: int = 0

    def add(self, piece: bytes) -> _Line:
        room = LONGEST_SHOWN * _MOST_BYTES - len(self.start)
        return _Line(self.start + piece[:room] if room > 0 else self.start, self.length + len(piece))

    def show(self) -> str:
        return show_line(self.start, self.length)


def show_line(start: bytes, length: int | None = None) -> str:
    """A line as people read it: tabs stay, and what else cannot be seen is an escape.

    Args:
        start: the line, or its first bytes.
        length: of the whole line in bytes, where `start` may be a part of it.
    """
    text = start.decode("utf-8", "backslashreplace")
    is_whole = length is None or length == len(start)
    if is_whole:
        text = text.removesuffix("\r")
    shown = "\t".join(map(show_text, crop(text, LONGEST_SHOWN).split("\t")))
    if is_whole and len(text) <= LONGEST_SHOWN:
        return shown
    return f"{shown} ({len(start) if length is None else length:,} bytes in all)"
