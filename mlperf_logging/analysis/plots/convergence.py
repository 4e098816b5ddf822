"""Convergence curves: quality against epochs, samples or minutes, with the target and the reference's band."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlperf_logging.analysis.pictures.convergence import describe_reference, prepare_convergence
from mlperf_logging.analysis.pictures.curves import MOST_SINGLE_RUNS, ConvergenceStyle
from mlperf_logging.analysis.plots.curves import choose_curve_looks, draw_curves, label_axes, set_limits
from mlperf_logging.analysis.plots.looks import PLAIN, LineEnd, Look, label_lines, put_legend

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from mlperf_logging.analysis.references import ReferenceRange

_TARGET = Look("black", (0, (6, 3)), "")


def draw_convergence(
    axes: Axes,
    evaluations: pd.DataFrame,
    style: ConvergenceStyle | None = None,
    *,
    reference: ReferenceRange | None = None,
    names: bool = True,
) -> Axes:
    """Draw the runs' curves as `draw_curves` does; a hollow marker shows each run's first evaluation that meets the target.

    Up to twelve runs of one system each get a line and marker of their own; more, or several systems, share that of
    their system.

    Args:
        axes: where to draw.
        evaluations: the table of evaluations of one benchmark.
        style: what is drawn; None for the defaults of `ConvergenceStyle`.
        reference: where the reference converges, in the unit of the x axis; None for nothing.
        names: whether curves have names and there is a legend; a small picture among others has no room for them.

    Returns:
        The axes.

    Raises:
        UsageError: a column is missing, nothing is left to draw, or the runs count in different units.
    """
    prepared = prepare_convergence(evaluations, style)
    curves = prepared.curves
    looks = choose_curve_looks(curves.names)
    ends = draw_curves(axes, curves, looks)
    size = 7.0 if len(curves.names) <= MOST_SINGLE_RUNS else 5.0
    for path, first in prepared.met.iterrows():
        look = looks[curves.names[str(path)]]
        _mark(axes, [float(first[curves.x])], [float(first["quality"])], look, size)
    if len(prepared.met):
        _mark(axes, [], [], PLAIN, size, label="first to meet the target")
    for target in prepared.targets:
        axes.axhline(target.value, color=_TARGET.color, linestyle=_TARGET.line, linewidth=1.1)
        ends.append(LineEnd(target.text, _TARGET, 0.0, target.value))
    if reference is not None:
        axes.axvspan(
            reference.smallest,
            reference.mean,
            color="#009E73",
            alpha=0.15,
            hatch="///",
            linewidth=0,
            label=f"{describe_reference(reference)}: smallest accepted mean to mean",
        )
    set_limits(axes, curves)
    label_axes(axes, curves)
    if names:
        label_lines(axes, ends)
        put_legend(axes, below=True)
    return axes


def _mark(
    axes: Axes, x: list[float], y: list[float], look: Look, size: float, label: str | None = None
) -> None:
    """Draw hollow markers."""
    axes.plot(
        x,
        y,
        color=look.color,
        marker=look.marker or "o",
        markersize=size,
        markerfacecolor="white",
        markeredgewidth=1.3,
        linestyle="none",
        zorder=3,
        label=label,
    )
