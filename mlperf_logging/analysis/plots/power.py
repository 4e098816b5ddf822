"""Power and energy over the time of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlperf_logging.analysis.pictures.curves import MOST_NAMED
from mlperf_logging.analysis.pictures.power import QUANTITIES, X_TITLE, prepare_power
from mlperf_logging.analysis.plots.looks import PLAIN, LineEnd, choose_looks, label_lines, put_legend, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def draw_power(axes: Axes, power: pd.DataFrame, quantity: str = "watts", *, by: str = "run") -> Axes:
    """Draw power or energy over time, a line for each run or each measured part."""
    lines = prepare_power(power, quantity, by)
    looks = choose_looks([name for name, _ in lines])
    is_many = len(lines) > MOST_NAMED
    ends = []
    for name, rows in lines:
        look = PLAIN if is_many else looks[name]
        every = max(1, len(rows) // 8)
        minutes = rows["minutes"].to_numpy(dtype=float)
        values = rows["amount"].to_numpy(dtype=float)
        axes.plot(
            minutes,
            values,
            drawstyle="steps-pre" if quantity == "watts" else "default",
            color=look.color,
            linestyle=look.line,
            linewidth=1.2,
            marker=look.marker,
            markersize=3.5,
            markevery=every,
        )
        ends.append(LineEnd(name, look, float(minutes[-1]), float(values[-1])))
    if is_many:
        axes.plot([], [], color=PLAIN.color, label=f"{len(lines)} lines")
    axes.axvline(0.0, color="black", linewidth=0.9)
    axes.set_xlabel(X_TITLE)
    axes.set_ylabel(QUANTITIES[quantity][0])
    axes.set_ylim(bottom=0.0)
    tidy(axes)
    label_lines(axes, [] if is_many else ends)
    put_legend(axes, below=True)
    return axes
