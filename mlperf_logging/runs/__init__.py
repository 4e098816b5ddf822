"""Runs: a typed view of what one log shows, and submissions as folders of runs. Loaded name by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlperf_logging.runs.folders import ResultFolder, find_result_folders
    from mlperf_logging.runs.run import (
        Evaluation,
        Interval,
        Progress,
        Run,
        Seed,
        TrackedStats,
        make_run,
        read_run,
    )
    from mlperf_logging.runs.summary import RunSummary

_MODULES = {
    "Evaluation": "run",
    "Interval": "run",
    "Progress": "run",
    "ResultFolder": "folders",
    "Run": "run",
    "RunSummary": "summary",
    "Seed": "run",
    "TrackedStats": "run",
    "find_result_folders": "folders",
    "make_run": "run",
    "read_run": "run",
}

__all__ = [
    "Evaluation",
    "Interval",
    "Progress",
    "ResultFolder",
    "Run",
    "RunSummary",
    "Seed",
    "TrackedStats",
    "find_result_folders",
    "make_run",
    "read_run",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
