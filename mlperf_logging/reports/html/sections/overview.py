"""What the page is about, and what is wrong first."""

from __future__ import annotations

from dataclasses import dataclass

from mlperf_logging.reports.html.material import Material
from mlperf_logging.reports.html.model import Section


@dataclass(frozen=True)
class Figure:
    """A number that matters, with what it counts.

    Attributes:
        value: the number as people read it.
        name: what it counts.
        mark: "good", "bad" or "warn"; empty for what is neither.
    """

    value: str
    name: str
    mark: str = ""


@dataclass(frozen=True)
class Overview:
    """What the page is about.

    Attributes:
        figures: numbers that matter.
    """

    figures: tuple[Figure, ...]


def make_overview(material: Material) -> Section:
    """The section."""
    totals = material.totals
    scored = sum(each.score.has_result for each in material.results)
    figures = [
        Figure(f"{len(material.logs):,}", "runs"),
        Figure(f"{totals.passed:,}", "compliant", "good" if totals.passed else ""),
        Figure(f"{totals.failed:,}", "not compliant", "bad" if totals.failed else ""),
        Figure(f"{scored:,} of {len(material.results):,}", "results with a score"),
        Figure(f"{totals.errors:,}", "errors", "bad" if totals.errors else ""),
        Figure(f"{totals.warnings:,}", "warnings", "warn" if totals.warnings else ""),
    ]
    if totals.unjudged:
        figures.insert(3, Figure(f"{totals.unjudged:,}", "not judged", "bad"))
    return Section("overview", "Overview", Overview(tuple(figures)))
