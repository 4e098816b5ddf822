"""From a path to scores and tests of convergence, for programs that do not want the steps between."""

from __future__ import annotations

from os import PathLike

from mlperf_logging.compliance.checking import check_run
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.runs.folders import ResultFolder, find_result_folders
from mlperf_logging.scoring.folders import OLYMPIC, FolderScore, score_folder
from mlperf_logging.scoring.rcp.files import load_reference_points
from mlperf_logging.scoring.rcp.pass_probability import DRAWS
from mlperf_logging.scoring.rcp.points import ReferenceTable
from mlperf_logging.scoring.rcp.references import CHECK
from mlperf_logging.scoring.rcp.submissions import SubmissionCheck, check_submission
from mlperf_logging.scoring.requirements import Requirement
from mlperf_logging.scoring.runs import ScoredRun, score_run


def read_results(
    path: str | PathLike[str],
    *,
    usage: str | None = None,
    ruleset: str = "auto",
    division: str | None = None,
    benchmark: str | None = None,
    strict: bool = False,
    rules: str | PathLike[str] | None = None,
) -> list[tuple[ResultFolder, list[ScoredRun]]]:
    """The result folders at and below a path, each with its judged runs. The options are `check_log`'s.

    Raises:
        UsageError: there is no such folder, it holds no logs, or an option is wrong.
        UnreadableLogError: a log cannot be opened.
    """
    return [
        (
            folder,
            [
                score_run(
                    check_run(
                        log,
                        usage=usage,
                        ruleset=ruleset,
                        division=division,
                        benchmark=benchmark,
                        strict=strict,
                        rules=rules,
                    )
                )
                for log in folder.logs
            ],
        )
        for folder in find_result_folders(path)
    ]


def score_results(
    path: str | PathLike[str],
    *,
    usage: str | None = None,
    ruleset: str = "auto",
    division: str | None = None,
    benchmark: str | None = None,
    strict: bool = False,
    rules: str | PathLike[str] | None = None,
    requirement: Requirement | None = None,
    method: str = OLYMPIC,
) -> list[FolderScore]:
    """Score the result folders at and below a path.

    Args:
        path: a benchmark's folder, a system's, a submitter's, a whole round.
        usage: as for `check_log`, and so are the next five.
        ruleset: a round's numbers, or "auto".
        division: judge by this division, whatever is logged.
        benchmark: judge as this benchmark, whatever is logged.
        strict: also apply what no public check tests.
        rules: folder of other rule files.
        requirement: how often a benchmark is run; None for what the rules say.
        method: "olympic" or "median".

    Raises:
        UsageError: there is no such folder, it holds no logs, or an option is wrong.
        UnreadableLogError: a log cannot be opened.
    """
    found = read_results(
        path, usage=usage, ruleset=ruleset, division=division, benchmark=benchmark, strict=strict, rules=rules
    )
    return [score_folder(folder, runs, requirement=requirement, method=method) for folder, runs in found]


def check_results(
    path: str | PathLike[str],
    *,
    usage: str | None = None,
    ruleset: str = "auto",
    division: str | None = None,
    benchmark: str | None = None,
    rules: str | PathLike[str] | None = None,
    method: str = CHECK,
    pruned: bool = True,
    seed: int = 0,
    draws: int = DRAWS,
) -> list[SubmissionCheck]:
    """Test the convergence of the result folders at and below a path.

    Args:
        path: a benchmark's folder, a system's, a submitter's, a whole round.
        usage: as for `check_log`, and so are the next four.
        ruleset: a round's numbers, or "auto".
        division: judge by this division, whatever is logged.
        benchmark: judge as this benchmark, whatever is logged.
        rules: folder of other rule files.
        method: "check" as the rounds' public checks have it, "rules" as the rules are written.
        pruned: judge against the pruned points; else against all.
        seed: of the simulation, where runs are still to come.
        draws: of the simulation.

    Raises:
        UsageError: there is no such folder, it holds no logs, or an option is wrong.
        UnreadableLogError: a log cannot be opened.
    """
    book = open_rules(rules)
    known: dict[str, dict[str, ReferenceTable]] = {}

    def find_table(name: str, wanted: str) -> ReferenceTable | None:
        if name not in known:
            known[name] = load_reference_points(book, name)
        return known[name].get(wanted)

    found = read_results(
        path, usage=usage, ruleset=ruleset, division=division, benchmark=benchmark, rules=rules
    )
    return [
        check_submission(folder, runs, find_table, method=method, pruned=pruned, seed=seed, draws=draws)
        for folder, runs in found
    ]
