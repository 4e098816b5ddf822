"""Scaling, before it is drawn: the sizes of each group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from mlperf_logging.analysis.grouping import require_columns, split_groups
from mlperf_logging.analysis.pictures.names import name_groups
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

SIZE_TITLE, EFFICIENCY_TITLE = "accelerators", "efficiency (1: ideal)"

_LOWEST_START = 0.5


class ScalingGroup(NamedTuple):
    """The sizes of one group.

    Attributes:
        name: what people read beside its line.
        rows: its rows of the table of scaling, smallest size first.
    """

    name: str
    rows: pd.DataFrame


def prepare_scaling(scaling: pd.DataFrame, size: str, by: Sequence[str]) -> list[ScalingGroup]:
    """The groups of a table of scaling, see `describe_scaling`.

    Raises:
        UsageError: a column is missing, or there is no group.
    """
    require_columns(
        scaling, [*by, size, "efficiency", "efficiency_low", "efficiency_high", "learning_efficiency"]
    )
    if scaling.empty:
        raise UsageError(
            "no submitter has runs of one benchmark at two sizes, so there is no scaling to draw"
        )
    groups = list(split_groups(scaling, by))
    names = name_groups([list(group.values()) for group, _ in groups])
    return [ScalingGroup(name, rows) for name, (_, rows) in zip(names, groups, strict=True)]


def starts_at_zero(lowest: float) -> bool:
    """Whether the axis of efficiencies begins at 0: what is near 1 alone is not to be flattened by the way down."""
    return lowest < _LOWEST_START
