"""Charts of runs for pages and notebooks: each function gives an Altair chart of a table.

Nothing is computed here: `analysis.pictures` prepares what `analysis.plots` draws as well. A chart has no background and
takes the color of the text around it; what is distinguished by color is distinguished by dashes or shape as well.
`embedding` puts charts into a page that loads nothing from elsewhere.
"""

from mlperf_logging.analysis.charts.convergence import chart_convergence
from mlperf_logging.analysis.charts.embedding import bundle_libraries, pack_chart, read_drawing_script
from mlperf_logging.analysis.charts.series import chart_series
from mlperf_logging.analysis.pictures.curves import ConvergenceStyle

__all__ = [
    "ConvergenceStyle",
    "bundle_libraries",
    "chart_convergence",
    "chart_series",
    "pack_chart",
    "read_drawing_script",
]
