"""Power and energy over the time of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlperf_logging.analysis.grouping import require_columns
from mlperf_logging.analysis.pictures.curves import MOST_NAMED
from mlperf_logging.analysis.pictures.names import shorten_name
from mlperf_logging.analysis.plots.looks import PLAIN, LineEnd, choose_looks, label_lines, put_legend, tidy
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

QUANTITIES = {"watts": ("power (kW)", 1e-3), "energy_kj": ("energy since the measurement began (MJ)", 1e-3)}
"""Columns that can be drawn: label of the axis with its unit, and factor to that unit."""


def draw_power(axes: Axes, power: pd.DataFrame, quantity: str = "watts", *, by: str = "run") -> Axes:
    """Draw power or energy over time, a line for each run or each measured part."""
    if quantity not in QUANTITIES:
        raise UsageError(f"unknown quantity {quantity!r}; choose from {', '.join(QUANTITIES)}")
    require_columns(power, [by, "minutes", quantity])
    if power.empty:
        raise UsageError("there are no power readings")
    label, factor = QUANTITIES[quantity]
    names = list(power[by].unique())
    looks = choose_looks(map(str, names))
    is_many = len(names) > MOST_NAMED
    ends = []
    for name in names:
        rows = power[power[by] == name]
        look = PLAIN if is_many else looks[str(name)]
        every = max(1, len(rows) // 8)
        minutes = rows["minutes"].to_numpy(dtype=float)
        values = rows[quantity].to_numpy(dtype=float) * factor
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
        ends.append(LineEnd(shorten_name(str(name)), look, float(minutes[-1]), float(values[-1])))
    if is_many:
        axes.plot([], [], color=PLAIN.color, label=f"{len(names)} lines")
    axes.axvline(0.0, color="black", linewidth=0.9)
    axes.set_xlabel("time since run_start (minutes)")
    axes.set_ylabel(label)
    axes.set_ylim(bottom=0.0)
    tidy(axes)
    label_lines(axes, [] if is_many else ends)
    put_legend(axes, below=True)
    return axes
