"""What a page is made of: logs that were judged once, and the results they make."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from mlperf_logging.compliance.ruleset_selection import AUTOMATIC, RuleSelection
from mlperf_logging.reports import FileResult, Totals
from mlperf_logging.reports.html.model import PageOptions
from mlperf_logging.reports.html.naming import Naming, label_folders
from mlperf_logging.runs.folders import describe_folder
from mlperf_logging.scoring.folders import score_folder
from mlperf_logging.scoring.rcp.files import open_reference_points
from mlperf_logging.scoring.rcp.submissions import check_submission
from mlperf_logging.submission.summary import BenchmarkResult

if TYPE_CHECKING:
    from mlperf_logging.analysis.reading import RunRows
    from mlperf_logging.analysis.tables import Tables
    from mlperf_logging.scoring.cost import Cost
    from mlperf_logging.scoring.folders import FolderScore
    from mlperf_logging.scoring.suite_results import ScoredSuite
    from mlperf_logging.submission.checking import PackageCheck
    from mlperf_logging.submission.judging import JudgedResult
    from mlperf_logging.tables import Document, Table

PriceScore = Callable[["FolderScore"], "Cost | None"]
"""Gives what a score costs; None without a price."""


@dataclass(frozen=True)
class Origin:
    """How a page came about.

    Attributes:
        command: the command line.
        folder: the working folder.
        host: name of the machine.
        version: of this package.
        made: the time, as text.
    """

    command: str = ""
    folder: str = ""
    host: str = ""
    version: str = ""
    made: str = ""


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a page is made of.

    Attributes:
        logs: every log, judged once, with its rows for analyses.
        files: what was found, log by log and on other files, after waivers and selection.
        results: what the logs of each folder make.
        roots: the path of the command line that each log was found below.
        selection: by which rules.
        package: the answer of `mlperf package`, where a submission was checked.
        suite: the score of a suite, where one is asked for.
        origin: how the page came about.
        left_out: sentences on paths that gave no logs.
        unpacked: the folder that an archive was unpacked to, and what people call it; the same twice for no archive.
    """

    logs: Sequence[JudgedResult]
    files: Sequence[FileResult]
    results: Sequence[BenchmarkResult]
    roots: Mapping[str, str]
    selection: RuleSelection = AUTOMATIC
    package: Document | None = None
    suite: ScoredSuite | None = None
    origin: Origin = field(default_factory=Origin)
    left_out: tuple[str, ...] = ()
    unpacked: tuple[str, str] = ("", "")

    @cached_property
    def tables(self) -> Tables:
        """The tables of runs and evaluations."""
        from mlperf_logging.analysis.tables import make_tables

        return make_tables([log.rows or _note_fault(log) for log in self.logs])

    @property
    def rules(self) -> str | None:
        """The folder of other rule files; None for those of the package."""
        return None if self.selection.rules is None else os.fspath(self.selection.rules)

    @cached_property
    def totals(self) -> Totals:
        """Counts over what was judged."""
        totals = Totals()
        for file in self.files:
            totals = totals.plus(file)
        return totals


def _note_fault(log: JudgedResult) -> RunRows:
    """The rows of a log that could not be judged: one that says why."""
    from mlperf_logging.analysis.reading import RunRows

    return RunRows({"path": log.run.path, "note": log.verdict.findings[0].message}, [], {})


