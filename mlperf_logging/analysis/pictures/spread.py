"""Run-to-run spread, before it is drawn: the runs of each group, and the box of their middle half."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from mlperf_logging.analysis.grouping import GROUP, require_columns, split_groups
from mlperf_logging.analysis.pictures.names import name_groups
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_FEWEST_FOR_BOX = 4
_REACH = 1.5
_LARGEST_RATIO = 30.0


class Box(NamedTuple):
    """The box of a group.

    Attributes:
        low: where the lower whisker ends, at the last run within 1.5 times the box (Tukey).
        first: where the middle half begins.
        median: the middle value.
        third: where the middle half ends.
        high: where the upper whisker ends.
    """

    low: float
    first: float
    median: float
    third: float
    high: float


@dataclass(frozen=True)
class SpreadGroup:
    """The runs of one group.

    Attributes:
        name: what people read beside it.
        runs: the runs' rows, smallest value first.
        values: what is drawn of each, in the same order: the value, or its share of the group's median in percent.
        offsets: how far each point stands from the middle of its row, from -1 to 1, so that neighbors are parted.
        box: None below four runs.
    """

    name: str
    runs: pd.DataFrame
    values: np.ndarray
    offsets: np.ndarray
    box: Box | None


@dataclass(frozen=True)
class Spread:
    """How the runs of each group differ.

    Attributes:
        groups: the groups, first on top.
        title: title of the axis.
        is_relative: values are shares of the group's median, in percent.
        is_logarithmic: the largest value is more than thirty times the smallest, so most would lie on one another.
    """

    groups: tuple[SpreadGroup, ...]
    title: str
    is_relative: bool
    is_logarithmic: bool


def prepare_spread(
    runs: pd.DataFrame, value: str = "run_minutes", *, by: Sequence[str] = GROUP, relative: bool = False
) -> Spread:
    """The spread of a column.

    Args:
        runs: one row per run.
        value: the column.
        by: columns that make a group.
        relative: as a share of each group's median; groups of one run are left out.

    Raises:
        UsageError: a column is missing, or no group has a value to draw.
    """
    import numpy as np

    require_columns(runs, [*by, value])
    found = [
        (group, rows.sort_values(value, kind="stable"))
        for group, rows in split_groups(runs.dropna(subset=[value]), by)
        if len(rows) > relative
    ]
    if not found:
        raise UsageError(f"no group has {'two runs' if relative else 'a run'} with a value of {value}")
    names = name_groups([list(group.values()) for group, _ in found])
    groups = []
    for name, (_, rows) in zip(names, found, strict=True):
        values = rows[value].to_numpy(dtype=float)
        if relative:
            values = values / np.median(values) * 100
        groups.append(
            SpreadGroup(
                f"{name} ({len(values)})", rows, values, _part_neighbors(len(values)), _measure_box(values)
            )
        )
    title = f"{value.replace('_', ' ')}, % of the group's median" if relative else name_column(value)
    known = runs[value].dropna().astype(float)
    is_wide = bool(known.min() > 0 and known.max() / known.min() > _LARGEST_RATIO)
    return Spread(tuple(groups), title, relative, is_wide and not relative)


def name_column(value: str) -> str:
    """A column's name as the title of an axis: its unit in brackets."""
    for unit in ("minutes", "seconds"):
        if value.endswith(f"_{unit}"):
            name = value.removesuffix(f"_{unit}").replace("_", " ")
            return f"{name} time ({unit})" if "time" not in name else f"{name} ({unit})"
    return value.replace("_", " ")


def _part_neighbors(count: int) -> np.ndarray:
    """Neighbors in value are spread over the row, always in the same way: no chance is needed to part them."""
    import numpy as np

    return ((np.arange(count) * 2) % 5 - 2) / 2 if count > 1 else np.zeros(1)


def _measure_box(values: np.ndarray) -> Box | None:
    import numpy as np

    if len(values) < _FEWEST_FOR_BOX:
        return None
    first, median, third = np.percentile(values, [25, 50, 75])
    reach = _REACH * (third - first)
    within = values[(values >= first - reach) & (values <= third + reach)]
    low, high = (float(within.min()), float(within.max())) if len(within) else (first, third)
    return Box(min(low, float(first)), float(first), float(median), float(third), max(high, float(third)))
