"""Checking submissions: every log judged once, every folder looked at once, findings by file and folder."""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from os import PathLike, fspath
from typing import NamedTuple

from mlperf_logging.compliance.finding_filter import replace_findings
from mlperf_logging.compliance.findings import Finding, Verdict, decide_outcome
from mlperf_logging.compliance.ruleset_selection import AUTO, AUTOMATIC, RuleSelection
from mlperf_logging.compliance.waivers import WaivedFinding, Waiver, apply_waivers
from mlperf_logging.engines.engine import Engine
from mlperf_logging.engines.local import LocalEngine
from mlperf_logging.events import Severity
from mlperf_logging.rules.repository import RuleRepository, open_rules
from mlperf_logging.rules.rounds import find_newest, find_round
from mlperf_logging.runs.folders import SYSTEMS, ResultFolder
from mlperf_logging.runs.run import Run
from mlperf_logging.runs.summary import RunSummary
from mlperf_logging.scoring.agreement import find_agreement
from mlperf_logging.scoring.folders import FolderScore, score_folder
from mlperf_logging.scoring.rcp.files import open_reference_points
from mlperf_logging.scoring.rcp.pass_probability import DRAWS
from mlperf_logging.scoring.rcp.submissions import SubmissionCheck, check_submission
from mlperf_logging.scoring.requirements import Requirement, read_requirement
from mlperf_logging.submission import results
from mlperf_logging.submission.descriptions import check_system_description
from mlperf_logging.submission.findings import PlacedFinding, place_finding
from mlperf_logging.submission.judging import JudgedResult, judge_result
from mlperf_logging.submission.layout import CODE, FOLDER, Submission, Tree, find_submissions
from mlperf_logging.submission.parameters import RCP_BYPASS, SEED_BYPASS, Parameters, read_parameters
from mlperf_logging.submission.power import check_power_folders
from mlperf_logging.submission.repository import check_repository
from mlperf_logging.submission.seeds import check_seeds

_SCALED_USAGE = "hpc"
"""The usage whose results are below ``strong`` or ``weak``."""


Watch = Callable[[Iterator[JudgedResult], int], Iterable[JudgedResult]]
"""Passes judged logs on, given their number."""


class CheckedResult(NamedTuple):
    """One benchmark's folder, checked.

    Attributes:
        submission: what it is a part of.
        folder: where the logs are, and what is next to them.
        logs: its logs, judged; the findings on runs that the mean may drop are warnings.
        requirement: how often the rules require the benchmark to be run, or None.
        score: what the runs make.
        convergence: the test against the reference.
        findings: on the folder, and on files in it.
    """

    submission: Submission
    folder: ResultFolder
    logs: tuple[JudgedResult, ...]
    requirement: Requirement | None
    score: FolderScore
    convergence: SubmissionCheck
    findings: tuple[PlacedFinding, ...]


class CheckedFile(NamedTuple):
    """A file or folder with what was found in it, as a verdict; and the findings that waivers cover."""

    verdict: Verdict
    waived: tuple[WaivedFinding, ...] = ()


class PackageCheck(NamedTuple):
    """Everything that was found below a path.

    Attributes:
        results: the benchmarks' folders, in the order of their paths.
        findings: what is about no one benchmark's folder.
        alone: a system description that was checked alone; empty where there are submissions.
    """

    results: tuple[CheckedResult, ...]
    findings: tuple[PlacedFinding, ...]
    alone: str = ""


def check_package(
    path: str | PathLike[str],
    selection: RuleSelection = AUTOMATIC,
    *,
    waivers: tuple[Waiver, ...] = (),
    partial: bool = False,
    accepted: Iterable[str] = (),
    jobs: int = 1,
    engine: Engine | None = None,
    watch: Watch = lambda logs, _: logs,
    with_rows: bool = False,
) -> PackageCheck:
    """Check the submissions at or below a folder; nothing in them is changed.

    Args:
        path: a submitter's folder, several, a whole repository of results, or a part; or a system description alone.
        selection: the rules to judge by; by default each log chooses.
        waivers: known findings on logs that do not count; those on other files are for `list_checked_files`.
        partial: whether runs may still be missing.
        accepted: checks that are spared as by ``package_checker_params``: "rcp-bypass", "seed-checker-bypass".
        jobs: processes that judge logs; 0 for one per processor core.
        engine: what judges them instead of processes of this machine.
        watch: passes the judged logs on, given their number, for a progress bar.
        with_rows: whether the logs' rows in the tables of analyses are wanted, see `judge_result`.

    Raises:
        UsageError: there is no submission, a folder cannot be read, or the selection makes no sense.
        RuleError: a rule file is wrong.
    """
    if fspath(path).endswith(".json") and os.path.isfile(path):
        return PackageCheck((), tuple(_check_lone_description(path, selection)), fspath(path))
    tree = Tree(path)
    submissions = find_submissions(tree)
    paths = [log for submission in submissions for folder in submission.folders for log in folder.logs]
    work = functools.partial(judge_result, selection=selection, waivers=waivers, with_rows=with_rows)
    logs = list(watch((engine or LocalEngine(jobs)).map_logs(work, paths), len(paths)))
    return _PackageChecker(tree, selection, accepted, partial=partial).check(submissions, iter(logs))


