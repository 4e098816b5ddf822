"""A picture of a submission against the reference convergence points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlperf_logging.analysis.pictures.reference import X_TITLE, ReferencePicture, prepare_reference
from mlperf_logging.analysis.plots.looks import put_legend, thin_out, tidy
from mlperf_logging.scoring.rcp.points import ReferenceTable
from mlperf_logging.scoring.rcp.test import ConvergenceCheck

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
    picture = prepare_reference(check, table)
    _draw_points(axes, picture)
    _draw_between(axes, picture)
    _draw_submission(axes, picture)
    _label(axes, picture, title)
    return axes


def _draw_points(axes: Axes, picture: ReferencePicture) -> None:
    if picture.runs:
        sizes, runs = zip(*picture.runs, strict=True)
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
    if picture.aside:
        axes.plot(
            [each.batch_size for each in picture.aside],
            [each.mean for each in picture.aside],
            linestyle="none",
            marker="s",
            markersize=7,
            markerfacecolor="white",
            markeredgecolor=GRAY,
            label="reference mean, pruned",
            zorder=3,
        )
    axes.plot(
        [each.batch_size for each in picture.counting],
        [each.mean for each in picture.counting],
        linestyle="none",
        color=DARK,
        marker="s",
        markersize=7,
        label="reference mean",
        zorder=3,
    )


def _draw_between(axes: Axes, picture: ReferencePicture) -> None:
    """The reference mean and the smallest acceptable one between the points: straight in the batch size itself."""
    if not picture.lines:
        return
    sizes, means, smallest = zip(*picture.lines, strict=True)
    axes.plot(sizes, means, color=DARK, linewidth=1.2, label="interpolated", zorder=3)
    axes.plot(
        sizes, smallest, color=GRAY, linewidth=1.2, linestyle="--", label="smallest acceptable mean", zorder=2
    )
    axes.fill_between(sizes, smallest, means, color=LIGHT, zorder=1)


def _draw_submission(axes: Axes, picture: ReferencePicture) -> None:
    axes.plot(
        [picture.batch_size] * len(picture.converged),
        picture.converged,
        linestyle="none",
        marker="x",
        markersize=6,
        color=ACCENT,
        alpha=0.8,
        label=picture.converged_text,
        zorder=4,
    )
    if picture.mean is not None:
        axes.plot(
            [picture.batch_size],
            [picture.mean],
            linestyle="none",
            marker="D",
            markersize=9,
            markerfacecolor=ACCENT,
            markeredgecolor="black",
            zorder=5,
            label=picture.mean_text,
        )
    if picture.smallest is not None:
        axes.plot(
            [picture.batch_size],
            [picture.smallest],
            linestyle="none",
            marker="_",
            markersize=26,
            markeredgewidth=2.5,
            color=ACCENT,
            label=picture.smallest_text,
            zorder=5,
        )


def _label(axes: Axes, picture: ReferencePicture, title: str) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

    sizes = picture.sizes
    axes.set_xscale("log", base=2)
    closest = (sizes[-1] / sizes[0]) ** (1 / _MOST_TICKS)
    axes.set_xticks(thin_out(sizes, closest, [picture.batch_size]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", rotation=45)
    for label in axes.get_xticklabels():
        label.set_horizontalalignment("right")
        label.set_rotation_mode("anchor")
    axes.set_xmargin(0.08)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.set_xlabel(X_TITLE)
    axes.set_ylabel(picture.y_title)
    tidy(axes, grid="y")
    if title:
        axes.set_title(title, loc="left", fontsize=11)
    put_legend(axes)
