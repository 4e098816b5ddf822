"""From a path to scores and tests of convergence, for programs that do not want the steps between."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from mlperf_logging.compliance.judged_run import judge_run
from mlperf_logging.compliance.ruleset_selection import AUTOMATIC, RuleOptions, RuleSelection
from mlperf_logging.runs.folders import ResultFolder, find_result_folders
from mlperf_logging.scoring.folders import OLYMPIC, FolderScore, score_folder
from mlperf_logging.scoring.rcp.files import open_reference_points
from mlperf_logging.scoring.rcp.pass_probability import DRAWS
from mlperf_logging.scoring.rcp.references import CHECK
from mlperf_logging.scoring.rcp.submissions import SubmissionCheck, check_submission
from mlperf_logging.scoring.requirements import Requirement
from mlperf_logging.scoring.runs import ScoredRun, score_run

if TYPE_CHECKING:
    from typing_extensions import Unpack


def read_results(
    path: str | PathLike[str], selection: RuleSelection = AUTOMATIC, **options: Unpack[RuleOptions]
) -> list[tuple[ResultFolder, list[ScoredRun]]]:
    """The result folders at and below a path, each with its judged runs, see `score_results`."""
    selection = selection.override(options)
    return [
        (folder, [score_run(judge_run(log, selection)) for log in folder.logs])
        for folder in find_result_folders(path)
    ]


def score_results(
    path: str | PathLike[str],
    selection: RuleSelection = AUTOMATIC,
    *,
    requirement: Requirement | None = None,
    method: str = OLYMPIC,
    **options: Unpack[RuleOptions],
) -> list[FolderScore]:
    """Score the result folders at and below a path.

    Args:
        path: a benchmark's folder, a system's, a submitter's, a whole round.
        selection: the rules to judge by; by default each log chooses.
        requirement: how often a benchmark is run; None for what the rules say.
        method: "olympic" or "median".
        options: fields of the selection that are to differ, such as ``division="open"``.

    Raises:
        UsageError: there is no such folder, it contains no logs, or an option is wrong.
        UnreadableLogError: a log cannot be opened.
    """
    return [
        score_folder(folder, runs, requirement=requirement, method=method)
        for folder, runs in read_results(path, selection, **options)
    ]


def check_results(
    path: str | PathLike[str],
    selection: RuleSelection = AUTOMATIC,
    *,
    method: str = CHECK,
    pruned: bool = True,
    seed: int = 0,
    draws: int = DRAWS,
    **options: Unpack[RuleOptions],
) -> list[SubmissionCheck]:
    """Test the convergence of the result folders at and below a path.

    Args:
        path: a benchmark's folder, a system's, a submitter's, a whole round.
        selection: the rules to judge by; by default each log chooses.
        method: "check" as the rounds' public checks have it, "rules" as the rules are written.
        pruned: judge against the pruned points; else against all.
        seed: of the simulation, where runs are still to come.
        draws: of the simulation.
        options: fields of the selection that are to differ, such as ``division="open"``.

    Raises:
        UsageError: there is no such folder, it contains no logs, or an option is wrong.
        UnreadableLogError: a log cannot be opened.
    """
    selection = selection.override(options)
    find_table = open_reference_points(selection.rules)
    return [
        check_submission(folder, runs, find_table, method=method, pruned=pruned, seed=seed, draws=draws)
        for folder, runs in read_results(path, selection)
    ]
