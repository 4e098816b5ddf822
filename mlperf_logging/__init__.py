"""Emit, read, judge, score and show machine-learning training benchmark logs.

The public names load when they are first used, so that importing one part costs nothing of the others.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself would cost a training script more than all that it imports from here
if TYPE_CHECKING:
    from typing import Any

    from mlperf_logging.analysis import (
        AnalysisParameters,
        ReadingParameters,
        analyze_runs,
        compare_systems,
        describe_scaling,
        describe_variance,
        read_tables,
        tabulate_evaluations,
        tabulate_hyperparameters,
        tabulate_runs,
    )
    from mlperf_logging.compliance import (
        Finding,
        JudgedRun,
        RuleSelection,
        Ruleset,
        Verdict,
        check_log,
        judge_run,
        load_ruleset,
        start_judge,
    )
    from mlperf_logging.errors import (
        MLPerfLoggingError,
        RuleError,
        UnreadableLogError,
        UsageError,
        WaiverError,
    )
    from mlperf_logging.events import Event, EventKind, Position, Problem
    from mlperf_logging.parsing import Log, read_log
    from mlperf_logging.runs import (
        Evaluation,
        Interval,
        Progress,
        ResultFolder,
        Run,
        RunSummary,
        find_result_folders,
        make_run,
        read_run,
    )
    from mlperf_logging.scoring import (
        ConvergenceCheck,
        FolderScore,
        ScoredRun,
        SubmissionCheck,
        Suite,
        SuiteScore,
        check_convergence,
        check_results,
        geometric_mean,
        load_suite,
        olympic_mean,
        score_folder,
        score_results,
        score_run,
        score_suite,
    )

__version__ = "0.1.0"

_PLACES = {
    "mlperf_logging.analysis": (
        "AnalysisParameters",
        "ReadingParameters",
        "analyze_runs",
        "compare_systems",
        "describe_scaling",
        "describe_variance",
        "read_tables",
        "tabulate_evaluations",
        "tabulate_hyperparameters",
        "tabulate_runs",
    ),
    "mlperf_logging.compliance": (
        "JudgedRun",
        "Finding",
        "RuleSelection",
        "Ruleset",
        "Verdict",
        "check_log",
        "judge_run",
        "load_ruleset",
        "start_judge",
    ),
    "mlperf_logging.errors": (
        "MLPerfLoggingError",
        "RuleError",
        "UnreadableLogError",
        "UsageError",
        "WaiverError",
    ),
    "mlperf_logging.events": ("Event", "EventKind", "Position", "Problem"),
    "mlperf_logging.parsing": ("Log", "read_log"),
    "mlperf_logging.runs": (
        "Evaluation",
        "Interval",
        "Progress",
        "ResultFolder",
        "Run",
        "RunSummary",
        "find_result_folders",
        "make_run",
        "read_run",
    ),
    "mlperf_logging.scoring": (
        "ConvergenceCheck",
        "FolderScore",
        "ScoredRun",
        "SubmissionCheck",
        "Suite",
        "SuiteScore",
        "check_convergence",
        "check_results",
        "geometric_mean",
        "load_suite",
        "olympic_mean",
        "score_folder",
        "score_results",
        "score_run",
        "score_suite",
    ),
}
_NAMES = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [
    "AnalysisParameters",
    "ConvergenceCheck",
    "Evaluation",
    "Event",
    "EventKind",
    "Finding",
    "FolderScore",
    "Interval",
    "JudgedRun",
    "Log",
    "MLPerfLoggingError",
    "Position",
    "Problem",
    "Progress",
    "ReadingParameters",
    "ResultFolder",
    "RuleError",
    "RuleSelection",
    "Ruleset",
    "Run",
    "RunSummary",
    "ScoredRun",
    "SubmissionCheck",
    "Suite",
    "SuiteScore",
    "UnreadableLogError",
    "UsageError",
    "Verdict",
    "WaiverError",
    "analyze_runs",
    "check_convergence",
    "check_log",
    "check_results",
    "compare_systems",
    "describe_scaling",
    "describe_variance",
    "find_result_folders",
    "geometric_mean",
    "judge_run",
    "load_ruleset",
    "load_suite",
    "make_run",
    "olympic_mean",
    "read_log",
    "read_run",
    "read_tables",
    "score_folder",
    "score_results",
    "score_run",
    "score_suite",
    "start_judge",
    "tabulate_evaluations",
    "tabulate_hyperparameters",
    "tabulate_runs",
]


def __getattr__(name: str) -> Any:
    module = _NAMES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_NAMES])
