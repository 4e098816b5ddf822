"""Data of charts, held small: a row for each curve with its points as arrays, and figures without digits nobody sees."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.pictures.names import shorten_name
from mlperf_logging.markup import to_printable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FIGURES = 7
"""Figures that a number keeps: a screen is a few thousand points wide."""

MOST_POINTS = 20_000
"""So many points a chart of curves has at most."""

_FEWEST_POINTS = 40
_LONGEST_TEXT = 80


def round_figures(value: float, figures: int = FIGURES) -> float | int | None:
    """A number with so many figures; whole ones without a point, and None for what is not finite."""
    if not math.isfinite(value):
        return None
    rounded = float(f"{value:.{figures}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded


def round_all(values: Iterable[float], figures: int = FIGURES) -> list[float | int | None]:
    """Numbers as `round_figures` gives each."""
    return [round_figures(float(value), figures) for value in values]


def pack_points(rows: pd.DataFrame, columns: Mapping[str, str]) -> dict[str, list[float | int | None]]:
    """The rows as an array for each column, under the names that the chart gives the columns."""
    return {
        name: round_all(rows[column].to_numpy(dtype=float, na_value=math.nan))
        for column, name in columns.items()
    }


def describe_run(row: Mapping[str, Any] | pd.Series) -> dict[str, str]:
    """What a pointer shows of a run: its system, its log, and its first seed."""
    system = [row[name] for name in ("submitter", "system") if isinstance(row[name], str)]
    seed = row["seed"] if isinstance(row["seed"], str) else ""
    return {"system": _shorten(" ".join(system)), "run": _shorten(str(row["path"])), "seed": _shorten(seed)}


def share_points(curves: int) -> int:
    """How many points each of several curves may have."""
    return max(_FEWEST_POINTS, MOST_POINTS // max(curves, 1))


def pick_points(values: Sequence[float] | np.ndarray, most: int) -> np.ndarray:
    """Places of at most so many values, or a few less, that look like all of them.

    The values are cut into stretches of equal number, and of each the first, the smallest, the largest and the last is
    kept: what a line of them covers on a screen stays covered.

    Args:
        values: numbers, in the order in which they are drawn.
        most: the number, at least 4.

    Returns:
        Places in ascending order; all of them where there are no more than `most`.
    """
    import numpy as np

    held = np.asarray(values, dtype=float)
    if len(held) <= most:
        return np.arange(len(held))
    edges = np.linspace(0, len(held), most // 4 + 1).astype(int)
    kept: set[int] = set()
    for start, stop in pairwise(edges):
        part = held[start:stop]
        kept |= {start, stop - 1, start + int(part.argmin()), start + int(part.argmax())}
    return np.array(sorted(kept))


def _shorten(text: str) -> str:
    return to_printable(shorten_name(text, _LONGEST_TEXT))