def _check_lone_description(path: str | PathLike[str], selection: RuleSelection) -> list[PlacedFinding]:
    rules = open_rules(selection.rules)
    name = find_newest(rules.index(), selection.usage).name
    if selection.ruleset != AUTO:
        name = find_round(rules.index(), selection.ruleset, selection.usage).name
    return check_system_description(path, name, rules=rules)


class _PackageChecker:
    """Checks the submissions in a tree whose logs are judged."""

    def __init__(
        self, tree: Tree, selection: RuleSelection, accepted: Iterable[str], *, partial: bool
    ) -> None:
        self._tree = tree
        self._rules: RuleRepository = open_rules(selection.rules)
        self._asked_round: str | None = None
        if selection.ruleset != AUTO:
            self._asked_round = find_round(self._rules.index(), selection.ruleset, selection.usage).name
        self._newest_round = find_newest(self._rules.index(), selection.usage).name
        self._accepted = Parameters(dict.fromkeys(accepted, "the caller"))
        self._partial = partial
        self._strict = selection.strict
        self._find_points = open_reference_points(selection.rules)

    def check(self, submissions: Iterable[Submission], logs: Iterator[JudgedResult]) -> PackageCheck:
        """Check submissions; `logs` gives the judged logs in the order of their folders."""
        checked: list[CheckedResult] = []
        findings: list[PlacedFinding] = []
        for submission in submissions:
            judged = [tuple([next(logs) for _ in folder.logs]) for folder in submission.folders]
            results_of_this, others = self._check_submission(submission, judged)
            checked += results_of_this
            findings += others
        return PackageCheck(tuple(checked), (*findings, *check_repository(self._tree)))

    def _check_submission(
        self, submission: Submission, judged: Sequence[tuple[JudgedResult, ...]]
    ) -> tuple[list[CheckedResult], list[PlacedFinding]]:
        of_all, findings = self._read_parameters(submission.path)
        everywhere = self._accepted.add(of_all)
        if not submission.folders:
            message = "there is no folder results/SYSTEM/BENCHMARK/ with logs"
            severity = Severity.WARNING if self._partial else None
            findings.append(place_finding("no-results", submission.path, message, severity=severity))
        if self._strict and submission.is_whole:
            findings += _check_code(submission, self._tree)
        usual = _find_usual_round(judged)
        findings += self._check_descriptions(submission, judged, usual)
        checked, systems = [], dict[str, Parameters]()
        for folder, logs in zip(submission.folders, judged, strict=True):
            system = _find_system_folder(folder)
            if system not in systems:
                of_system, found = self._read_parameters(system)
                systems[system] = everywhere.add(of_system)
                findings += [*found, *results.check_system_folder(system, self._tree)]
            checked.append(self._check_result(submission, folder, logs, systems[system], usual))
        return checked, findings

    def _check_result(
        self,
        submission: Submission,
        folder: ResultFolder,
        logs: tuple[JudgedResult, ...],
        parameters: Parameters,
        usual_round: str | None,
    ) -> CheckedResult:
        runs = [log.run for log in logs]
        shared = find_agreement(runs)
        requirement = shared.requirement or self._look_up_requirement(folder, shared.ruleset or usual_round)
        own, findings = self._read_parameters(folder.path)
        bypassed = parameters.add(own).bypassed
        score = score_folder(folder, runs, requirement=requirement)
        convergence = check_submission(folder, runs, self._find_points, draws=DRAWS if self._partial else 0)
        ruleset = score.ruleset or usual_round or ""
        if ruleset.startswith(f"{_SCALED_USAGE}/") and folder.scaling is None:
            message = "the folder is below neither strong/ nor weak/, so how it is scored is not known"
            findings.append(place_finding("scaling-folder", folder.path, message))
        disagreement = (*shared.problems, *shared.batch_size_problems)
        failures = list(results.check_failures(folder, logs, requirement))
        findings += results.check_files(folder, requirement, self._tree, partial=self._partial)
        findings += results.check_agreement(score, folder, disagreement)
        findings += failures
        findings += check_seeds(folder.path, logs, bypassed.get(SEED_BYPASS))
        if disagreement or _ends_result(failures):  # what follows from that is no news
            convergence = convergence._replace(passed=None, reason="too many runs do not count")
        findings += results.check_convergence(convergence, bypassed.get(RCP_BYPASS), partial=self._partial)
        findings += check_power_folders(folder, score, self._tree)
        accepted = {each.path for each in failures if each.finding.rule == "failure-accepted"}
        graded = tuple([_soften(log) if log.run.path in accepted else log for log in logs])
        return CheckedResult(submission, folder, graded, requirement, score, convergence, tuple(findings))

    def _check_descriptions(
        self, submission: Submission, judged: Sequence[tuple[JudgedResult, ...]], usual_round: str | None
    ) -> Iterator[PlacedFinding]:
        """Whether each system has a description, each description is of a system, and what they say is right."""
        runs: dict[str, list[Run]] = {}
        paths: dict[str, str | None] = {}
        rounds: dict[str, str | None] = {}
        for folder, logs in zip(submission.folders, judged, strict=True):
            system = folder.system or ""
            runs.setdefault(system, []).extend(log.logged for log in logs if log.logged is not None)
            paths[system] = folder.description
            rounds[system] = rounds.get(system) or _find_usual_round([logs])
        for name in self._tree.list_names(submission.systems_folder):
            system, suffix = os.path.splitext(name)
            if suffix == ".json" and system not in paths:
                paths[system] = os.path.join(submission.systems_folder, name)
                message = f"there are no results of a system {system}"
                yield place_finding("description-unused", paths[system] or "", message)
        for system, path in paths.items():
            ruleset = rounds.get(system) or usual_round or self._asked_round or self._newest_round
            if path is None:
                missing = os.path.join(submission.systems_folder, f"{system}.json")
                message = f"there is no {SYSTEMS}/{system}.json"
                yield place_finding("description-missing", missing, message)
            elif ruleset is not None:
                yield from check_system_description(
                    path, ruleset, runs=runs.get(system, ()), rules=self._rules
                )

    def _read_parameters(self, folder: str) -> tuple[Parameters, list[PlacedFinding]]:
        return read_parameters(folder, self._tree.list_names(folder))

    def _look_up_requirement(self, folder: ResultFolder, ruleset: str | None) -> Requirement | None:
        """How often the benchmark that a folder is named after is run, where no log says which it is of."""
        ruleset = ruleset or self._asked_round or self._newest_round
        return read_requirement(self._rules.load(ruleset).facts(folder.benchmark).get("runs"))


