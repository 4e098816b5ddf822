"""From judged logs to the page."""

from __future__ import annotations

from collections.abc import Callable

from mlperf_logging.reports.html.material import Material
from mlperf_logging.reports.html.model import PageOptions, ReportModel, Section
from mlperf_logging.reports.html.sections.overview import make_overview
from mlperf_logging.reports.html.sections.results import make_results_section

_SECTIONS: tuple[Callable[[Material], Section | None], ...] = (make_overview, make_results_section)


def build_report(material: Material, options: PageOptions | None = None) -> ReportModel:
    """The page that logs make.

    Args:
        material: the judged logs.
        options: title, logo, and whether the page is for the public.
    """
    chosen = options or PageOptions()
    made = [make(material) for make in _SECTIONS]
    return ReportModel(
        title=chosen.title or _name_subject(material),
        about=_describe_rules(material),
        logo=chosen.logo,
        made=material.origin.made,
        sections=tuple([section for section in made if section is not None]),
    )


def _name_subject(material: Material) -> str:
    """What all results share, else how many there are."""
    results = material.results
    names: list[set[str | None]] = [
        {each.benchmark for each in results},
        {each.score.folder.system for each in results},
        {each.score.folder.submitter for each in results},
    ]
    shared = [value for found in names if len(found) == 1 for value in found if value]
    return ", ".join(shared) if shared else f"{len(results):,} results"


def _describe_rules(material: Material) -> str:
    rounds = dict.fromkeys(each.score.ruleset for each in material.results if each.score.ruleset)
    return f"judged by {', '.join(rounds)}" if rounds else ""
