"""The reports that one check writes, each to its own place, from one judging of the logs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from mlperf_logging.cli.output import WIDTH_WITHOUT_TERMINAL, Output, measure_terminal, wants_color
from mlperf_logging.cli.running import print_error, write_note
from mlperf_logging.compliance.findings import Finding
from mlperf_logging.errors import UsageError
from mlperf_logging.reports import FILE, RULE, FileResult, ReportOptions, Totals, load_format

if TYPE_CHECKING:
    from mlperf_logging.tables import Document

_MOST_BY_FILE = 8


class Reports:
    """The reports of one check, in the formats and at the places that the options name."""

    def __init__(
        self,
        options: argparse.Namespace,
        program: str,
        places: ExitStack,
        count: int = 1,
        folder: str | None = None,
    ) -> None:
        """Open the places, which `places` closes; the files appear when it ends without an error.

        `count` is the number of logs; people read paths as seen from `folder`, others as seen from the working folder.

        Raises:
            UsageError: a format does not exist, a place cannot be written or is named twice.
        """
        planned = [(load_format(name), path) for name, path in _plan_reports(options, program)]
        self._program = program
        self._reports = []
        for form, path in planned:
            output = places.enter_context(Output(path))
            seen_from = (form.for_people and folder) or os.getcwd()
            self._reports.append((form(_choose_look(options, output, count, seen_from)), output))
        self.is_on_terminal = any(output.is_terminal for _, output in self._reports)

    def begin(self) -> None:
        """Write what comes before the first log."""
        for report, output in self._reports:
            output.write(report.begin())

    def sum_up(self, document: Document) -> None:
        """Write a table of what the files are parts of, where a format has a place for it."""
        for report, output in self._reports:
            output.write(report.sum_up(document))

    def announce(self, path: str, finding: Finding) -> None:
        """Write one finding of a log that is still being written."""
        for report, output in self._reports:
            output.write(report.announce(path, finding))

    def add(self, results: Sequence[FileResult]) -> list[tuple[Output, str]]:
        """The texts for one file, each with its place, still to be written."""
        return [(output, "".join(map(report.add, results))) for report, output in self._reports]

    def break_off(self, totals: Totals) -> None:
        """End the documents of the logs so far, so that readers take them."""
        for report, output in self._reports:
            output.write(report.end(totals))

    def end(self, totals: Totals, table: str = "") -> None:
        """Write what comes after the last log, a table for people, the job's summary, and what was left out."""
        shown = False
        for report, output in self._reports:
            output.write(report.end(totals))
            if report.for_people:
                output.write(table)
                shown = True
        if not shown:
            write_note(table)
        for report, _ in self._reports:
            _append_job_summary(report.summarize_job(totals))
            if remark := report.remark():
                print_error(self._program, remark)


def _plan_reports(options: argparse.Namespace, program: str) -> list[tuple[str, str | None]]:
    """The format and the place of each report; None is standard output."""
    pairs = getattr(options, "reports", None) or [{}]
    if len(pairs) == 1:
        return [(pairs[0].get("format") or _choose_format(options, program), pairs[0].get("output"))]
    for pair in pairs:
        if "format" not in pair:
            raise UsageError(f"--output {pair['output']} has no format; name one before it: --format NAME")
    places = [pair.get("output") for pair in pairs]
    twice = next((place for number, place in enumerate(places) if place in places[:number]), "")
    if twice != "":
        where = "standard output" if twice is None else repr(twice)
        raise UsageError(f"two reports go to {where}; name another place after its format: --output FILE")
    return [(pair["format"], pair.get("output")) for pair in pairs]


def _choose_format(options: argparse.Namespace, program: str) -> str:
    if options.format is not None:
        return str(options.format)
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return "text"
    if not options.quiet:
        print_error(
            program, "this is GitHub Actions: the report is in --format github (name another to choose it)"
        )
    return "github"


def _choose_look(options: argparse.Namespace, output: Output, count: int, folder: str) -> ReportOptions:
    """How the report looks; of many logs it is by rule, where most findings are the same in all."""
    return ReportOptions(
        color=wants_color(options.color, is_terminal=output.is_terminal, environment=os.environ),
        width=measure_terminal(os.environ) if output.is_terminal else WIDTH_WITHOUT_TERMINAL,
        verbose=options.verbose,
        quiet=options.quiet,
        group_by=options.group_by or (FILE if count <= _MOST_BY_FILE else RULE),
        folder=folder,
        workspace=os.environ.get("GITHUB_WORKSPACE") or os.environ.get("CI_PROJECT_DIR") or "",
    )


def _append_job_summary(markdown: str) -> None:
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not markdown or not path:
        return
    from pathlib import Path

    try:
        with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as page:
            page.write(markdown)
    except OSError as error:
        raise UsageError(
            f"cannot write the job summary to {path!r} (GITHUB_STEP_SUMMARY): {error.strerror}"
        ) from None
