"""Scores: time to train, reference convergence, energy, cost, suites. The names load when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlperf_logging.scoring.folders import FolderScore, score_folder
    from mlperf_logging.scoring.means import geometric_mean, olympic_mean
    from mlperf_logging.scoring.rcp.submissions import SubmissionCheck
    from mlperf_logging.scoring.rcp.test import ConvergenceCheck, check_convergence
    from mlperf_logging.scoring.results import check_results, score_results
    from mlperf_logging.scoring.runs import ScoredRun, score_run
    from mlperf_logging.scoring.suites import Suite, SuiteScore, load_suite, score_suite

_MODULES = {
    "ConvergenceCheck": "rcp.test",
    "FolderScore": "folders",
    "ScoredRun": "runs",
    "SubmissionCheck": "rcp.submissions",
    "Suite": "suites",
    "SuiteScore": "suites",
    "check_convergence": "rcp.test",
    "check_results": "results",
    "geometric_mean": "means",
    "load_suite": "suites",
    "olympic_mean": "means",
    "score_folder": "folders",
    "score_results": "results",
    "score_run": "runs",
    "score_suite": "suites",
}

__all__ = [
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
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
