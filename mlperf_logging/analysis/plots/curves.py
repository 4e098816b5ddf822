"""Curves of many runs: a line for each, or beyond eight systems a mean and a band for each, named where they end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlperf_logging.analysis.curves import average_curves
from mlperf_logging.analysis.pictures.curves import MOST_NAMED, MOST_SINGLE_RUNS, MOST_SYSTEMS_BY_RUN, Curves
from mlperf_logging.analysis.plots.looks import (
    LINES,
    MARKERS,
    PLAIN,
    LineEnd,
    Look,
    choose_looks,
    tidy,
    to_label,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def choose_curve_looks(names: Mapping[str, str]) -> dict[str, Look]:
    """A look for each name; one for all of more than two dozen."""
    looks = choose_looks(names.values())
    if len(looks) == 1:
        return dict.fromkeys(looks, Look("#0072B2", LINES[0], MARKERS[0]))
    return dict.fromkeys(looks, PLAIN) if len(looks) > MOST_NAMED else looks


def draw_curves(axes: Axes, curves: Curves, looks: Mapping[str, Look]) -> list[LineEnd]:
    """Draw the runs' curves, and give the ends of those that have a name, see `label_lines`.

    Up to eight systems, each run is a line. Of more, each system is the mean of its runs, as far as half of them go,
    and the band of their middle four fifths; more than two dozen are thin lines without a name, with one mean and band
    of them all.
    """
    rows, x, value = curves.shown, curves.x, curves.value
    runs = list(rows.groupby("path", sort=False))
    groups = rows.groupby(rows["path"].map(curves.names), sort=False)
    alpha = 0.85 if len(runs) <= MOST_SINGLE_RUNS else 0.5
    if len(looks) > MOST_NAMED:
        for _, curve in runs:
            _draw_line(axes, curve, x, value, PLAIN, alpha=0.3)
        label = f"{len(runs)} runs of {len(looks)} systems"
        axes.plot([], [], color=PLAIN.color, linewidth=0.8, label=label)
        look = Look("#0072B2", LINES[0], "")
        return [_draw_band(axes, average_curves(rows, x, value), x, look, "mean of all")]
    ends = []
    for name, members in groups:
        count = members["path"].nunique()
        look, text = looks[str(name)], f"{name} ({count} runs)" if count > 1 else str(name)
        if len(looks) > MOST_SYSTEMS_BY_RUN and count > 1:
            ends.append(_draw_band(axes, average_curves(members, x, value), x, look, text))
        else:
            lines = [
                _draw_line(axes, curve, x, value, look, alpha)
                for _, curve in members.groupby("path", sort=False)
            ]
            ends.append(LineEnd(text, look, *max(lines)))
    return ends


def set_limits(axes: Axes, curves: Curves) -> None:
    """Limit the vertical axis so that a few values far off do not flatten the curves; triangles mark where they are."""
    axes.set_ylim(*curves.ends)
    if curves.outside is None:
        return
    for beyond, edge, marker in ((curves.below, 0.015, "v"), (curves.above, 0.985, "^")):
        axes.plot(
            beyond[curves.x].to_numpy(dtype=float),
            [edge] * len(beyond),
            transform=axes.get_xaxis_transform(),
            linestyle="none",
            marker=marker,
            markersize=5,
            color="#222222",
            zorder=4,
        )
    axes.plot(
        [],
        [],
        linestyle="none",
        marker="v" if len(curves.below) else "^",
        markersize=5,
        color="#222222",
        label=curves.outside,
    )


def label_axes(axes: Axes, curves: Curves) -> None:
    """Write what each axis counts."""
    from matplotlib.ticker import EngFormatter, MaxNLocator

    axes.set_xlabel(curves.x_title)
    if curves.unit == "epochs" and not (curves.rows[curves.x] % 1).any():
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if curves.unit in {"samples", "tokens", "steps"}:
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set_ylabel(to_label(curves.value_title))
    tidy(axes)


def _draw_line(
    axes: Axes, curve: pd.DataFrame, x: str, value: str, look: Look, alpha: float, width: float = 1.2
) -> tuple[float, float]:
    """Draw one run's curve; where it ends."""
    curve = curve.sort_values(x, kind="stable")
    place, values = curve[x].to_numpy(dtype=float), curve[value].to_numpy(dtype=float)
    axes.plot(
        place,
        values,
        color=look.color,
        linestyle=look.line,
        linewidth=width,
        alpha=alpha,
        zorder=2 + width / 4,
        marker=look.marker,
        markersize=3.5,
        markevery=max(1, len(curve) // 10),
    )
    return float(place[-1]), float(values[-1])


def _draw_band(axes: Axes, mean: pd.DataFrame, x: str, look: Look, name: str) -> LineEnd:
    """Draw the band and the mean of several runs: the mean as far as half of them go, the band as far as two do."""
    shared = mean[mean["runs"] > 1]
    axes.fill_between(
        shared[x].to_numpy(dtype=float),
        shared["low"].to_numpy(dtype=float),
        shared["high"].to_numpy(dtype=float),
        color=look.color,
        alpha=0.18,
        linewidth=0,
    )
    common = mean[mean["runs"] * 2 >= mean["runs"].max()]
    return LineEnd(name, look, *_draw_line(axes, common, x, "mean", look, alpha=0.95, width=2.2))
