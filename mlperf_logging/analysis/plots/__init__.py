"""Pictures of runs: each function draws a table on an Axes and gives it back.

Nothing is computed here, no state of pyplot is touched, and what is distinguished by color is distinguished by line,
marker or hatch as well.
"""

from mlperf_logging.analysis.pictures.curves import ConvergenceStyle
from mlperf_logging.analysis.plots.breakdown import draw_breakdown
from mlperf_logging.analysis.plots.convergence import draw_convergence
from mlperf_logging.analysis.plots.power import draw_power
from mlperf_logging.analysis.plots.scaling import draw_scaling
from mlperf_logging.analysis.plots.series import draw_series
from mlperf_logging.analysis.plots.spread import draw_spread
from mlperf_logging.analysis.plots.suite import draw_suite

__all__ = [
    "ConvergenceStyle",
    "draw_breakdown",
    "draw_convergence",
    "draw_power",
    "draw_scaling",
    "draw_series",
    "draw_spread",
    "draw_suite",
]
