"""Analysis of runs: tables in, tables, pictures and charts out.

The functions of `charts` load when they are first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlperf_logging.analysis.charts import chart_amounts as chart_amounts
    from mlperf_logging.analysis.charts import chart_breakdown as chart_breakdown
    from mlperf_logging.analysis.charts import chart_comparison as chart_comparison
    from mlperf_logging.analysis.charts import chart_convergence as chart_convergence
    from mlperf_logging.analysis.charts import chart_power as chart_power
    from mlperf_logging.analysis.charts import chart_reference as chart_reference
    from mlperf_logging.analysis.charts import chart_scaling as chart_scaling
    from mlperf_logging.analysis.charts import chart_series as chart_series
    from mlperf_logging.analysis.charts import chart_spread as chart_spread

__all__ = [
    "chart_amounts",
    "chart_breakdown",
    "chart_comparison",
    "chart_convergence",
    "chart_power",
    "chart_reference",
    "chart_scaling",
    "chart_series",
    "chart_spread",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mlperf_logging.analysis import charts

    return getattr(charts, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
