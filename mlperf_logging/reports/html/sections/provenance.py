"""Where the page comes from: versions, rules, command, time, and the checksum of each log."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

from mlperf_logging.compliance.findings import Verdict
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
    facts = [
        ("made", origin.made),
        ("by", origin.version),
        ("rules", "; ".join(describe_rules([log.verdict for log in page.material.logs]))),
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


def describe_rules(verdicts: Iterable[Verdict]) -> list[str]:
    """By which rules so many logs were judged, and why; reasons that differ in a date are one, with first and last."""
    dates: dict[tuple[str, str, str], list[str]] = {}
    for verdict in verdicts:
        if verdict.ruleset is not None:
            before, date, after = _split_at_date(verdict.ruleset_reason)
            dates.setdefault((f"{verdict.usage}/{verdict.ruleset}", before, after), []).append(date)
    lines = []
    for (name, before, after), found in sorted(dates.items(), key=lambda each: -len(each[1])):
        span = " to ".join(dict.fromkeys((min(found), max(found))))
        lines.append(f"{name} for {count_of(len(found), 'log')}, {before}{span}{after}")
    return lines


def _split_at_date(reason: str) -> tuple[str, str, str]:
    found = re.search(r"\d{4}-\d{2}-\d{2}", reason)
    return (reason, "", "") if found is None else (reason[: found.start()], found[0], reason[found.end() :])


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