@dataclass(frozen=True)
class Page:
    """A page in the making: what it is made of, and how paths are named on it.

    Attributes:
        material: what it is made of.
        options: what its reader is to see beside the results.
    """

    material: Material
    options: PageOptions

    @cached_property
    def naming(self) -> Naming:
        """What paths are called."""
        paths = [log.run.path for log in self.material.logs]
        paths += [file.verdict.path for file in self.material.files]
        return Naming(paths, public=self.options.public, unpacked=self.material.unpacked)

    @cached_property
    def sides(self) -> dict[str, frozenset[str]]:
        """The paths of the logs below each folder that was named, by its label; empty unless there are several folders."""
        roots = dict.fromkeys(self.material.roots.values())
        if len(roots) < 2 or not all(map(os.path.isdir, roots)):
            return {}
        labels = label_folders(list(roots), public=self.options.public)
        return {
            label: frozenset(path for path, each in self.material.roots.items() if each == root)
            for root, label in zip(roots, labels, strict=True)
        }

    @cached_property
    def tables(self) -> Tables:
        """The tables of runs and evaluations, with paths as they are named; the same system on two sides is two systems."""
        from mlperf_logging.analysis.tables import make_tables

        rows = [
            label_rows(each, self._label_system(each), self.naming.name) for each in self.material.tables.rows
        ]
        return make_tables(rows)

    @cached_property
    def _repeated(self) -> frozenset[tuple[str | None, ...]]:
        """Submitters, systems and benchmarks that are on several sides."""
        found: dict[tuple[str | None, ...], set[str]] = {}
        for each in self.material.tables.rows:
            found.setdefault(_identify(each), set()).add(self.material.roots.get(each.run["path"], ""))
        return frozenset(key for key, sides in found.items() if len(sides) > 1)

    def _label_system(self, rows: RunRows) -> str | None:
        """The name of a run's system, with the label of its side where the same is on another one."""
        system = rows.run.get("system")
        if not self.sides or _identify(rows) not in self._repeated:
            return system
        label = next((name for name, paths in self.sides.items() if rows.run["path"] in paths), "")
        return f"{system or 'runs'} ({label})"

    @property
    def results_by_side(self) -> list[list[BenchmarkResult]]:
        """The results of each side; all together where there are no sides."""
        found: dict[str, list[BenchmarkResult]] = {}
        for result in self.material.results:
            found.setdefault(self.find_side(result), []).append(result)
        return list(found.values())

    def find_side(self, result: BenchmarkResult) -> str:
        """The label of the side that a result is on; empty where there are no sides."""
        return self._labels.get(result.score.folder.path, "")

    def rename(self, table: Table) -> Table:
        """A table of results with their folders as they are named; of several sides, with the labels of these."""
        places = [index for index, column in enumerate(table.columns) if column.name == "path"]
        if not places:
            return table
        rows = [
            tuple(
                [
                    self._name_folder(value) if index in places and value is not None else value
                    for index, value in enumerate(row)
                ]
            )
            for row in table.rows
        ]
        return replace(table, rows=tuple(rows))

    def _name_folder(self, path: str) -> str:
        return self._labels.get(path) or self.naming.name_folder(path)

    @cached_property
    def _labels(self) -> dict[str, str]:
        """The labels of the sides, by folder of results."""
        return {os.path.dirname(path): label for label, paths in self.sides.items() for path in paths}


def _identify(rows: RunRows) -> tuple[str | None, ...]:
    return tuple([rows.run.get(name) for name in ("submitter", "system", "benchmark")])


def label_rows(rows: RunRows, system: str | None, name: Callable[[str], str]) -> RunRows:
    """The rows of a run with another name of its system, and its path as it is named."""
    shared = {"system": system, "path": name(rows.run["path"])}
    return rows._replace(run=rows.run | shared, evaluations=[each | shared for each in rows.evaluations])


def make_results(
    logs: Iterable[JudgedResult], *, rules: str | None = None, price: PriceScore = lambda score: None
) -> list[BenchmarkResult]:
    """The results of logs, those of one folder together."""
    folders: dict[str, list[JudgedResult]] = {}
    for log in logs:
        folders.setdefault(os.path.dirname(log.run.path), []).append(log)
    find_points = open_reference_points(rules)
    results = []
    for path, members in folders.items():
        by_path = {log.run.path: log.run for log in members}
        folder = describe_folder(path, [os.path.basename(each) for each in by_path])
        folder = folder._replace(logs=tuple(by_path))
        runs = tuple(by_path.values())
        score = score_folder(folder, runs)
        results.append(
            BenchmarkResult(score, check_submission(folder, runs, find_points, draws=0), price(score))
        )
    return results


def gather_package(
    check: PackageCheck,
    files: Sequence[FileResult],
    document: Document,
    selection: RuleSelection,
    origin: Origin,
    unpacked: tuple[str, str] = ("", ""),
) -> Material:
    """What the page of a checked submission is made of, whose logs were judged with their rows."""
    logs = [log for result in check.results for log in result.logs]
    return Material(
        logs=logs,
        files=files,
        results=[BenchmarkResult(each.score, each.convergence) for each in check.results],
        roots={log.run.path: "" for log in logs},
        selection=selection,
        package=document,
        origin=origin,
        unpacked=unpacked,
    )
