"""How things are distinguished: by color and by line, marker or hatch at once, so that gray print and any eye can read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from mlperf_logging.markup import to_printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""The palette of Okabe and Ito, which color-blind people distinguish, but for its yellow: too pale on white."""

LINES: tuple[Any, ...] = (
    "solid",
    "dashed",
    "dashdot",
    "dotted",
    (0, (7, 1, 1, 1, 1, 1)),
    (0, (3, 1)),
    (0, (1, 1)),
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "*")

_NAME_INCHES = 0.17


class Look(NamedTuple):
    """How one thing is drawn.

    Attributes:
        color: of its line and marker.
        line: style of its line.
        marker: its marker.
    """

    color: str
    line: Any
    marker: str


class LineEnd(NamedTuple):
    """Where a line ends that has a name.

    Attributes:
        name: of what it shows.
        look: how it is drawn.
        x: where it ends.
        y: its value there.
    """

    name: str
    look: Look
    x: float
    y: float


PLAIN = Look("#555555", "solid", "")


def choose_looks(names: Iterable[str]) -> dict[str, Look]:
    """A look for each name, in the order of the legend; the first 77 differ in color and marker both."""
    return {
        name: Look(
            COLORS[index % len(COLORS)],
            LINES[(index + index // len(COLORS)) % len(LINES)],
            MARKERS[index % len(MARKERS)],
        )
        for index, name in enumerate(dict.fromkeys(names))
    }


def to_label(text: object) -> str:
    """A text as matplotlib takes it: what cannot be printed is replaced, and no dollar sign begins a formula."""
    return to_printable(text).replace("$", r"\$")


def label_lines(axes: Axes, ends: Sequence[LineEnd]) -> None:
    """Name lines to the right of the picture, each as high as it ends, as far as names do not touch.

    A piece of the line stands before its name. The limits of the axes must not change afterwards.
    """
    from matplotlib.lines import Line2D

    step = _NAME_INCHES / _measure_height(axes)
    to_axes = axes.transData + axes.transAxes.inverted()
    places = {end: float(to_axes.transform((end.x, end.y))[1]) for end in ends}
    ordered = sorted(ends, key=lambda end: -places[end])
    heights = _part([min(max(places[end], 0.0), 1.0) for end in ordered], step)
    for end, height in zip(ordered, heights, strict=True):
        line, marker = end.look.line, end.look.marker
        axes.add_artist(
            Line2D(
                [1.015, 1.04, 1.065],
                [height] * 3,
                transform=axes.transAxes,
                clip_on=False,
                color=end.look.color,
                linestyle=line,
                linewidth=1.2,
                marker=marker,
                markersize=3.5,
                markevery=[1],
            )
        )
        axes.text(
            1.08,
            height,
            to_label(end.name),
            transform=axes.transAxes,
            verticalalignment="center",
            fontsize="small",
        )


def _part(heights: Sequence[float], step: float) -> list[float]:
    """Descending heights, moved as little as it takes to be a step apart and between 0 and 1; below 0 if there are too many."""
    groups: list[list[float]] = []  # those that touch: sum of wanted tops, and their number
    for index, height in enumerate(heights):
        groups.append([height + index * step, 1])
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] < groups[-1][0] / groups[-1][1]:
            total, count = groups.pop()
            groups[-1] = [groups[-1][0] + total, groups[-1][1] + count]
    # Raised by a step for each one above it, a height is at most 1, and the lowest of them is at least 0.
    least = min((len(heights) - 1) * step, 1.0)
    tops = [min(max(total / count, least), 1.0) for total, count in groups for _ in range(int(count))]
    return [top - index * step for index, top in enumerate(tops)]


def put_legend(axes: Axes, *, below: bool = False) -> None:
    """Put the legend to the right of the picture or below it, where it covers nothing."""
    handles, _ = axes.get_legend_handles_labels()
    if handles and below:
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(0.0, -0.42 / _measure_height(axes)),
            borderaxespad=0.0,
            frameon=False,
            fontsize="small",
            ncols=2 if len(handles) > 1 else 1,
        )
    elif handles:
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(1.01, 1.0),
            borderaxespad=0.0,
            frameon=False,
            fontsize="small",
            handlelength=3.2,
            alignment="left",
        )


def put_legend_above(axes: Axes) -> None:
    """Put the legend of stacked bars above them, in rows of four."""
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=4,
        frameon=False,
        fontsize="small",
        borderaxespad=0.2,
    )


def tidy(axes: Axes, *, grid: Literal["x", "y", "both"] = "both") -> None:
    """Light grid behind, no box around."""
    axes.set_axisbelow(True)
    axes.grid(visible=True, axis=grid, color="#DDDDDD", linewidth=0.7)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def label_rows(axes: Axes, names: Sequence[str]) -> None:
    """Write the names of rows, the first one on top, next to a picture with one row at each whole number."""
    count = len(names)
    axes.set_yticks(range(count))
    axes.set_yticklabels(
        [to_label(name) for name in names], fontsize=9.0 if count <= 14 else 8.0 if count <= 40 else 7.0
    )
    axes.set_ylim(count - 0.4, -0.6)


def thin_out(sizes: Iterable[float], closest: float, wanted: Sequence[float] = ()) -> list[float]:
    """Sizes whose ratios are so large that their numbers on a logarithmic axis do not touch, the wanted ones kept."""
    kept = list(wanted)
    for size in sizes:
        if size not in kept and all(max(size / other, other / size) >= closest for other in kept):
            kept.append(size)
    return sorted(kept)


def measure_rows(count: int, *, least: float = 2.6) -> float:
    """Height in inches of a picture with so many rows, so that their names do not touch."""
    each = 0.3 if count <= 14 else 0.22 if count <= 40 else 0.17
    return max(least, 1.3 + each * count)


def _measure_height(axes: Axes) -> float:
    """Height of the axes in inches."""
    return axes.get_window_extent().height / axes.figure.dpi