def list_checked_files(check: PackageCheck, waivers: Sequence[Waiver] = ()) -> Iterator[CheckedFile]:
    """A verdict for each log, and for each other file or folder with findings.

    `waivers` are those of the logs' judging; they are applied to what is about files and folders here.
    """

    def waive(verdict: Verdict) -> CheckedFile:
        return CheckedFile(*apply_waivers(verdict, waivers))

    for result in check.results:
        by_path = _group(result.findings)
        frame = _Frame.of(result.score)
        for path in [path for path in by_path if path not in set(result.folder.logs)]:
            yield waive(frame.make_verdict(path, by_path[path]))
        for log in result.logs:
            found = by_path.get(log.verdict.path, ())
            if not found:
                yield CheckedFile(log.verdict, log.waived)
                continue
            more = waive(log.verdict._replace(findings=tuple(found)))
            verdict = replace_findings(log.verdict, (*more.verdict.findings, *log.verdict.findings))
            yield CheckedFile(verdict, (*more.waived, *log.waived))
    others = _group(check.findings)
    if check.alone:
        others.setdefault(check.alone, [])
    for path, found in others.items():
        yield waive(_Frame().make_verdict(path, found))


class _Frame(NamedTuple):
    """What the verdict on a folder says of the rules."""

    usage: str = ""
    ruleset: str | None = None
    reason: str = ""
    division: str | None = None
    benchmark: str | None = None

    @classmethod
    def of(cls, score: FolderScore) -> _Frame:
        usage, _, version = (score.ruleset or "").partition("/")
        return cls(usage, version or None, score.ruleset_reason, score.division, score.benchmark)

    def make_verdict(self, path: str, findings: Sequence[Finding]) -> Verdict:
        outcome = decide_outcome(findings)
        return Verdict(path, None, *self, outcome, tuple(findings), RunSummary(), 0)


def _group(findings: Iterable[PlacedFinding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for each in findings:
        found.setdefault(each.path, []).append(each.finding)
    return found


def _soften(log: JudgedResult) -> JudgedResult:
    """A log whose run the mean may drop: what is wrong with it is worth a look, and no more."""
    softened = [each._replace(severity=Severity.WARNING) for each in log.verdict.findings]
    return log._replace(verdict=replace_findings(log.verdict, softened))


def _ends_result(failures: Iterable[PlacedFinding]) -> bool:
    return any(each.finding.rule == "too-many-failures" for each in failures)


def _find_usual_round(judged: Iterable[tuple[JudgedResult, ...]]) -> str | None:
    """The round that judged the most logs of a submission."""
    rounds = Counter(
        f"{log.run.usage}/{log.run.ruleset}" for logs in judged for log in logs if log.run.ruleset is not None
    )
    return rounds.most_common(1)[0][0] if rounds else None


def _check_code(submission: Submission, tree: Tree) -> Iterator[PlacedFinding]:
    """Whether the code of each benchmark is there."""
    for benchmark in dict.fromkeys(folder.benchmark for folder in submission.folders):
        path = os.path.join(submission.path, CODE, benchmark)
        if not tree.list_names(os.path.join(path, "implementations"), FOLDER):
            message = f"there is no implementation in {CODE}/{benchmark}/implementations/"
            yield place_finding("code-missing", path, message)


def _find_system_folder(folder: ResultFolder) -> str:
    above = os.path.dirname(folder.path)
    return os.path.dirname(above) if folder.scaling else above
