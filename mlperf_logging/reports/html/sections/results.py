"""The results: a row per system and benchmark, and a row per run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlperf_logging.reports.documents.summary import describe_summary
from mlperf_logging.reports.html.grids import make_grid
from mlperf_logging.reports.html.material import Material
from mlperf_logging.reports.html.model import Grid, Section
from mlperf_logging.submission.summary import summarize_results

_MARKS = {"passed": "good", "failed": "bad"}


@dataclass(frozen=True)
class Results:
    """The results.

    Attributes:
        grids: a table of results.
    """

    grids: tuple[Grid, ...]


def make_results_section(material: Material) -> Section:
    """The section."""
    (table,) = describe_summary(summarize_results(material.results), []).tables
    return Section("results", "Results", Results((make_grid(table, "results-table", mark=_mark),)))


def _mark(name: str, value: Any) -> str:
    if name == "rcp":
        return _MARKS.get(value, "")
    return "bad" if name == "score_minutes" and value is None else ""
