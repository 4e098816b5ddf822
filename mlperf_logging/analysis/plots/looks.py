"""How things are distinguished: by color and by line, marker or hatch at once, so that gray print and any eye can read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

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

MOST_IN_LEGEND = 24
_LONGEST_NAME = 44


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
    """A text as a label: what cannot be printed is replaced, and no dollar sign begins a formula."""
    return "".join(letter if letter.isprintable() else "�" for letter in str(text)).replace("$", r"\$")


def shorten_name(name: str, longest: int = _LONGEST_NAME) -> str:
    """A name that fits next to a picture: long ones lose their middle."""
    if len(name) <= longest:
        return name
    head = (longest - 1) * 2 // 3
    return f"{name[:head]}…{name[-(longest - 1 - head) :]}"


def name_groups(values: Sequence[Sequence[Any]]) -> list[str]:
    """Names for groups from their parts, without the parts that all share; None and missing parts are left out."""
    parts = [tuple(_to_text(part) for part in value) for value in values]
    different = [
        place for place in range(len(parts[0]) if parts else 0) if len({each[place] for each in parts}) > 1
    ]
    kept = different or list(range(len(parts[0]) if parts else 0))
    names = [" ".join(each[place] for place in kept if each[place]) for each in parts]
    return [to_label(shorten_name(name)) or "runs" for name in names]


def put_legend(axes: Axes) -> None:
    """Put the legend to the right of the picture, where it covers nothing."""
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(1.01, 1.0),
            borderaxespad=0.0,
            frameon=False,
            fontsize="small",
            handlelength=3.2,
            alignment="left",
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
    axes.set_yticklabels(names, fontsize=9.0 if count <= 14 else 8.0 if count <= 40 else 7.0)
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


def _to_text(part: Any) -> str:
    import pandas as pd

    return "" if part is None or pd.isna(part) else str(part)
