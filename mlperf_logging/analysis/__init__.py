"""Analysis of runs: tables in, tables and pictures out. The names load when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlperf_logging.analysis.analyses import AnalysisParameters, analyze_runs, compare_sides, select_runs
    from mlperf_logging.analysis.comparison import compare_systems
    from mlperf_logging.analysis.hodges_lehmann import estimate_shift
    from mlperf_logging.analysis.hyperparameters import pivot_hyperparameters, tabulate_hyperparameters
    from mlperf_logging.analysis.intervals import count_runs_needed, find_t_interval
    from mlperf_logging.analysis.outliers import mark_outliers
    from mlperf_logging.analysis.parameters import BootstrapParameters
    from mlperf_logging.analysis.power_table import sum_power, tabulate_power
    from mlperf_logging.analysis.reading import ReadingParameters, RunRows, read_rows
    from mlperf_logging.analysis.references import find_reference_range
    from mlperf_logging.analysis.scaling import describe_scaling
    from mlperf_logging.analysis.seeds import describe_seed_effect
    from mlperf_logging.analysis.tables import Tables, read_tables, tabulate_evaluations, tabulate_runs
    from mlperf_logging.analysis.variance import VarianceParameters, describe_variance

_MODULES = {
    "AnalysisParameters": "analyses",
    "BootstrapParameters": "parameters",
    "ReadingParameters": "reading",
    "RunRows": "reading",
    "Tables": "tables",
    "VarianceParameters": "variance",
    "analyze_runs": "analyses",
    "compare_sides": "analyses",
    "compare_systems": "comparison",
    "count_runs_needed": "intervals",
    "describe_scaling": "scaling",
    "describe_seed_effect": "seeds",
    "describe_variance": "variance",
    "estimate_shift": "hodges_lehmann",
    "find_reference_range": "references",
    "find_t_interval": "intervals",
    "mark_outliers": "outliers",
    "pivot_hyperparameters": "hyperparameters",
    "read_rows": "reading",
    "read_tables": "tables",
    "select_runs": "analyses",
    "sum_power": "power_table",
    "tabulate_evaluations": "tables",
    "tabulate_hyperparameters": "hyperparameters",
    "tabulate_power": "power_table",
    "tabulate_runs": "tables",
}

__all__ = [
    "AnalysisParameters",
    "BootstrapParameters",
    "ReadingParameters",
    "RunRows",
    "Tables",
    "VarianceParameters",
    "analyze_runs",
    "compare_sides",
    "compare_systems",
    "count_runs_needed",
    "describe_scaling",
    "describe_seed_effect",
    "describe_variance",
    "estimate_shift",
    "find_reference_range",
    "find_t_interval",
    "mark_outliers",
    "pivot_hyperparameters",
    "read_rows",
    "read_tables",
    "select_runs",
    "sum_power",
    "tabulate_evaluations",
    "tabulate_hyperparameters",
    "tabulate_power",
    "tabulate_runs",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
