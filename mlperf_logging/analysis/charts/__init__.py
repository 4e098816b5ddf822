"""Charts of runs for pages and notebooks: each function gives an Altair chart of a table.

Nothing is computed here: `analysis.pictures` prepares what `analysis.plots` draws as well. A chart has no background and
takes the color of the text around it; what is distinguished by color is distinguished by dashes or shape as well.
`embedding` puts charts into a page that loads nothing from elsewhere.
"""

from mlperf_logging.analysis.charts.amounts import chart_amounts
from mlperf_logging.analysis.charts.breakdown import chart_breakdown
from mlperf_logging.analysis.charts.comparison import chart_comparison
from mlperf_logging.analysis.charts.convergence import chart_convergence
from mlperf_logging.analysis.charts.embedding import bundle_libraries, pack_chart, read_drawing_script
from mlperf_logging.analysis.charts.power import chart_power
from mlperf_logging.analysis.charts.reference import chart_reference
from mlperf_logging.analysis.charts.scaling import chart_scaling
from mlperf_logging.analysis.charts.series import chart_series
from mlperf_logging.analysis.charts.spread import chart_spread
from mlperf_logging.analysis.charts.suite import chart_suite
from mlperf_logging.analysis.pictures.curves import ConvergenceStyle

__all__ = [
    "ConvergenceStyle",
    "bundle_libraries",
    "chart_amounts",
    "chart_breakdown",
    "chart_comparison",
    "chart_convergence",
    "chart_power",
    "chart_reference",
    "chart_scaling",
    "chart_series",
    "chart_spread",
    "chart_suite",
    "pack_chart",
    "read_drawing_script",
]
