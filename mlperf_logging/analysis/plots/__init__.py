"""Pictures of runs: each function draws a table on an Axes and gives it back.

Nothing is computed here, no state of pyplot is touched, and what is distinguished by color is distinguished by line, marker
or hatch as well.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlperf_logging.analysis.plots.breakdown import draw_breakdown
    from mlperf_logging.analysis.plots.convergence import ConvergenceStyle, draw_convergence
    from mlperf_logging.analysis.plots.power import draw_power
    from mlperf_logging.analysis.plots.scaling import draw_scaling
    from mlperf_logging.analysis.plots.spread import draw_spread

_MODULES = {
    "ConvergenceStyle": "convergence",
    "draw_breakdown": "breakdown",
    "draw_convergence": "convergence",
    "draw_power": "power",
    "draw_scaling": "scaling",
    "draw_spread": "spread",
}

__all__ = [
    "ConvergenceStyle",
    "draw_breakdown",
    "draw_convergence",
    "draw_power",
    "draw_scaling",
    "draw_spread",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
