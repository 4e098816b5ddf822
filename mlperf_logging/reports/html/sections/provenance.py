"""Where the page comes from: versions, rules, command, time, and the checksum of each log."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from dataclasses import dataclass

from mlperf_logging.parsing.sources import STANDARD_INPUT
from mlperf_logging.reports._lines import count_of
from mlperf_logging.reports.html.grids import MOST_ROWS
from mlperf_logging.reports.html.material import Page
from mlperf_logging.reports.html.model import Cell, Grid, Head, Section

_HEADS = (
    Head("Log"),
    Head("Bytes", "", "size of the file", kind="number"),
    Head("SHA-256", "", "checksum of the file's bytes"),
)


@dataclass(frozen=True)
class Provenance:
    """Where the page comes from.

    Attributes:
        facts: names and what they are.
        grids: the checksum of each log.
    """

    facts: tuple[tuple[str, str], ...]
    grids: tuple[Grid, ...]


def make_provenance(page: Page) -> Section:
    """The section; a page for the public says neither the command nor the machine."""
    origin, selection = page.material.origin, page.material.selection
    judges = Counter(
        (f"{log.verdict.usage}/{log.verdict.ruleset}", log.verdict.ruleset_reason)
        for log in page.material.logs
        if log.verdict.ruleset is not None
    )
    rules = [
        f"{name} for {count_of(count, 'log')}, {reason}" for (name, reason), count in judges.most_common()
    ]
    facts = [
        ("made", origin.made),
        ("by", origin.version),
        ("rules", "; ".join(rules)),
        ("rule files", page.material.rules or "those of the package"),
        ("strict", "yes" if selection.strict else "no"),
        ("logs", f"{len(page.material.logs):,}"),
        ("left out", "; ".join(page.material.left_out)),
    ]
    if not page.options.public:
        facts += [
            ("command", origin.command),
            ("folder", origin.folder),
            ("logs below", page.naming.folder),
            ("host", origin.host),
        ]
    rows = [_make_row(page, path) for path in [log.run.path for log in page.material.logs][:MOST_ROWS]]
    grid = Grid(id="checksums", title="Checksums of the logs", heads=_HEADS, rows=tuple(rows), sortable=True)
    return Section("provenance", "Provenance", Provenance(tuple(facts), (grid,)))


def _make_row(page: Page, path: str) -> tuple[Cell, ...]:
    size, digest = digest_log(path)
    shown = Cell("" if size is None else f"{size:,}", size)
    return Cell(page.naming.name(path)), shown, Cell(digest)


def digest_log(path: str) -> tuple[int | None, str]:
    """Size in bytes and SHA-256 of a file; None and empty where it is none that can be read again."""
    if path == STANDARD_INPUT or not os.path.isfile(path):
        return None, ""
    try:
        with open(path, "rb") as file:
            digest, size = hashlib.sha256(), 0
            while block := file.read(1 << 20):
                digest.update(block)
                size += len(block)
    except OSError:
        return None, ""
    return size, digest.hexdigest()
