"""A picture of a submission against the reference convergence points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlperf_logging.analysis.plots.looks import put_legend, thin_out, tidy
from mlperf_logging.scoring.rcp.points import ReferenceTable
from mlperf_logging.scoring.rcp.references import show_amount
from mlperf_logging.scoring.rcp.test import ConvergenceCheck, trace_acceptance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DARK, GRAY, LIGHT, ACCENT = "#222222", "#8a8a8a", "#dcdcdc", "#c1440e"
_MOST_TICKS = 14


def draw_reference_chart(
    axes: Axes, check: ConvergenceCheck, table: ReferenceTable | None = None, *, title: str = ""
) -> Axes:
    """Draw where a submission converged, the reference points, and the smallest acceptable mean.

    Shapes and lines differ, so the picture can be read without color: filled squares on a line are the points that
    count, hollow ones those that were pruned; the dashed line is the smallest acceptable mean at each point; the
    submission's runs are crosses and its mean a diamond, above the bar of its smallest acceptable mean.

    Args:
        axes: where to draw.
        check: the submission and what it was judged against.
        table: the reference runs themselves, drawn as small dots; None leaves them out.
        title: above the picture.

    Returns:
        The axes.
    """
    _draw_reference_runs(axes, table)
    counting = {reference.batch_size for reference in check.pruned}
    aside = [reference for reference in check.references if reference.batch_size not in counting]
    if aside:
        axes.plot(
            [each.batch_size for each in aside],
            [each.mean for each in aside],
            linestyle="none",
            marker="s",
            markersize=7,
            markerfacecolor="white",
            markeredgecolor=GRAY,
            label="reference mean, pruned",
            zorder=3,
        )
    axes.plot(
        [each.batch_size for each in check.pruned],
        [each.mean for each in check.pruned],
        linestyle="none",
        color=DARK,
        marker="s",
        markersize=7,
        label="reference mean",
        zorder=3,
    )
    _draw_between(axes, check)
    _draw_submission(axes, check)
    _label(axes, check, title)
    return axes


def _draw_reference_runs(axes: Axes, table: ReferenceTable | None) -> None:
    if table is None:
        return
    sizes = [point.batch_size for point in table.points for _ in point.converged_at]
    runs = [run for point in table.points for run in point.converged_at]
    axes.plot(
        sizes,
        runs,
        linestyle="none",
        marker=".",
        markersize=3,
        color=GRAY,
        alpha=0.5,
        label="reference runs",
        zorder=2,
    )


def _draw_between(axes: Axes, check: ConvergenceCheck) -> None:
    """The reference mean and the smallest acceptable one between the points: straight in the batch size itself."""
    lines = trace_acceptance(check)
    if not lines:
        return
    sizes, means, smallest = zip(*lines, strict=True)
    axes.plot(sizes, means, color=DARK, linewidth=1.2, label="interpolated", zorder=3)
    axes.plot(
        sizes, smallest, color=GRAY, linewidth=1.2, linestyle="--", label="smallest acceptable mean", zorder=2
    )
    axes.fill_between(sizes, smallest, means, color=LIGHT, zorder=1)


def _draw_submission(axes: Axes, check: ConvergenceCheck) -> None:
    converged = [run for run in check.converged_at if math.isfinite(run)]
    failed = len(check.converged_at) - len(converged)
    missing = f", {failed} did not converge" if failed else ""
    axes.plot(
        [check.batch_size] * len(converged),
        converged,
        linestyle="none",
        marker="x",
        markersize=6,
        color=ACCENT,
        alpha=0.8,
        label=f"submission: {len(check.converged_at)} runs{missing}",
        zorder=4,
    )
    if math.isfinite(check.submission_mean):
        verdict = "passes" if check.passed else "fails"
        axes.plot(
            [check.batch_size],
            [check.submission_mean],
            linestyle="none",
            marker="D",
            markersize=9,
            markerfacecolor=ACCENT,
            markeredgecolor="black",
            zorder=5,
            label=f"submission: mean {show_amount(check.submission_mean)}, {verdict}",
        )
    if check.reference_min is not None:
        acceptable = check.reference_min - check.allowance
        axes.plot(
            [check.batch_size],
            [acceptable],
            linestyle="none",
            marker="_",
            markersize=26,
            markeredgewidth=2.5,
            color=ACCENT,
            label=f"smallest mean at this batch size: {show_amount(acceptable)}",
            zorder=5,
        )


def _label(axes: Axes, check: ConvergenceCheck, title: str) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

    sizes = sorted({check.batch_size, *[reference.batch_size for reference in check.references]})
    axes.set_xscale("log", base=2)
    closest = (sizes[-1] / sizes[0]) ** (1 / _MOST_TICKS)
    axes.set_xticks(thin_out(sizes, closest, [check.batch_size]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", rotation=45)
    for label in axes.get_xticklabels():
        label.set_horizontalalignment("right")
        label.set_rotation_mode("anchor")
    axes.set_xmargin(0.08)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.set_xlabel("global batch size (samples, logarithmic)")
    axes.set_ylabel(f"{check.unit} to converge")
    tidy(axes, grid="y")
    if title:
        axes.set_title(title, loc="left", fontsize=11)
    put_legend(axes)
