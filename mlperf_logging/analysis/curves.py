"""Many curves at once: their mean with a band, and limits of an axis that a few values far off do not set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

BAND = 0.8
"""Share of the curves that a band holds, the middle ones."""

MOST_SHOWN = 1e300
"""Beyond this, the length of an axis is no number."""

_MOST_PLACES = 200
_FEWEST_VALUES = 50
_LEFT_OUT = 0.01
_FARTHEST = 2.0
_REACH = 0.5


class Limits(NamedTuple):
    """Where an axis begins and ends.

    Attributes:
        low: the smallest value that is within.
        high: the largest value that is within.
        outside: number of values that are not.
    """

    low: float
    high: float
    outside: int


def find_limits(values: Iterable[float], wanted: Sequence[float] = ()) -> Limits:
    """Limits that hold all values, but for a hundredth (at least one) where these would flatten the others.

    They do where they lie farther from the others than twice the range of the others. Fewer than 50 values are all
    within. What no axis can show is outside.

    Args:
        values: what is drawn.
        wanted: values that are within in any case, such as a target.
    """
    import numpy as np

    given = np.sort(np.fromiter(values, dtype=float))
    given = given[~np.isnan(given)]
    known = given[np.abs(given) <= MOST_SHOWN]
    if not len(known):
        return Limits(0.0, 1.0, len(given))
    low, high = known[0], known[-1]
    if len(known) >= _FEWEST_VALUES:
        far = max(1, int(len(known) * _LEFT_OUT))
        first, last = known[far], known[-1 - far]
        span = last - first
        if first - low > _FARTHEST * span > 0:
            low = known[known >= first - _REACH * span][0]
        if high - last > _FARTHEST * span > 0:
            high = known[known <= last + _REACH * span][-1]
    low, high = min([low, *wanted]), max([high, *wanted])
    return Limits(float(low), float(high), int(((given < low) | (given > high)).sum()))


def average_curves(rows: pd.DataFrame, x: str, value: str) -> pd.DataFrame:
    """The mean curve of several runs, and the band of the middle four fifths of their curves.

    Between its points a curve is a straight line; beyond its ends it does not count. Several values of one run at one
    place count as their mean.

    Args:
        rows: one row per point, with the run's `path`.
        x: column of places.
        value: column of values.

    Returns:
        One row per place: `x`, `mean`, the 10 % and 90 % quantiles `low` and `high`, and `runs`, the number of curves there.
    """
    import numpy as np
    import pandas as pd

    means = rows.dropna(subset=[x, value]).groupby(["path", x])[value].mean()
    runs, held = means.index.get_level_values(0), means.to_numpy(dtype=float)
    where = means.index.get_level_values(1).to_numpy(dtype=float)
    begins = np.flatnonzero(~runs.duplicated())[1:]
    curves = list(zip(np.split(where, begins), np.split(held, begins), strict=True)) if len(held) else []
    places = np.unique(np.concatenate([place for place, _ in curves]) if curves else [])
    if len(places) > _MOST_PLACES:
        places = np.linspace(places[0], places[-1], _MOST_PLACES)
    found: list[np.ndarray] = [
        np.interp(places, place, values, left=np.nan, right=np.nan) for place, values in curves
    ]
    whole = pd.DataFrame(found, columns=places)
    return pd.DataFrame(
        {
            x: places,
            "mean": whole.mean().to_numpy(),
            "low": whole.quantile(0.5 - BAND / 2).to_numpy(),
            "high": whole.quantile(0.5 + BAND / 2).to_numpy(),
            "runs": whole.notna().sum().to_numpy(),
        }
    )
