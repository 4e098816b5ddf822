"""Scaling: what more accelerators give."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.grouping import require_columns, split_groups
from mlperf_logging.analysis.intervals import find_bootstrap_interval
from mlperf_logging.analysis.parameters import BootstrapParameters, read_seed
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

SCALING_COLUMNS = {
    "runs": "number of runs at this size",
    "mean_minutes": "their mean time",
    "speedup": "mean time at the smallest size over mean time here",
    "ideal_speedup": "size over smallest size",
    "efficiency": "speedup over ideal speedup; 1: twice the accelerators, half the time",
    "efficiency_low": "lower end of its bootstrap interval (BCa)",
    "efficiency_high": "upper end of its bootstrap interval",
    "learning_efficiency": "progress needed at the smallest size over progress needed here: what larger batches cost",
    "speed_efficiency": "efficiency over learning efficiency: what the machine itself keeps",
}
"""Columns of `describe_scaling` after those of the group and the size."""

_SCALING, _WEAK = "scaling", "weak"
_LARGEST_LEARNING = 4.0
"""Larger systems do not learn from a fourth of the samples: above this, the two logs count in different units."""


def describe_scaling(
    runs: pd.DataFrame,
    value: str = "run_minutes",
    *,
    size: str = "accelerators",
    progress: str = "progress_to_quality",
    by: Sequence[str] = ("benchmark", "submitter", "accelerator_model"),
    parameters: BootstrapParameters | None = None,
) -> pd.DataFrame:
    """Describe how time falls with the size of the system, against the smallest size of each group.

    Efficiency is a product: larger systems train with larger batches, which need more samples (learning), and
    lose time to communication (speed). The two columns say which it was.

    Args:
        runs: one row per run, see `tabulate_runs`; rows without a size or a value are left out.
        value: a time.
        size: the column with the number of accelerators.
        progress: epochs or samples that the run needed to reach the target; it may be empty.
        by: columns that make a group; accelerators of other models, or other people's software, are no scaling.
        parameters: of the bootstrap; None for the defaults of `BootstrapParameters`.

    Returns:
        One row per size of each group that has at least two, smallest first: the columns of ``by``, ``size`` and
        `SCALING_COLUMNS`.

    Raises:
        UsageError: a column is missing, or no run says how many accelerators it had.
    """
    import pandas as pd

    chosen = parameters or BootstrapParameters()
    require_columns(runs, [*by, value, size, progress])
    # A time or a number of accelerators that is not above 0 is a slip, and nothing can be divided by it.
    known = runs[runs[[value, size]].gt(0).all(axis=1) & runs[[value, size]].lt(math.inf).all(axis=1)]
    # The time of one of many models trained at once does not fall with the size.
    if _SCALING in known.columns:
        known = known[(known[_SCALING] != _WEAK).fillna(value=True)]
    if known.empty:
        raise UsageError(
            "no run says how many accelerators it had; they come from the system description "
            "(systems/NAME.json) next to the results, or from the log's number_of_nodes and accelerators_per_node"
        )
    seed = read_seed(chosen.seed)
    rows: list[dict[str, Any]] = []
    for group, members in split_groups(known, by):
        if members[size].nunique() < 2:
            continue
        first: pd.DataFrame | None = None
        for step, here in split_groups(members, [size]):
            first = here if first is None else first
            rows.append({**group, **step, **_describe(first, here, value, size, progress, chosen, seed)})
    return pd.DataFrame(rows, columns=[*by, size, *SCALING_COLUMNS])


def _describe(
    first: pd.DataFrame,
    here: pd.DataFrame,
    value: str,
    size: str,
    progress: str,
    parameters: BootstrapParameters,
    seed: int,
) -> dict[str, Any]:
    ideal = float(here[size].iloc[0]) / float(first[size].iloc[0])
    before, now = first[value].to_numpy(dtype=float), here[value].to_numpy(dtype=float)
    speedup = float(before.mean() / now.mean())

    def divide_means(left: np.ndarray, right: np.ndarray, axis: int = -1) -> Any:
        return left.mean(axis=axis) / right.mean(axis=axis) / ideal

    low = high = math.nan
    if here is first:
        low = high = 1.0  # by definition, not by measurement
    else:
        low, high = find_bootstrap_interval([before, now], divide_means, parameters, seed)
    needed = [float(table[progress].astype(float).mean()) for table in (first, here)]
    learning = needed[0] / needed[1] if needed[1] > 0 else math.nan
    if learning > _LARGEST_LEARNING:
        learning = math.nan
    return {
        "runs": len(here),
        "mean_minutes": float(now.mean()),
        "speedup": speedup,
        "ideal_speedup": ideal,
        "efficiency": speedup / ideal,
        "efficiency_low": low,
        "efficiency_high": high,
        "learning_efficiency": learning,
        "speed_efficiency": speedup / ideal / learning if learning > 0 else math.nan,
    }
