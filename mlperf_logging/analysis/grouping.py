"""Groups of runs: the rows of a table that belong together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

GROUP = ("benchmark", "submitter", "system")
"""The default grouping: runs that differ only by chance."""


def require_columns(table: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse a table that lacks a column, by a `UsageError` that says which there are."""
    missing = [name for name in names if name not in table.columns]
    if missing:
        known = ", ".join(map(str, table.columns))
        raise UsageError(f"the table has no column {missing[0]!r}; it has {known}")


def split_groups(table: pd.DataFrame, by: Sequence[str]) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Yield each group's values by column, and its rows, in sorted order; empty cells make a group of their own."""
    if not by:
        yield {}, table
        return
    for values, rows in table.groupby(list(by), dropna=False, sort=True):
        yield dict(zip(by, values, strict=True)), rows
