"""From judged logs to the page."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

from mlperf_logging.reports.html.material import Material, Page
from mlperf_logging.reports.html.model import PageOptions, ReportModel, Section
from mlperf_logging.reports.html.naming import clean_values, make_cleaner
from mlperf_logging.reports.html.sections.comparison import make_comparison
from mlperf_logging.reports.html.sections.convergence import make_convergence
from mlperf_logging.reports.html.sections.energy import make_energy
from mlperf_logging.reports.html.sections.findings import make_findings
from mlperf_logging.reports.html.sections.hyperparameters import make_hyperparameters
from mlperf_logging.reports.html.sections.overview import make_overview
from mlperf_logging.reports.html.sections.provenance import make_provenance
from mlperf_logging.reports.html.sections.rcp import make_rcp
from mlperf_logging.reports.html.sections.results import make_results_section, make_runs_section
from mlperf_logging.reports.html.sections.spread import make_spread
from mlperf_logging.reports.html.sections.suite import make_suite
from mlperf_logging.reports.html.sections.time import make_time

SECTIONS: tuple[Callable[[Page], Section | None], ...] = (
    make_overview,
    make_findings,
    make_suite,
    make_results_section,
    make_comparison,
    make_convergence,
    make_rcp,
    make_spread,
    make_time,
    make_energy,
    make_runs_section,
    make_hyperparameters,
    make_provenance,
)
"""What makes each section, in the order of the page; None for one that has nothing to show."""


def build_report(material: Material, options: PageOptions | None = None) -> ReportModel:
    """The page that logs make.

    Args:
        material: the judged logs.
        options: title, logo, and whether the page is for the public; None for the defaults.
    """
    from altair.utils.schemapi import debug_mode

    page = Page(material, options or PageOptions())
    # Validating the definitions of charts takes half of the time; their tests do it.
    with debug_mode(arg=False):
        made = [make(page) for make in SECTIONS]
    model = ReportModel(
        title=page.options.title or _name_subject(material),
        about=_describe_subject(material),
        logo=page.options.logo,
        made=material.origin.made,
        sections=tuple([section for section in made if section is not None]),
    )
    if not page.options.public:
        return model
    clean = make_cleaner(_list_secrets(page))
    cleaned: ReportModel = clean_values(model, clean, frozenset({"logo"}))
    return replace(cleaned, title=model.title)


def _name_subject(material: Material) -> str:
    """What all results share, else what they are of."""
    folders = [each.score.folder for each in material.results]
    names: list[set[str | None]] = [
        {each.benchmark for each in material.results},
        {each.system for each in folders},
        {each.submitter for each in folders},
    ]
    shared = [value for found in names if len(found) == 1 for value in found if value]
    return " · ".join(shared) if shared else "Training runs"


def _describe_subject(material: Material) -> str:
    """How much there is of what, and by what it was judged."""
    folders = [each.score.folder for each in material.results]
    counts = [
        (len(material.logs), "run"),
        (len({each.benchmark for each in material.results}), "benchmark"),
        (len({(each.submitter, each.system) for each in folders if each.system}), "system"),
        (len({each.submitter for each in folders if each.submitter}), "submitter"),
    ]
    parts = [f"{count:,} {noun}{'s' * (count != 1)}" for count, noun in counts if count]
    rounds = dict.fromkeys(each.score.ruleset for each in material.results if each.score.ruleset)
    return ", ".join(parts) + (f" · judged by {', '.join(rounds)}" if rounds else "")


def _list_secrets(page: Page) -> Iterator[str]:
    """Names of this machine and of its folders, which a page for the public does not show."""
    origin, material = page.material.origin, page.material
    yield from (origin.host, origin.folder, os.path.expanduser("~"))
    paths = [log.run.path for log in material.logs] + [file.verdict.path for file in material.files]
    paths += [each.score.folder.description or "" for each in material.results]
    folders = {os.path.dirname(path) for path in paths} | set(material.roots.values())
    for folder in folders:
        for each in (folder, os.path.dirname(folder), os.path.abspath(folder)):
            if os.sep in each:
                yield each
