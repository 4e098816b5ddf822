"""Emit, read, judge, score and show machine-learning training benchmark logs.

The public names load when they are first used, so that importing one part costs nothing of the others.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself would cost a training script more than all that it imports from here
if TYPE_CHECKING:
    from typing import Any

    from mlperf_logging.analysis.analyses import AnalysisParameters as AnalysisParameters
    from mlperf_logging.analysis.analyses import analyze_runs as analyze_runs
    from mlperf_logging.analysis.comparison import compare_systems as compare_systems
    from mlperf_logging.analysis.hyperparameters import tabulate_hyperparameters as tabulate_hyperparameters
    from mlperf_logging.analysis.reading import ReadingParameters as ReadingParameters
    from mlperf_logging.analysis.scaling import describe_scaling as describe_scaling
    from mlperf_logging.analysis.tables import read_tables as read_tables
    from mlperf_logging.analysis.tables import tabulate_evaluations as tabulate_evaluations
    from mlperf_logging.analysis.tables import tabulate_runs as tabulate_runs
    from mlperf_logging.analysis.variance import describe_variance as describe_variance
    from mlperf_logging.compliance.checking import check_log as check_log
    from mlperf_logging.compliance.checking import check_runs as check_runs
    from mlperf_logging.compliance.findings import Finding as Finding
    from mlperf_logging.compliance.findings import Verdict as Verdict
    from mlperf_logging.compliance.judged_run import JudgedRun as JudgedRun
    from mlperf_logging.compliance.judged_run import judge_run as judge_run
    from mlperf_logging.compliance.judged_run import judge_runs as judge_runs
    from mlperf_logging.compliance.live import start_judge as start_judge
    from mlperf_logging.compliance.ruleset_selection import RuleSelection as RuleSelection
    from mlperf_logging.errors import MLPerfLoggingError as MLPerfLoggingError
    from mlperf_logging.errors import RuleError as RuleError
    from mlperf_logging.errors import UnreadableLogError as UnreadableLogError
    from mlperf_logging.errors import UsageError as UsageError
    from mlperf_logging.errors import WaiverError as WaiverError
    from mlperf_logging.events import Event as Event
    from mlperf_logging.events import EventKind as EventKind
    from mlperf_logging.events import Position as Position
    from mlperf_logging.events import Problem as Problem
    from mlperf_logging.parsing import Log as Log
    from mlperf_logging.parsing import read_log as read_log
    from mlperf_logging.rules.repository import load_ruleset as load_ruleset
    from mlperf_logging.rules.rulesets import Ruleset as Ruleset
    from mlperf_logging.runs.evaluations import Evaluation as Evaluation
    from mlperf_logging.runs.folders import ResultFolder as ResultFolder
    from mlperf_logging.runs.folders import find_result_folders as find_result_folders
    from mlperf_logging.runs.intervals import Interval as Interval
    from mlperf_logging.runs.intervals import Progress as Progress
    from mlperf_logging.runs.run import Run as Run
    from mlperf_logging.runs.run import make_run as make_run
    from mlperf_logging.runs.run import read_run as read_run
    from mlperf_logging.runs.summary import RunSummary as RunSummary
    from mlperf_logging.scoring.folders import FolderScore as FolderScore
    from mlperf_logging.scoring.folders import score_folder as score_folder
    from mlperf_logging.scoring.means import geometric_mean as geometric_mean
    from mlperf_logging.scoring.means import olympic_mean as olympic_mean
    from mlperf_logging.scoring.rcp.submissions import SubmissionCheck as SubmissionCheck
    from mlperf_logging.scoring.rcp.test import ConvergenceCheck as ConvergenceCheck
    from mlperf_logging.scoring.rcp.test import check_convergence as check_convergence
    from mlperf_logging.scoring.results import check_results as check_results
    from mlperf_logging.scoring.results import score_results as score_results
    from mlperf_logging.scoring.runs import ScoredRun as ScoredRun
    from mlperf_logging.scoring.runs import score_run as score_run
    from mlperf_logging.scoring.suites import Suite as Suite
    from mlperf_logging.scoring.suites import SuiteScore as SuiteScore
    from mlperf_logging.scoring.suites import load_suite as load_suite
    from mlperf_logging.scoring.suites import score_suite as score_suite
    from mlperf_logging.submission.checking import PackageCheck as PackageCheck
    from mlperf_logging.submission.checking import check_package as check_package
    from mlperf_logging.submission.checking import list_checked_files as list_checked_files

__version__ = "0.1.0"

_NAMES = {
    "analysis.analyses": ("AnalysisParameters", "analyze_runs"),
    "analysis.comparison": ("compare_systems",),
    "analysis.hyperparameters": ("tabulate_hyperparameters",),
    "analysis.reading": ("ReadingParameters",),
    "analysis.scaling": ("describe_scaling",),
    "analysis.tables": ("read_tables", "tabulate_evaluations", "tabulate_runs"),
    "analysis.variance": ("describe_variance",),
    "compliance.checking": ("check_log", "check_runs"),
    "compliance.findings": ("Finding", "Verdict"),
    "compliance.judged_run": ("judge_run", "judge_runs", "JudgedRun"),
    "compliance.live": ("start_judge",),
    "compliance.ruleset_selection": ("RuleSelection",),
    "errors": ("MLPerfLoggingError", "RuleError", "UnreadableLogError", "UsageError", "WaiverError"),
    "events": ("Event", "EventKind", "Position", "Problem"),
    "parsing": ("Log", "read_log"),
    "rules.repository": ("load_ruleset",),
    "rules.rulesets": ("Ruleset",),
    "runs.evaluations": ("Evaluation",),
    "runs.folders": ("find_result_folders", "ResultFolder"),
    "runs.intervals": ("Interval", "Progress"),
    "runs.run": ("make_run", "read_run", "Run"),
    "runs.summary": ("RunSummary",),
    "scoring.folders": ("FolderScore", "score_folder"),
    "scoring.means": ("geometric_mean", "olympic_mean"),
    "scoring.rcp.submissions": ("SubmissionCheck",),
    "scoring.rcp.test": ("check_convergence", "ConvergenceCheck"),
    "scoring.results": ("check_results", "score_results"),
    "scoring.runs": ("score_run", "ScoredRun"),
    "scoring.suites": ("load_suite", "score_suite", "Suite", "SuiteScore"),
    "submission.checking": ("check_package", "list_checked_files", "PackageCheck"),
}
"""Public names by module; the imports above say the same to type checkers, and a test holds the two together."""

_MODULES = {name: module for module, names in _NAMES.items() for name in names}
__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
