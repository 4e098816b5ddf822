"""Power and energy over the time of runs, before they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlperf_logging.analysis.grouping import require_columns
from mlperf_logging.analysis.pictures.names import shorten_name
from mlperf_logging.errors import UsageError
from mlperf_logging.markup import to_printable

if TYPE_CHECKING:
    import pandas as pd

X_TITLE = "time since run_start (minutes)"
QUANTITIES = {"watts": ("power (kW)", 1e-3), "energy_kj": ("energy since the measurement began (MJ)", 1e-3)}
"""Columns that can be drawn: title of the axis with its unit, and factor to that unit."""


class PowerLine(NamedTuple):
    """One line.

    Attributes:
        name: what people read beside it.
        rows: its readings, with `minutes` and the `amount` that is drawn.
    """

    name: str
    rows: pd.DataFrame


def prepare_power(power: pd.DataFrame, quantity: str, by: str) -> list[PowerLine]:
    """A line for each run or each measured part.

    Args:
        power: one row per reading, see `tabulate_power`.
        quantity: a column of `QUANTITIES`.
        by: "run" or "part".

    Raises:
        UsageError: an unknown quantity, a column is missing, or there is no reading.
    """
    if quantity not in QUANTITIES:
        raise UsageError(f"unknown quantity {quantity!r}; choose from {', '.join(QUANTITIES)}")
    require_columns(power, [by, "minutes", quantity])
    if power.empty:
        raise UsageError("there are no power readings")
    _, factor = QUANTITIES[quantity]
    return [
        PowerLine(to_printable(shorten_name(str(name))), rows.assign(amount=rows[quantity] * factor))
        for name, rows in power.groupby(by, sort=False)
    ]
